#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace imgproc::image {

/// A small picture as placeholders and hashes read it: 8 bits a sample, red, green, blue, alpha,
/// not premultiplied, rows without padding. Borrowed.
struct SmallPicture {
  std::span<const std::uint8_t> rgba;
  unsigned width = 0;
  unsigned height = 0;

  [[nodiscard]] const std::uint8_t* at(unsigned x, unsigned y) const {
    return &rgba[(std::size_t{y} * width + x) * 4];
  }
};

/// The same, owning its pixels.
struct SmallCopy {
  std::vector<std::uint8_t> rgba;
  unsigned width = 0;
  unsigned height = 0;
  [[nodiscard]] SmallPicture view() const { return {rgba, width, height}; }
};

/// A picture of any size, 8 bits a sample: 1 band is grey, 3 are red, green and blue; 2 and 4 have
/// alpha, not premultiplied, behind that. Rows without padding. Borrowed.
struct Samples {
  std::span<const std::uint8_t> data;
  unsigned width = 0;
  unsigned height = 0;
  unsigned bands = 0;
};

/// Every pixel is the mean of its share of the picture, a box of whole pixels; what lets light
/// through counts less. One read of the picture and no threads, where a resize of libvips takes
/// milliseconds to begin. `width` and `height` are at least 1; where they are larger than the
/// picture's, its pixels are repeated.
[[nodiscard]] SmallCopy mean_of_boxes(const Samples& picture, unsigned width, unsigned height);

/// The same to at most `side` pixels a side, in the picture's proportions; never larger than it.
[[nodiscard]] SmallCopy mean_of_boxes_within(const Samples& picture, unsigned side);

}  // namespace imgproc::image
