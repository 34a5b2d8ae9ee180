#include "image/jpeg_dc/samples.h"

#include <algorithm>
#include <span>

namespace imgproc::image::jpeg_dc {

namespace {

constexpr int kSampleCentre = 128;
constexpr int kRangeMax = 511;  // from here on libjpeg's table of ranges wraps
bool is_in_range(std::int32_t value) {
  return value >= -kRangeMax - 1 && value <= kRangeMax;
}

/// False where a value is out of range.
bool fill(std::span<const std::int16_t> dc, std::uint16_t quantisation,
          std::vector<std::uint8_t>& samples) {
  samples.resize(dc.size());
  // The product stays below 2^31: 2^15 times 2^16 - 1.
  std::int32_t lowest = 0, highest = 0;
  const std::int32_t factor = quantisation;
  for (std::size_t i = 0; i < dc.size(); ++i) {
    const std::int32_t value = (std::int32_t{dc[i]} * factor + 4) >> 3;
    lowest = std::min(lowest, value);
    highest = std::max(highest, value);
    samples[i] = static_cast<std::uint8_t>(std::clamp(value + kSampleCentre, 0, 255));
  }
  return is_in_range(lowest) && is_in_range(highest);
}

}  // namespace

DcPlanes make_dc_planes(const Structure& structure) {
  DcPlanes dc;
  for (unsigned i = 0; i < structure.component_count; ++i)
    dc[i].resize(std::size_t{structure.components[i].stride} * structure.components[i].rows);
  return dc;
}

base::Result<std::array<Plane, kComponentsMax>> samples_of_dc(const Structure& structure,
                                                              const DcPlanes& dc) {
  std::array<Plane, kComponentsMax> planes;
  for (unsigned i = 0; i < structure.component_count; ++i) {
    const Component& component = structure.components[i];
    planes[i].stride = component.stride;
    if (!fill(dc[i], structure.quantisation[component.table][0], planes[i].samples))
      return not_plain("range");
  }
  return planes;
}

}  // namespace imgproc::image::jpeg_dc
