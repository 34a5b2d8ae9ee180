// CloudWatch Logs filter patterns over any line: the first line of the input is the pattern.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "localcloud/logs/filter_pattern.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::size_t newline = text.find('\n');
  auto pattern = imgproc::localcloud::logs::FilterPattern::parse(text.substr(0, newline));
  if (pattern && newline != std::string_view::npos)
    (void)pattern->matches(text.substr(newline + 1));
  return 0;
}
