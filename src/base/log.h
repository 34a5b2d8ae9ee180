#pragma once
// One JSON object per line on standard error: what CloudWatch Logs, jq and people can read.

#include <boost/json/object.hpp>
#include <string_view>

namespace imgproc::base {

enum class LogLevel { debug, info, warn, error };

/// Lines below `level` are dropped from now on. Default: info.
void set_log_level(LogLevel level);

/// Writes {"time":…,"level":…,"message":…, fields…} as one line with one write call, so that lines
/// of several threads never mix. Never throws, never blocks for long, keeps nothing.
void log(LogLevel level, std::string_view message, const boost::json::object& fields = {});

inline void log_info(std::string_view message, const boost::json::object& fields = {}) {
  log(LogLevel::info, message, fields);
}
inline void log_warn(std::string_view message, const boost::json::object& fields = {}) {
  log(LogLevel::warn, message, fields);
}
inline void log_error(std::string_view message, const boost::json::object& fields = {}) {
  log(LogLevel::error, message, fields);
}

}  // namespace imgproc::base
