#include "image/thumbhash.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "image/low_frequencies.h"

namespace imgproc::image {
namespace {

constexpr double kLuminanceWavesOpaque = 7;
constexpr double kLuminanceWavesTransparent = 5;
constexpr unsigned kColourWaves = 3;
constexpr unsigned kAlphaWaves = 5;

/// Luminance, yellow-blue, red-green, alpha; each 0..1 or -1..1.
using Channels = std::array<std::vector<double>, 4>;

struct Waves {
  double average = 0;
  double scale = 0;
  /// 0..1, relative to `scale`.
  std::vector<double> rest;
};

std::uint32_t rounded(double value) {
  return static_cast<std::uint32_t>(std::floor(value + 0.5));
}

/// What shows through is laid on the average colour.
Channels split(const SmallPicture& picture) {
  std::array<double, 4> sum{};
  for (std::size_t i = 0; i + 3 < picture.rgba.size(); i += 4) {
    const double alpha = picture.rgba[i + 3] / 255.0;
    for (std::size_t c = 0; c < 3; ++c) sum[c] += alpha / 255 * picture.rgba[i + c];
    sum[3] += alpha;
  }
  if (sum[3] > 0)
    for (std::size_t c = 0; c < 3; ++c) sum[c] /= sum[3];
  Channels channels;
  for (std::size_t i = 0; i + 3 < picture.rgba.size(); i += 4) {
    const double alpha = picture.rgba[i + 3] / 255.0;
    std::array<double, 3> rgb{};
    for (std::size_t c = 0; c < 3; ++c)
      rgb[c] = sum[c] * (1 - alpha) + alpha / 255 * picture.rgba[i + c];
    channels[0].push_back((rgb[0] + rgb[1] + rgb[2]) / 3);
    channels[1].push_back((rgb[0] + rgb[1]) / 2 - rgb[2]);
    channels[2].push_back(rgb[0] - rgb[1]);
    channels[3].push_back(alpha);
  }
  return channels;
}

/// The triangle of low frequencies of one channel.
Waves transform(const std::vector<double>& channel, const SmallPicture& picture, unsigned waves_x,
                unsigned waves_y) {
  const auto sums = low_frequencies(channel, picture.width, picture.height, waves_x, waves_y,
                                    Crest::before_sample);
  const double pixels = picture.width * picture.height;
  Waves waves;
  waves.average = sums[0] / pixels;
  for (unsigned cy = 0; cy < waves_y; ++cy)
    for (unsigned cx = cy == 0 ? 1 : 0; cx * waves_y < waves_x * (waves_y - cy); ++cx) {
      waves.rest.push_back(sums[std::size_t{cy} * waves_x + cx] / pixels);
      waves.scale = std::max(waves.scale, std::abs(waves.rest.back()));
    }
  if (waves.scale > 0)
    for (double& value : waves.rest) value = 0.5 + 0.5 / waves.scale * value;
  return waves;
}

/// Values of four bits each, the first in the lower half of its byte.
class Nibbles {
 public:
  explicit Nibbles(std::string& bytes) : bytes_(bytes) {}
  void append(const std::vector<double>& values) {
    for (const double value : values) {
      const std::uint32_t bits = rounded(15 * value) & 15;
      if (half_)
        bytes_.back() = static_cast<char>(static_cast<std::uint8_t>(bytes_.back()) | bits << 4);
      else
        bytes_.push_back(static_cast<char>(bits));
      half_ = !half_;
    }
  }

 private:
  std::string& bytes_;
  bool half_ = false;
};

void append_little_endian(std::string& bytes, std::uint32_t value, int count) {
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}

}  // namespace

std::string thumbhash(const SmallPicture& picture) {
  const Channels channels = split(picture);
  const bool transparent = std::ranges::any_of(channels[3], [](double alpha) { return alpha < 1; });
  const double limit = transparent ? kLuminanceWavesTransparent : kLuminanceWavesOpaque;
  const double longest = std::max(picture.width, picture.height);
  const std::uint32_t waves_x = std::max(1u, rounded(limit * picture.width / longest));
  const std::uint32_t waves_y = std::max(1u, rounded(limit * picture.height / longest));
  const Waves luminance = transform(channels[0], picture, std::max(kColourWaves, waves_x),
                                    std::max(kColourWaves, waves_y));
  const Waves yellow = transform(channels[1], picture, kColourWaves, kColourWaves);
  const Waves red = transform(channels[2], picture, kColourWaves, kColourWaves);
  const bool landscape = picture.width > picture.height;

  std::string bytes;
  append_little_endian(bytes,
                       rounded(63 * luminance.average) |
                           rounded(31.5 + 31.5 * yellow.average) << 6 |
                           rounded(31.5 + 31.5 * red.average) << 12 |
                           rounded(31 * luminance.scale) << 18 | (transparent ? 1u : 0u) << 23,
                       3);
  append_little_endian(bytes,
                       (landscape ? waves_y : waves_x) | rounded(63 * yellow.scale) << 3 |
                           rounded(63 * red.scale) << 9 | (landscape ? 1u : 0u) << 15,
                       2);
  Waves alpha;
  if (transparent) {
    alpha = transform(channels[3], picture, kAlphaWaves, kAlphaWaves);
    append_little_endian(bytes, rounded(15 * alpha.average) | rounded(15 * alpha.scale) << 4, 1);
  }
  Nibbles nibbles(bytes);
  for (const auto* rest : {&luminance.rest, &yellow.rest, &red.rest, &std::as_const(alpha.rest)})
    nibbles.append(*rest);
  return base::to_base64(bytes);
}

}  // namespace imgproc::image
