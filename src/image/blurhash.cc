#include "image/blurhash.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <vector>

#include "image/low_frequencies.h"

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

/// The light of each pixel by channel, on white where it shows through.
std::array<std::vector<double>, 3> linear_light(const SmallPicture& picture) {
  std::array<double, 256> table{};
  for (int i = 0; i < 256; ++i) table[static_cast<std::size_t>(i)] = to_linear(i);
  std::array<std::vector<double>, 3> light;
  for (std::size_t c = 0; c < 3; ++c) {
    light[c].reserve(picture.rgba.size() / 4);
    for (std::size_t i = 0; i + 3 < picture.rgba.size(); i += 4) {
      const unsigned alpha = picture.rgba[i + 3];
      light[c].push_back(table[(picture.rgba[i + c] * alpha + 255 * (255 - alpha) + 127) / 255]);
    }
  }
  return light;
}

/// The components, the average first.
std::vector<Colour> components_of(const SmallPicture& picture, unsigned count_x, unsigned count_y) {
  const auto light = linear_light(picture);
  std::vector<Colour> components(std::size_t{count_x} * count_y);
  const double pixels = picture.width * picture.height;
  for (std::size_t c = 0; c < 3; ++c) {
    const auto sums = low_frequencies(light[c], picture.width, picture.height, count_x, count_y,
                                      Crest::on_sample);
    for (std::size_t i = 0; i < sums.size(); ++i)
      components[i][c] = sums[i] * (i == 0 ? 1.0 : 2.0) / pixels;
  }
  return components;
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
  const std::vector<Colour> components = components_of(picture, count_x, count_y);
  double largest = 0;
  for (std::size_t i = 1; i < components.size(); ++i)
    for (const double channel : components[i]) largest = std::max(largest, std::abs(channel));
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
