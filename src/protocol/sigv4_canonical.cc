#include "protocol/sigv4_canonical.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"

namespace imgproc::protocol {
namespace {

/// Takes out empty, "." and ".." segments; a slash at the end stays.
std::string normalized(std::string_view path) {
  std::vector<std::string_view> kept;
  bool slash_at_end = true;
  while (!path.empty()) {
    auto cut = path.find('/');
    std::string_view segment = path.substr(0, cut);
    slash_at_end = cut != std::string_view::npos;
    path.remove_prefix(slash_at_end ? cut + 1 : path.size());
    if (segment.empty()) continue;
    if (segment == "." || segment == "..") {
      if (segment == ".." && !kept.empty()) kept.pop_back();
      slash_at_end = true;
      continue;
    }
    kept.push_back(segment);
  }
  std::string out = "/";
  for (std::size_t i = 0; i < kept.size(); ++i) {
    out += kept[i];
    if (i + 1 < kept.size() || slash_at_end) out += '/';
  }
  return out;
}

}  // namespace

std::string canonical_path(std::string_view raw_path, std::string_view service) {
  if (raw_path.empty()) return "/";
  if (service == "s3") return base::percent_encode(base::percent_decode(raw_path), true);
  return base::percent_encode(normalized(raw_path), true);
}

std::string canonical_query(std::string_view raw_query) {
  std::vector<std::pair<std::string, std::string>> params;
  http::QueryParams query(raw_query);
  for (const auto& [name, value] : query.all()) {
    if (name == "X-Amz-Signature") continue;
    params.emplace_back(base::percent_encode(name), base::percent_encode(value));
  }
  std::ranges::sort(params);
  std::string out;
  for (const auto& [name, value] : params) {
    if (!out.empty()) out += '&';
    out += name;
    out += '=';
    out += value;
  }
  return out;
}

std::string canonical_header(const http::Headers& headers, std::string_view name) {
  std::string out;
  bool first = true;
  for (const auto& [key, value] : headers.fields()) {
    if (!base::equals_ignoring_case(key, name)) continue;
    if (!std::exchange(first, false)) out += ',';
    bool space = false;
    for (char c : base::trim(value)) {
      if (c == ' ' || c == '\t') {
        space = true;
        continue;
      }
      if (std::exchange(space, false)) out += ' ';
      out += c;
    }
  }
  return out;
}

std::string canonical_request(const http::Request& request, std::string_view service,
                              std::span<const std::string> signed_headers,
                              std::string_view payload_hash) {
  std::string out = request.method;
  out += '\n';
  out += canonical_path(request.path(), service);
  out += '\n';
  out += canonical_query(request.query());
  out += '\n';
  for (const auto& name : signed_headers) {
    out += name;
    out += ':';
    out += canonical_header(request.headers, name);
    out += '\n';
  }
  out += '\n';
  out += join_names(signed_headers);
  out += '\n';
  out += payload_hash;
  return out;
}

std::string string_to_sign(std::string_view amz_date, std::string_view scope,
                           std::string_view canonical) {
  return fmt::format("{}\n{}\n{}\n{}", kSigV4Algorithm, amz_date, scope,
                     base::sha256_hex(canonical));
}

std::string join_names(std::span<const std::string> names) {
  return fmt::format("{}", fmt::join(names, ";"));
}

}  // namespace imgproc::protocol
