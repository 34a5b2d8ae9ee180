#pragma once
// The text forms of time that AWS uses. All UTC.

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace imgproc::base {

/// 2026-11-22T09:30:00.000Z
[[nodiscard]] std::string to_iso8601(SystemTime time);
/// 20261122T093000Z, as SigV4 writes it.
[[nodiscard]] std::string to_amz_date(SystemTime time);
/// Sun, 22 Nov 2026 09:30:00 GMT (RFC 9110), for Last-Modified.
[[nodiscard]] std::string to_http_date(SystemTime time);

/// Accepts 2026-11-22T09:30:00Z with or without a fraction, and +hh:mm offsets.
[[nodiscard]] std::optional<SystemTime> from_iso8601(std::string_view text);
[[nodiscard]] std::optional<SystemTime> from_amz_date(std::string_view text);
[[nodiscard]] std::optional<SystemTime> from_http_date(std::string_view text);

}  // namespace imgproc::base
