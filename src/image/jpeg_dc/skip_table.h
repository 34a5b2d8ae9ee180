#pragma once
// Tables that read several Huffman symbols of a sequential scan in one step.

#include <array>
#include <cstdint>

#include "image/jpeg_dc/huffman.h"

namespace imgproc::image::jpeg_dc {

/// What the next bits say. A step takes at most kStepBitsMax bits, so that two of them pass between
/// refills of the bit buffer.
struct Step {
  std::uint8_t bits = 0;
  /// Coefficients passed; kEndOfBlock is added at an end of block; kUnknown alone: the table cannot
  /// tell, a single symbol must be read.
  std::uint8_t advance = 0;
  /// The DC difference, or 0.
  std::int16_t value = 0;
};

inline constexpr unsigned kEndOfBlock = 128;
inline constexpr unsigned kUnknown = 64;
inline constexpr unsigned kStepBitsMax = 28;
inline constexpr unsigned kTableBits = 12;
using StepTable = std::array<Step, 1 << kTableBits>;

/// As many AC symbols as the bits hold whole codes of; the bits of their values are passed over.
class SkipTable {
 public:
  explicit SkipTable(const HuffmanCode& ac);
  /// What `bits` bits (0..kTableBits) of this value say.
  [[nodiscard]] const Step& of(std::uint32_t value, unsigned bits = kTableBits) const {
    return steps_[(1U << bits) + value];
  }

 private:
  /// For 0 bits, then for 1 bit, and so on: a longer string's begins with one symbol and goes on
  /// with a shorter one's.
  std::array<Step, 2 << kTableBits> steps_;
};

/// Steps of a DC difference, and the AC symbols after it.
void fill_dc_table(const HuffmanCode& dc, const SkipTable& ac, StepTable& table);

/// Steps of a DC difference alone.
void fill_difference_table(const HuffmanCode& dc, StepTable& table);

}  // namespace imgproc::image::jpeg_dc
