#pragma once
// Conditional requests and byte ranges. Source: RFC 9110 sections 13 and 14 with S3's precedence:
// If-Match overrules If-Unmodified-Since, If-None-Match overrules If-Modified-Since.

#include <cstdint>
#include <optional>
#include <string_view>

#include "http/message.h"
#include "localcloud/s3/index.h"

namespace imgproc::localcloud::s3 {

enum class ReadCondition { holds, not_modified, failed };

/// Conditions on reading `version`, from If-Match … (`prefix` "") or x-amz-copy-source-if-match …
/// (`prefix` "x-amz-copy-source-"). Unreadable dates are ignored, as HTTP wants it.
[[nodiscard]] ReadCondition check_read(const http::Headers& headers, std::string_view prefix,
                                       const ObjectVersion& version);

/// If-Match and If-None-Match of a write over `current` (nullptr: no object of that key). Errors
/// PreconditionFailed (412), NoSuchKey (404), NotImplemented (If-None-Match other than *).
[[nodiscard]] base::Status check_write(const http::Headers& headers, std::string_view key,
                                       const ObjectVersion* current);

/// True if the list in a header ("*", or ETags with or without quotes) holds `etag`.
[[nodiscard]] bool etag_matches(std::string_view list, std::string_view etag);

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};
enum class RangeKind { whole, part, unsatisfiable };
struct RangeAnswer {
  RangeKind kind = RangeKind::whole;
  ByteRange range;
};
/// A Range header over an object of `bytes` bytes. What is not one range of bytes is ignored
/// (whole), as S3 does.
[[nodiscard]] RangeAnswer parse_range(std::string_view header, std::uint64_t bytes);

}  // namespace imgproc::localcloud::s3
