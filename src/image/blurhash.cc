#include "image/blurhash.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string_view>
#include <vector>

namespace imgproc::image {
namespace {

constexpr unsigned kLongSideComponents = 4;
constexpr unsigned kShortSideComponents = 3;
constexpr std::string_view kDigits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~";
constexpr double kMaximumSteps = 166;
constexpr int kMaximumQuantised = 82;
/// An AC channel is one of 19 steps, 9 of them on either side of zero.
constexpr double kAcHalfSteps = 9;
constexpr int kAcSteps = 19;

using Colour = std::array<double, 3>;

void append_digits(std::string& text, int value, int length) {
  const auto base = static_cast<int>(kDigits.size());
  std::string digits(static_cast<std::size_t>(length), '0');
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, value /= base)
    *digit = kDigits[static_cast<std::size_t>(value % base)];
  text += digits;
}

double to_linear(int srgb) {
  const double value = srgb / 255.0;
  return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
}

int to_srgb(double linear) {
  const double value = std::clamp(linear, 0.0, 1.0);
  const double curve =
      value <= 0.0031308 ? value * 12.92 : 1.055 * std::pow(value, 1 / 2.4) - 0.055;
  return static_cast<int>(curve * 255 + 0.5);
}

/// Light of each pixel, on white where it shows through.
std::vector<Colour> linear_light(const SmallPicture& picture) {
  std::array<double, 256> table{};
  for (int i = 0; i < 256; ++i) table[static_cast<std::size_t>(i)] = to_linear(i);
  std::vector<Colour> light;
  light.reserve(picture.rgba.size() / 4);
  for (std::size_t i = 0; i + 3 < picture.rgba.size(); i += 4) {
    const unsigned alpha = picture.rgba[i + 3];
    Colour& colour = light.emplace_back();
    for (std::size_t c = 0; c < 3; ++c)
      colour[c] = table[(picture.rgba[i + c] * alpha + 255 * (255 - alpha) + 127) / 255];
  }
  return light;
}

/// cos(pi * component * position / length) for each position.
std::vector<double> cosines(unsigned component, unsigned length) {
  std::vector<double> wave(length);
  for (unsigned i = 0; i < length; ++i)
    wave[i] = std::cos(std::numbers::pi * component * i / length);
  return wave;
}

Colour component(const std::vector<Colour>& light, const SmallPicture& picture, unsigned cx,
                 unsigned cy) {
  const auto along_x = cosines(cx, picture.width);
  const auto along_y = cosines(cy, picture.height);
  Colour sum{};
  for (unsigned y = 0; y < picture.height; ++y)
    for (unsigned x = 0; x < picture.width; ++x) {
      const double basis = along_x[x] * along_y[y];
      const Colour& colour = light[std::size_t{y} * picture.width + x];
      for (std::size_t c = 0; c < 3; ++c) sum[c] += basis * colour[c];
    }
  const double scale = (cx == 0 && cy == 0 ? 1.0 : 2.0) / (picture.width * picture.height);
  for (double& channel : sum) channel *= scale;
  return sum;
}

int quantised(double value) {
  const double root = std::copysign(std::sqrt(std::abs(value)), value);
  return std::clamp(static_cast<int>(std::floor(root * kAcHalfSteps + kAcHalfSteps + 0.5)), 0,
                    kAcSteps - 1);
}

}  // namespace

std::string blurhash(const SmallPicture& picture) {
  const bool tall = picture.height > picture.width;
  const unsigned count_x = tall ? kShortSideComponents : kLongSideComponents;
  const unsigned count_y = tall ? kLongSideComponents : kShortSideComponents;
  const std::vector<Colour> light = linear_light(picture);
  std::vector<Colour> components;
  double largest = 0;
  for (unsigned cy = 0; cy < count_y; ++cy)
    for (unsigned cx = 0; cx < count_x; ++cx) {
      components.push_back(component(light, picture, cx, cy));
      if (components.size() == 1) continue;
      for (const double channel : components.back()) largest = std::max(largest, std::abs(channel));
    }
  const int maximum =
      std::clamp(static_cast<int>(std::floor(largest * kMaximumSteps - 0.5)), 0, kMaximumQuantised);
  const double unit = (maximum + 1) / kMaximumSteps;

  std::string hash;
  append_digits(hash, static_cast<int>(count_x - 1 + (count_y - 1) * 9), 1);
  append_digits(hash, maximum, 1);
  const Colour& average = components.front();
  append_digits(hash, to_srgb(average[0]) << 16 | to_srgb(average[1]) << 8 | to_srgb(average[2]),
                4);
  for (std::size_t i = 1; i < components.size(); ++i) {
    int value = 0;
    for (const double channel : components[i]) value = value * kAcSteps + quantised(channel / unit);
    append_digits(hash, value, 2);
  }
  return hash;
}

}  // namespace imgproc::image
