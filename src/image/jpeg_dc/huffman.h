#pragma once
// Huffman codes (T.81 annex C) and the tables that read several symbols at a time.

#include <array>
#include <cstdint>
#include <optional>

#include "image/jpeg_dc/structure.h"

namespace imgproc::image::jpeg_dc {

inline constexpr unsigned kCodeBitsMax = 16;

/// One code: bits of the code and its symbol; no bits if there is no such code.
struct Symbol {
  std::uint8_t bits = 0;
  std::uint8_t value = 0;
  /// What the symbol says of an AC coefficient: zeros before it, bits of its value.
  [[nodiscard]] unsigned run() const { return value >> 4; }
  [[nodiscard]] unsigned size() const { return value & 15; }
  /// Of an AC symbol in a sequential scan: no value, and not the sixteen zeros of run 15.
  [[nodiscard]] bool is_end_of_block() const { return size() == 0 && run() != 15; }
};

class HuffmanCode {
 public:
  /// Nullopt where libjpeg refuses the table: codes that are no prefix code, or the code of all
  /// ones; for DC also sizes over 15; and where the file has not defined it.
  [[nodiscard]] static std::optional<HuffmanCode> make(const HuffmanSpec& spec, bool is_dc);

  /// The code that `next`, the next 16 bits, begins with.
  [[nodiscard]] Symbol find(std::uint32_t next) const {
    const Symbol quick = quick_[next >> (kCodeBitsMax - kQuickBits)];
    return quick.bits != 0 ? quick : find_long(next);
  }

 private:
  static constexpr unsigned kQuickBits = 10;
  [[nodiscard]] Symbol find_long(std::uint32_t next) const;

  std::array<Symbol, 1 << kQuickBits> quick_{};
  std::array<std::uint8_t, 256> symbols_{};
  /// By length: the first 16-bit value beyond the codes of that length, and what to add to a code
  /// for its symbol's place.
  std::array<std::uint32_t, kCodeBitsMax + 1> end_{};
  std::array<std::int32_t, kCodeBitsMax + 1> offset_{};
};

/// The signed value that `size` bits stand for (T.81 F.2.2.1, EXTEND).
[[nodiscard]] inline int extend(unsigned bits, unsigned size) {
  // The sign is as good as random, so it is no place for a branch.
  const int value = static_cast<int>(bits), end = 1 << size;
  return value - (value < end / 2 ? end - 1 : 0);
}

}  // namespace imgproc::image::jpeg_dc
