#pragma once
#include <cstdint>
#include <span>

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

}  // namespace imgproc::image
