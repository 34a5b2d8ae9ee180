#include "localcloud/s3/conditions.h"

#include <algorithm>
#include <limits>
#include <string>

#include "base/bytes.h"
#include "base/time.h"
#include "localcloud/s3/errors.h"
#include "localcloud/s3/object_headers.h"

namespace imgproc::localcloud::s3 {
namespace {

/// HTTP dates have whole seconds, so that is what is compared.
std::int64_t seconds_of(base::SystemTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

/// A position in a range; those beyond any object are as good as the largest.
std::optional<std::uint64_t> parse_position(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  return base::parse_unsigned(text).value_or(std::numeric_limits<std::uint64_t>::max());
}

}  // namespace

bool etag_matches(std::string_view list, std::string_view etag) {
  while (!list.empty()) {
    std::string_view item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), item.size() + 1));
    item = base::trim(item);
    if (item.starts_with("W/")) item.remove_prefix(2);
    if (item == "*" || unquote_etag(item) == etag) return true;
  }
  return false;
}

ReadCondition check_read(const http::Headers& headers, std::string_view prefix,
                         const ObjectVersion& version) {
  auto get = [&](std::string_view name) {
    return prefix.empty() ? headers.get(name)
                          : headers.get(std::string(prefix) + std::string(name));
  };
  auto date = [&](std::string_view name) -> std::optional<std::int64_t> {
    auto value = get(name);
    if (!value) return std::nullopt;
    auto time = base::from_http_date(*value);
    if (!time) time = base::from_iso8601(*value);
    if (!time) return std::nullopt;
    return seconds_of(*time);
  };
  std::int64_t modified = seconds_of(version.modified);
  if (auto list = get("if-match")) {
    if (!etag_matches(*list, version.etag)) return ReadCondition::failed;
  } else if (auto since = date("if-unmodified-since"); since && modified > *since) {
    return ReadCondition::failed;
  }
  if (auto list = get("if-none-match")) {
    if (etag_matches(*list, version.etag)) return ReadCondition::not_modified;
  } else if (auto since = date("if-modified-since"); since && modified <= *since) {
    return ReadCondition::not_modified;
  }
  return ReadCondition::holds;
}

base::Status check_write(const http::Headers& headers, std::string_view key,
                         const ObjectVersion* current) {
  if (auto list = headers.get("If-None-Match")) {
    if (*list != "*") return not_implemented("If-None-Match with a value other than *");
    if (current != nullptr) return precondition_failed("If-None-Match");
  }
  if (auto list = headers.get("If-Match")) {
    if (current == nullptr) return no_such_key(key);
    if (!etag_matches(*list, current->etag)) return precondition_failed("If-Match");
  }
  return {};
}

RangeAnswer parse_range(std::string_view header, std::uint64_t bytes) {
  constexpr std::string_view kUnit = "bytes=";
  if (!header.starts_with(kUnit)) return {};
  std::string_view spec = base::trim(header.substr(kUnit.size()));
  auto dash = spec.find('-');
  if (dash == std::string_view::npos || spec.find(',') != std::string_view::npos) return {};
  std::string_view first_text = base::trim(spec.substr(0, dash));
  std::string_view last_text = base::trim(spec.substr(dash + 1));
  auto first = parse_position(first_text);
  auto last = parse_position(last_text);
  if ((!first_text.empty() && !first) || (!last_text.empty() && !last)) return {};
  if (!first && !last) return {};
  if (!first) {
    std::uint64_t count = std::min<std::uint64_t>(*last, bytes);
    if (count == 0) return {.kind = RangeKind::unsatisfiable, .range = {}};
    return {.kind = RangeKind::part, .range = {.first = bytes - count, .count = count}};
  }
  if (last && *last < *first) return {};
  if (*first >= bytes) return {.kind = RangeKind::unsatisfiable, .range = {}};
  std::uint64_t end = last ? std::min<std::uint64_t>(*last, bytes - 1) : bytes - 1;
  return {.kind = RangeKind::part, .range = {.first = *first, .count = end - *first + 1}};
}

}  // namespace imgproc::localcloud::s3
