#include "image/small_picture.h"

#include <algorithm>
#include <array>

namespace imgproc::image {
namespace {

constexpr std::uint64_t kOpaque = 255;

struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// Share `i` of `count` in `length` pixels; never empty.
Range share(std::size_t i, std::size_t count, std::size_t length) {
  const std::size_t begin = i * length / count;
  return {begin, std::max(begin + 1, (i + 1) * length / count)};
}

bool has_alpha(const Samples& picture) {
  return picture.bands % 2 == 0;
}

/// Adds a row to the sums of its columns, colours multiplied by alpha where there is one.
void add_row(const Samples& picture, std::size_t y, std::vector<std::uint32_t>& columns) {
  const std::size_t bands = picture.bands;
  const std::uint8_t* const row = picture.data.data() + y * picture.width * bands;
  if (!has_alpha(picture)) {
    std::uint32_t* const sums = columns.data();
    const std::size_t count = columns.size();
    for (std::size_t i = 0; i < count; ++i) sums[i] += row[i];
    return;
  }
  for (std::size_t i = 0; i < columns.size(); i += bands) {
    const std::uint32_t alpha = row[i + bands - 1];
    for (std::size_t c = 0; c + 1 < bands; ++c) columns[i + c] += alpha * row[i + c];
    columns[i + bands - 1] += alpha;
  }
}

std::uint8_t mean(std::uint64_t sum, std::uint64_t weight) {
  return weight == 0 ? 0 : static_cast<std::uint8_t>((sum + weight / 2) / weight);
}

/// The pixel that the sums of a box come to.
std::array<std::uint8_t, 4> pixel_of(const std::array<std::uint64_t, 4>& sums,
                                     const Samples& picture, std::uint64_t pixels) {
  const std::size_t colours = picture.bands - (has_alpha(picture) ? 1 : 0);
  const std::uint64_t weight = has_alpha(picture) ? sums[colours] : pixels;
  std::array<std::uint8_t, 4> pixel{};
  for (std::size_t c = 0; c < 3; ++c) pixel[c] = mean(sums[colours == 1 ? 0 : c], weight);
  pixel[3] = static_cast<std::uint8_t>(has_alpha(picture) ? mean(weight, pixels) : kOpaque);
  return pixel;
}

}  // namespace

SmallCopy mean_of_boxes(const Samples& picture, unsigned width, unsigned height) {
  SmallCopy small{.rgba = {}, .width = width, .height = height};
  small.rgba.reserve(std::size_t{width} * height * 4);
  const std::size_t bands = picture.bands;
  std::vector<std::uint32_t> columns(picture.width * bands);
  for (unsigned y = 0; y < height; ++y) {
    std::ranges::fill(columns, 0);
    const Range rows = share(y, height, picture.height);
    for (std::size_t i = rows.begin; i < rows.end; ++i) add_row(picture, i, columns);
    for (unsigned x = 0; x < width; ++x) {
      const Range box = share(x, width, picture.width);
      std::array<std::uint64_t, 4> sums{};
      for (std::size_t i = box.begin * bands; i < box.end * bands; i += bands)
        for (std::size_t c = 0; c < bands; ++c) sums[c] += columns[i + c];
      const std::uint64_t pixels = (rows.end - rows.begin) * (box.end - box.begin);
      const auto pixel = pixel_of(sums, picture, pixels);
      small.rgba.insert(small.rgba.end(), pixel.begin(), pixel.end());
    }
  }
  return small;
}

SmallCopy mean_of_boxes_within(const Samples& picture, unsigned side) {
  const unsigned longest = std::max(picture.width, picture.height);
  if (longest <= side) return mean_of_boxes(picture, picture.width, picture.height);
  const auto scaled = [&](unsigned length) {
    const std::uint64_t rounded = (std::uint64_t{length} * side + longest / 2) / longest;
    return std::max(1U, static_cast<unsigned>(rounded));
  };
  return mean_of_boxes(picture, scaled(picture.width), scaled(picture.height));
}

}  // namespace imgproc::image
