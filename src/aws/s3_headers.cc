#include "aws/s3_headers.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/time.h"

namespace imgproc::aws {
namespace {

constexpr std::string_view kMetadataPrefix = "x-amz-meta-";
constexpr std::string_view kWordBegin = "=?UTF-8?B?";
constexpr std::string_view kWordEnd = "?=";

std::uint64_t size_in(const http::Headers& headers) {
  if (auto range = headers.get("Content-Range")) {
    auto slash = range->rfind('/');
    if (slash != std::string_view::npos)
      if (auto total = base::parse_unsigned(range->substr(slash + 1))) return *total;
  }
  return base::parse_unsigned(headers.get("Content-Length").value_or("0")).value_or(0);
}

std::string_view unquoted(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"')
    return etag.substr(1, etag.size() - 2);
  return etag;
}

}  // namespace

std::string etag_in_quotes(std::string_view etag) {
  return fmt::format("\"{}\"", etag);
}

std::string encode_metadata(std::string_view text) {
  bool plain = std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; }) &&
               base::trim(text).size() == text.size() && !text.starts_with("=?");
  if (plain) return std::string(text);
  return fmt::format("{}{}{}", kWordBegin, base::to_base64(text), kWordEnd);
}

std::string decode_metadata(std::string_view text) {
  if (text.size() < kWordBegin.size() + kWordEnd.size() || !text.ends_with(kWordEnd) ||
      !base::equals_ignoring_case(text.substr(0, kWordBegin.size()), kWordBegin))
    return std::string(text);
  std::string_view inner = text.substr(kWordBegin.size());
  inner.remove_suffix(kWordEnd.size());
  return base::from_base64(inner).value_or(std::string(text));
}

ports::BlobInfo blob_info_of(const http::Headers& headers) {
  ports::BlobInfo info;
  info.etag = unquoted(headers.get("ETag").value_or(""));
  info.size = size_in(headers);
  info.content_type = headers.get("Content-Type").value_or("");
  info.version_id = headers.get("x-amz-version-id").value_or("");
  if (auto date = headers.get("Last-Modified"))
    info.last_modified = base::from_http_date(*date).value_or(base::SystemTime{});
  for (const auto& [name, value] : headers.fields()) {
    std::string lower = base::to_lower(name);
    if (lower.starts_with(kMetadataPrefix))
      info.metadata[lower.substr(kMetadataPrefix.size())] = decode_metadata(value);
  }
  return info;
}

void add_put_headers(http::Headers& headers, const ports::PutOptions& options) {
  if (!options.content_type.empty()) headers.set("Content-Type", options.content_type);
  if (!options.cache_control.empty()) headers.set("Cache-Control", options.cache_control);
  for (const auto& [name, value] : options.metadata)
    headers.set(std::string(kMetadataPrefix) + name, encode_metadata(value));
  if (!options.if_match.empty()) headers.set("If-Match", etag_in_quotes(options.if_match));
  if (options.if_none_match) headers.set("If-None-Match", "*");
}

}  // namespace imgproc::aws
