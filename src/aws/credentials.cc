#include "aws/credentials.h"

#include <fmt/format.h>

#include <algorithm>

namespace imgproc::aws {

std::string value_of(const Environment& environment, std::string_view name) {
  auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

base::Result<protocol::Credentials> credentials_from(const Environment& environment) {
  protocol::Credentials credentials{value_of(environment, "AWS_ACCESS_KEY_ID"),
                                    value_of(environment, "AWS_SECRET_ACCESS_KEY"),
                                    value_of(environment, "AWS_SESSION_TOKEN")};
  const char* missing = credentials.access_key_id.empty()       ? "AWS_ACCESS_KEY_ID"
                        : credentials.secret_access_key.empty() ? "AWS_SECRET_ACCESS_KEY"
                                                                : nullptr;
  if (missing != nullptr)
    return base::permanent(
        "NO_CREDENTIALS", fmt::format("{} is not set", missing),
        "on Lambda it comes from the function's role; elsewhere set it yourself");
  return credentials;
}

base::Result<std::string> region_from(const Environment& environment) {
  std::string region = value_of(environment, "AWS_REGION");
  if (region.empty()) region = value_of(environment, "AWS_DEFAULT_REGION");
  if (region.empty())
    return base::permanent("NO_REGION", "AWS_REGION is not set",
                           "set it, for example to eu-west-1");
  // It becomes part of host names, so it must not be able to lead anywhere else.
  constexpr std::size_t kRegionBytesMax = 63;
  bool plain = std::ranges::all_of(
      region, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
  if (!plain || region.size() > kRegionBytesMax)
    return base::permanent("INVALID_REGION", fmt::format("`{}` is no region", region),
                           "write it like eu-west-1");
  return region;
}

}  // namespace imgproc::aws
