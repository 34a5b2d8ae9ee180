#include "image/perceptual_hash.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace imgproc::image {
namespace {

constexpr unsigned kSide = kPerceptualHashSide;
constexpr unsigned kFrequencies = 8;

/// Rec. 601 luma, on white where it shows through; 0..255.
double luminance(const std::uint8_t* rgba) {
  const double alpha = rgba[3] / 255.0;
  const double luma = 0.299 * rgba[0] + 0.587 * rgba[1] + 0.114 * rgba[2];
  return luma * alpha + 255 * (1 - alpha);
}

}  // namespace

std::string perceptual_hash(const SmallPicture& picture) {
  std::array<std::array<double, kSide>, kFrequencies> waves{};
  for (unsigned f = 0; f < kFrequencies; ++f)
    for (unsigned i = 0; i < kSide; ++i)
      waves[f][i] = std::cos(std::numbers::pi * f * (2 * i + 1) / (2 * kSide));

  // Rows first, then columns: only the lowest frequencies of each.
  std::array<std::array<double, kFrequencies>, kSide> rows{};
  for (unsigned y = 0; y < kSide; ++y)
    for (unsigned x = 0; x < kSide; ++x) {
      const double value = luminance(picture.at(x, y));
      for (unsigned f = 0; f < kFrequencies; ++f) rows[y][f] += value * waves[f][x];
    }
  std::array<double, kFrequencies * kFrequencies> coefficients{};
  for (unsigned fy = 0; fy < kFrequencies; ++fy)
    for (unsigned fx = 0; fx < kFrequencies; ++fx)
      for (unsigned y = 0; y < kSide; ++y)
        coefficients[fy * kFrequencies + fx] += rows[y][fx] * waves[fy][y];

  auto sorted = coefficients;
  std::ranges::sort(sorted);
  const double median = (sorted[sorted.size() / 2 - 1] + sorted[sorted.size() / 2]) / 2;
  std::uint64_t bits = 0;
  for (const double coefficient : coefficients) bits = bits << 1 | (coefficient > median ? 1 : 0);
  return fmt::format("{:016x}", bits);
}

}  // namespace imgproc::image
