#include "localcloud/s3/listing.h"

#include "base/bytes.h"
#include "localcloud/s3/errors.h"

namespace imgproc::localcloud::s3 {

std::string ListRequest::shown(std::string_view name) const {
  return encode ? base::percent_encode(name, true) : std::string(name);
}

base::Result<ListRequest> read_list_request(const Operation& operation, std::string_view limit) {
  ListRequest request{.prefix = operation.param("prefix").value_or(""),
                      .delimiter = operation.param("delimiter").value_or("")};
  if (auto text = operation.param(limit); text && !text->empty()) {
    auto value = base::parse_unsigned(*text);
    if (!value || *value > 2147483647)
      return invalid_argument("Argument " + std::string(limit) +
                              " must be an integer between 0 and 2147483647");
    request.count_max = std::min<std::size_t>(*value, kListMax);
  }
  if (auto text = operation.param("encoding-type"); text && !text->empty()) {
    if (!base::equals_ignoring_case(*text, "url"))
      return invalid_argument("Invalid Encoding Method specified in Request");
    request.encode = true;
  }
  return request;
}

std::optional<std::string> common_prefix(const ListRequest& request, std::string_view key) {
  if (request.delimiter.empty()) return std::nullopt;
  auto at = key.find(request.delimiter, request.prefix.size());
  if (at == std::string_view::npos) return std::nullopt;
  return std::string(key.substr(0, at + request.delimiter.size()));
}

std::string after_prefix(std::string_view prefix) {
  std::string next(prefix);
  while (!next.empty() && static_cast<unsigned char>(next.back()) == 0xFF) next.pop_back();
  if (!next.empty()) next.back() = static_cast<char>(static_cast<unsigned char>(next.back()) + 1);
  return next;
}

std::string first_key(const ListRequest& request, std::string_view marker) {
  if (marker.empty() || marker < request.prefix) return request.prefix;
  if (marker.starts_with(request.prefix) && common_prefix(request, marker) == marker)
    return after_prefix(marker);
  return std::string(marker) + '\0';
}

void write_common_prefixes(const ListRequest& request, const std::vector<std::string>& prefixes,
                           XmlWriter& xml) {
  for (const std::string& prefix : prefixes)
    xml.open("CommonPrefixes").element("Prefix", request.shown(prefix)).close("CommonPrefixes");
}

}  // namespace imgproc::localcloud::s3
