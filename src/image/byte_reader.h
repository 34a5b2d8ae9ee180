#pragma once
// Bounded reads of numbers out of untrusted bytes: what lies outside reads as nullopt.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"

namespace imgproc::image {

enum class ByteOrder { big, little };

/// A view of untrusted bytes; borrowed. Offsets are 64 bits wide so that sums of 32-bit fields from
/// a file cannot wrap.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes, ByteOrder order = ByteOrder::big)
      : bytes_(bytes), order_(order) {}

  [[nodiscard]] std::uint64_t size() const { return bytes_.size(); }
  [[nodiscard]] bool has(std::uint64_t offset, std::uint64_t count) const {
    return offset <= bytes_.size() && count <= bytes_.size() - offset;
  }
  [[nodiscard]] std::optional<std::uint8_t> u8(std::uint64_t offset) const {
    if (!has(offset, 1)) return std::nullopt;
    return static_cast<std::uint8_t>(bytes_[offset]);
  }
  [[nodiscard]] std::optional<std::uint16_t> u16(std::uint64_t offset) const {
    if (!has(offset, 2)) return std::nullopt;
    return static_cast<std::uint16_t>(number(offset, 2));
  }
  [[nodiscard]] std::optional<std::uint32_t> u24(std::uint64_t offset) const {
    if (!has(offset, 3)) return std::nullopt;
    return static_cast<std::uint32_t>(number(offset, 3));
  }
  [[nodiscard]] std::optional<std::uint32_t> u32(std::uint64_t offset) const {
    if (!has(offset, 4)) return std::nullopt;
    return static_cast<std::uint32_t>(number(offset, 4));
  }
  [[nodiscard]] std::optional<std::uint64_t> u64(std::uint64_t offset) const {
    if (!has(offset, 8)) return std::nullopt;
    return number(offset, 8);
  }
  /// The bytes as text; shorter than `count` (or empty) where the input ends.
  [[nodiscard]] std::string_view text(std::uint64_t offset, std::uint64_t count) const {
    if (offset >= bytes_.size()) return {};
    return base::as_text(bytes_).substr(offset, count);
  }
  /// A part, cut to what is there.
  [[nodiscard]] std::span<const std::byte> part(std::uint64_t offset, std::uint64_t count) const {
    return base::as_bytes(text(offset, count));
  }

 private:
  [[nodiscard]] std::uint64_t number(std::uint64_t offset, unsigned count) const {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < count; ++i) {
      const unsigned at = order_ == ByteOrder::big ? i : count - 1 - i;
      value = value << 8 | static_cast<std::uint8_t>(bytes_[offset + at]);
    }
    return value;
  }

  std::span<const std::byte> bytes_;
  ByteOrder order_;
};

}  // namespace imgproc::image
