#include "image/low_frequencies.h"

#include <cmath>
#include <cstddef>
#include <numbers>

namespace imgproc::image {
namespace {

/// The value at each position of `count` waves, wave by wave.
std::vector<double> cosines(unsigned count, unsigned length, Crest crest) {
  const double offset = crest == Crest::before_sample ? 0.5 : 0;
  std::vector<double> values;
  values.reserve(std::size_t{count} * length);
  for (unsigned wave = 0; wave < count; ++wave)
    for (unsigned i = 0; i < length; ++i)
      values.push_back(std::cos(std::numbers::pi / length * wave * (i + offset)));
  return values;
}

}  // namespace

std::vector<double> low_frequencies(std::span<const double> values, unsigned width, unsigned height,
                                    unsigned count_x, unsigned count_y, Crest crest) {
  const std::vector<double> along_x = cosines(count_x, width, crest);
  const std::vector<double> along_y = cosines(count_y, height, crest);
  std::vector<double> sums;
  sums.reserve(std::size_t{count_x} * count_y);
  // Rows first and then columns would be less work, but rounds otherwise than the formats'
  // references, which add pixel by pixel: where a frequency is absent, a digit hangs on that.
  for (std::size_t fy = 0; fy < count_y; ++fy)
    for (std::size_t fx = 0; fx < count_x; ++fx) {
      double sum = 0;
      for (std::size_t y = 0; y < height; ++y)
        for (std::size_t x = 0; x < width; ++x)
          sum += values[y * width + x] * along_x[fx * width + x] * along_y[fy * height + y];
      sums.push_back(sum);
    }
  return sums;
}

}  // namespace imgproc::image
