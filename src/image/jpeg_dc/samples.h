#pragma once
// From coefficients to samples, to the bit as libjpeg's reduced inverse transforms make them.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "image/jpeg_dc/structure.h"

namespace imgproc::image::jpeg_dc {

/// The samples of one component: `side` times `side` for each block, padding included.
struct Plane {
  std::size_t stride = 0;
  std::vector<std::uint8_t> samples;
};

[[nodiscard]] Plane make_plane(const Component& component);

/// One sample per block from its DC coefficient (jpeg_idct_1x1). False where a value is beyond what
/// an 8-bit picture has, for which libjpeg's versions differ.
[[nodiscard]] bool samples_of_dc(std::span<const std::int16_t> dc, std::uint16_t quantisation,
                                 Plane& plane);

/// Two by two samples per block (jpeg_idct_2x2). It looks at the rows and columns 0, 1, 3, 5, 7.
class HalfTransform {
 public:
  explicit HalfTransform(const std::array<std::uint16_t, kCoefficients>& quantisation);

  /// What a block's coefficients come to after the pass over its columns: the even part of each of
  /// the five columns, then the odd parts, then what is not needed.
  struct Sums {
    std::array<std::int64_t, 11> parts{};
    std::uint64_t wild = 0;  ///< Not zero once a value was beyond 16 bits.
  };
  /// Adds a coefficient, `place` in zigzag order.
  void add(Sums& sums, unsigned place, int value) const {
    const Weight& weight = weights_[place];
    const std::int64_t dequantised = std::int64_t{value} * weight.quantisation;
    sums.wild |= static_cast<std::uint64_t>(dequantised + 0x8000) & ~std::uint64_t{0xFFFF};
    sums.parts[weight.part] += dequantised * weight.factor;
  }
  /// Writes a block's samples; false as for samples_of_dc.
  [[nodiscard]] bool finish(const Sums& sums, std::uint8_t* upper, std::uint8_t* lower) const;
  /// The same for a block that has no coefficient but its DC one.
  [[nodiscard]] bool finish_flat(int dc, std::uint8_t* upper, std::uint8_t* lower) const;

 private:
  struct Weight {
    std::int32_t quantisation = 0;
    std::int32_t factor = 0;
    std::uint8_t part = 0;
  };
  std::array<Weight, kCoefficients> weights_;
};

/// Where the zigzag order's places lie in a block: row * 8 + column (T.81 figure 5).
extern const std::array<std::uint8_t, kCoefficients> kZigzag;

}  // namespace imgproc::image::jpeg_dc
