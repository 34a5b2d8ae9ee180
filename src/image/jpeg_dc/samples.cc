#include "image/jpeg_dc/samples.h"

#include <algorithm>

namespace imgproc::image::jpeg_dc {

const std::array<std::uint8_t, kCoefficients> kZigzag{
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

namespace {

constexpr int kSampleCentre = 128;
constexpr int kRangeMax = 511;  // from here on libjpeg's table of ranges wraps
constexpr std::size_t kColumns = 5;
constexpr std::uint8_t kNotNeeded = 2 * kColumns;

// The transform's numbers in 13-bit fixed point (jidctred.c): what the odd rows and columns weigh,
// and the even part, which is multiplied by 4.
constexpr std::array<std::int32_t, 8> kOddFactors{0, 29692, 0, -10426, 0, 6967, 0, -5906};
constexpr std::int32_t kEvenFactor = 1 << 15;
constexpr unsigned kColumnShift = 13;
constexpr unsigned kRowShift = 20;

bool is_needed(unsigned line) {
  return line == 0 || line % 2 == 1;
}

std::int64_t round_shift(std::int64_t value, unsigned bits) {
  return (value + (std::int64_t{1} << (bits - 1))) >> bits;
}

bool is_in_range(std::int64_t value) {
  return value >= -kRangeMax - 1 && value <= kRangeMax;
}

bool fits_16_bits(std::int64_t value) {
  return value == static_cast<std::int16_t>(value);
}

std::uint8_t to_sample(std::int64_t value) {
  return static_cast<std::uint8_t>(std::clamp<std::int64_t>(value + kSampleCentre, 0, 255));
}

}  // namespace

Plane make_plane(const Component& component) {
  Plane plane;
  plane.stride = std::size_t{component.stride} * component.side;
  plane.samples.resize(plane.stride * component.rows * component.side);
  return plane;
}

bool samples_of_dc(std::span<const std::int16_t> dc, std::uint16_t quantisation, Plane& plane) {
  // The product stays below 2^31: 2^15 times 2^16 - 1.
  std::int32_t lowest = 0, highest = 0;
  const std::int32_t factor = quantisation;
  for (std::size_t i = 0; i < dc.size(); ++i) {
    const std::int32_t value = (std::int32_t{dc[i]} * factor + 4) >> 3;
    lowest = std::min(lowest, value);
    highest = std::max(highest, value);
    plane.samples[i] = static_cast<std::uint8_t>(std::clamp(value + kSampleCentre, 0, 255));
  }
  return is_in_range(lowest) && is_in_range(highest);
}

HalfTransform::HalfTransform(const std::array<std::uint16_t, kCoefficients>& quantisation) {
  for (unsigned place = 0; place < kCoefficients; ++place) {
    const unsigned row = kZigzag[place] / 8, column = kZigzag[place] % 8;
    Weight& weight = weights_[place];
    weight.quantisation = quantisation[place];
    weight.part = kNotNeeded;
    if (!is_needed(row) || !is_needed(column)) continue;
    const std::size_t part = (column + 1) / 2;
    weight.part = static_cast<std::uint8_t>(row == 0 ? part : part + kColumns);
    weight.factor = row == 0 ? kEvenFactor : kOddFactors[row];
  }
}

bool HalfTransform::finish_flat(int dc, std::uint8_t* upper, std::uint8_t* lower) const {
  const std::int64_t value = (std::int64_t{dc} * weights_[0].quantisation + 4) >> 3;
  if (!is_in_range(value)) return false;
  upper[0] = upper[1] = lower[0] = lower[1] = to_sample(value);
  return true;
}

bool HalfTransform::finish(const Sums& sums, std::uint8_t* upper, std::uint8_t* lower) const {
  if (sums.wild != 0) return false;
  std::array<std::array<std::int64_t, kColumns>, 2> rows;
  for (std::size_t column = 0; column < kColumns; ++column) {
    const std::int64_t even = sums.parts[column], odd = sums.parts[column + kColumns];
    rows[0][column] = round_shift(even + odd, kColumnShift);
    rows[1][column] = round_shift(even - odd, kColumnShift);
    if (!fits_16_bits(rows[0][column]) || !fits_16_bits(rows[1][column])) return false;
  }
  std::uint8_t* const out[] = {upper, lower};
  for (std::size_t y = 0; y < 2; ++y) {
    const std::int64_t even = rows[y][0] * kEvenFactor;
    std::int64_t odd = 0;
    for (std::size_t column = 1; column < kColumns; ++column)
      odd += rows[y][column] * kOddFactors[2 * column - 1];
    const std::int64_t left = round_shift(even + odd, kRowShift);
    const std::int64_t right = round_shift(even - odd, kRowShift);
    if (!is_in_range(left) || !is_in_range(right)) return false;
    out[y][0] = to_sample(left);
    out[y][1] = to_sample(right);
  }
  return true;
}

}  // namespace imgproc::image::jpeg_dc
