#include "aws/endpoint.h"

#include <fmt/format.h>

#include "base/bytes.h"

namespace imgproc::aws {

base::Result<Endpoint> endpoint_of(std::string_view service, const std::string& region,
                                   const Environment& environment) {
  std::string variable = "AWS_ENDPOINT_URL_";
  for (char c : service) variable += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  std::string url = value_of(environment, variable);
  if (url.empty()) {
    variable = "AWS_ENDPOINT_URL";
    url = value_of(environment, variable);
  }
  if (base::equals_ignoring_case(value_of(environment, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
                                 "true"))
    url.clear();
  Endpoint endpoint;
  if (!url.empty()) {
    auto origin = http::Origin::parse(url);
    if (!origin) {
      base::Error error = origin.error();
      error.message = variable + ": " + error.message;
      return std::unexpected(std::move(error));
    }
    endpoint.origin = *std::move(origin);
    endpoint.custom = true;
    return endpoint;
  }
  std::string_view suffix = region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  endpoint.origin = {
      .tls = true, .host = fmt::format("{}.{}.{}", service, region, suffix), .port = 443};
  return endpoint;
}

}  // namespace imgproc::aws
