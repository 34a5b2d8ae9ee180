// Metric math expressions of any form, with values that exist and values that do not.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "localcloud/cloudwatch/metric_math.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view expression(reinterpret_cast<const char*>(data), size);
  (void)imgproc::localcloud::cloudwatch::evaluate_math(
      expression, [](std::string_view id) -> imgproc::base::Result<std::optional<double>> {
        if (id.size() % 2 == 0) return std::nullopt;
        return static_cast<double>(id.size());
      });
  return 0;
}
