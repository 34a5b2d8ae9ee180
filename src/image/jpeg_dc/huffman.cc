#include "image/jpeg_dc/huffman.h"

#include <algorithm>

namespace imgproc::image::jpeg_dc {

std::optional<HuffmanCode> HuffmanCode::make(const HuffmanSpec& spec, bool is_dc) {
  if (spec.counts.size() != kCodeBitsMax) return std::nullopt;
  HuffmanCode code;
  std::uint32_t next = 0;
  std::size_t place = 0;
  for (unsigned bits = 1; bits <= kCodeBitsMax; ++bits) {
    code.offset_[bits] = static_cast<std::int32_t>(place) - static_cast<std::int32_t>(next);
    const unsigned count = spec.counts[bits - 1];
    if (next + count >= (1U << bits) && count != 0) return std::nullopt;
    for (unsigned i = 0; i < count; ++i, ++next, ++place) {
      const std::uint8_t value = spec.symbols[place];
      if (is_dc && value > 15) return std::nullopt;
      code.symbols_[place] = value;
      if (bits > kQuickBits) continue;
      const unsigned spare = kQuickBits - bits;
      std::fill_n(code.quick_.begin() + (next << spare), std::size_t{1} << spare,
                  Symbol{static_cast<std::uint8_t>(bits), value});
    }
    code.end_[bits] = next << (kCodeBitsMax - bits);
    next <<= 1;
  }
  return code;
}

Symbol HuffmanCode::find_long(std::uint32_t next) const {
  for (unsigned bits = kQuickBits + 1; bits <= kCodeBitsMax; ++bits) {
    if (next >= end_[bits]) continue;
    const auto place = offset_[bits] + static_cast<std::int32_t>(next >> (kCodeBitsMax - bits));
    return {static_cast<std::uint8_t>(bits), symbols_[static_cast<std::size_t>(place) & 255]};
  }
  return {};
}

}  // namespace imgproc::image::jpeg_dc
