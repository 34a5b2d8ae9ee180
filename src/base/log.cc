#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <boost/json/serialize.hpp>

#include "base/time.h"

namespace imgproc::base {
namespace {
std::atomic<LogLevel> least_level{LogLevel::info};
constexpr const char* kLevelNames[] = {"DEBUG", "INFO", "WARN", "ERROR"};
}  // namespace

void set_log_level(LogLevel level) {
  least_level = level;
}

void log(LogLevel level, std::string_view message, const boost::json::object& fields) {
  if (level < least_level.load(std::memory_order_relaxed)) return;
  boost::json::object line;
  line["time"] = to_iso8601(RealClock().now());
  line["level"] = kLevelNames[static_cast<int>(level)];
  line["message"] = message;
  for (const auto& [key, value] : fields) line[key] = value;
  std::string text = boost::json::serialize(line) + "\n";
  [[maybe_unused]] auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace imgproc::base
