#pragma once
// The entropy-coded bits of one scan: stuffing taken out a window ahead, read through a buffer of
// 64 bits.

#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

namespace imgproc::image::jpeg_dc {

/// A place in the window with the next bits at hand. Meant to be copied into registers for the work
/// on one MCU, and back.
struct Bits {
  std::uint64_t buffer = 0;  ///< The next bits, the first one on top.
  unsigned count = 0;        ///< How many of them `next` has passed; what is below is right too.
  const std::uint8_t* next = nullptr;

  static std::uint64_t load(const std::uint8_t* at) {
    std::uint64_t value = 0;
    std::memcpy(&value, at, sizeof value);
    if constexpr (std::endian::native == std::endian::little) value = __builtin_bswap64(value);
    return value;
  }
  /// Afterwards at least 56 bits are at hand.
  void refill() {
    buffer |= load(next) >> count;
    next += (63 - count) >> 3;
    count |= 56;
  }
  [[nodiscard]] std::uint32_t peek(unsigned bits) const {  // 1..32
    return static_cast<std::uint32_t>(buffer >> (64 - bits));
  }
  void skip(unsigned bits) {  // 0..63
    buffer <<= bits;
    count -= bits;
  }
  [[nodiscard]] unsigned take(unsigned bits) {  // 0..31
    const auto value = static_cast<unsigned>((buffer >> 1) >> (63 - bits));
    skip(bits);
    return value;
  }
  /// Undoes skip(bits), which must not have passed a refill; refills.
  void give_back(unsigned bits) {
    const unsigned unread = count + bits;
    const std::uint8_t* at = next - (unread + 7) / 8;
    const unsigned read = (8 - unread % 8) % 8;
    buffer = load(at) << read;
    count = 56 - read;
    next = at + 7;
    refill();
  }
};

class BitSource {
 public:
  /// `data` is a scan's, borrowed.
  explicit BitSource(std::span<const std::uint8_t> data);

  /// To be called before each MCU: afterwards the window holds all that an MCU can take, or all
  /// that is left before the next marker with zeros behind it.
  void ensure() {
    if (!at_marker_ && static_cast<std::size_t>(end_ - bits.next) < kMcuBytesMax) more();
  }
  /// More bits were taken than there were before the marker.
  [[nodiscard]] bool is_overdrawn() const { return at_marker_ && unread_bits() < 0; }
  /// All bits up to the next marker were taken but for the padding of the last byte.
  [[nodiscard]] bool is_used_up() const {
    return at_marker_ && unread_bits() >= 0 && unread_bits() < 8;
  }
  /// The same, and the data ends there.
  [[nodiscard]] bool is_finished() const { return is_used_up() && raw_ == raw_end_; }
  /// Goes on behind the restart marker of this number (0..7); false if it is not what comes next,
  /// or data is left before it.
  [[nodiscard]] bool restart(unsigned number);

  Bits bits;

 private:
  /// More than the 10 blocks of 64 codes of 16 bits with 15 bits of value that an MCU can have.
  static constexpr std::size_t kMcuBytesMax = 4096;
  static constexpr std::size_t kWindowBytes = 16384;
  /// Bits::give_back looks back this far, and Bits::load ahead.
  static constexpr std::size_t kLoadBytes = 8;

  void start();
  void more();
  [[nodiscard]] std::ptrdiff_t unread_bits() const {
    return (end_ - bits.next) * 8 + static_cast<std::ptrdiff_t>(bits.count);
  }

  const std::uint8_t* raw_;
  const std::uint8_t* raw_end_;
  std::unique_ptr<std::uint8_t[]> window_;
  std::uint8_t* end_ = nullptr;  ///< Of what is valid in the window.
  bool at_marker_ = false;
};

}  // namespace imgproc::image::jpeg_dc
