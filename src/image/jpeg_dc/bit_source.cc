#include "image/jpeg_dc/bit_source.h"

#include <algorithm>

namespace imgproc::image::jpeg_dc {

BitSource::BitSource(std::span<const std::uint8_t> data)
    : raw_(data.data()),
      raw_end_(data.data() + data.size()),
      window_(
          std::make_unique<std::uint8_t[]>(kLoadBytes + kWindowBytes + kMcuBytesMax + kLoadBytes)) {
  start();
}

void BitSource::start() {
  end_ = window_.get() + kLoadBytes;
  bits = {.buffer = 0, .count = 0, .next = end_};
  at_marker_ = false;
  more();
}

void BitSource::more() {
  std::uint8_t* const begin = window_.get() + kLoadBytes;
  const auto unread = static_cast<std::size_t>(end_ - bits.next);
  std::memmove(begin - kLoadBytes, bits.next - kLoadBytes, unread + kLoadBytes);
  bits.next = begin;
  std::uint8_t* to = begin + unread;
  std::uint8_t* const limit = begin + kWindowBytes;
  while (to < limit) {
    const auto room =
        static_cast<std::size_t>(std::min<std::ptrdiff_t>(limit - to, raw_end_ - raw_));
    if (room == 0) {
      at_marker_ = true;
      break;
    }
    const auto* marker = static_cast<const std::uint8_t*>(std::memchr(raw_, 0xFF, room));
    const std::size_t plain = marker != nullptr ? static_cast<std::size_t>(marker - raw_) : room;
    std::memcpy(to, raw_, plain);
    to += plain;
    raw_ += plain;
    if (marker == nullptr) continue;
    if (raw_end_ - raw_ < 2 || raw_[1] != 0) {
      at_marker_ = true;
      break;
    }
    *to++ = 0xFF;
    raw_ += 2;
  }
  end_ = to;
  if (at_marker_) std::memset(to, 0, kMcuBytesMax + kLoadBytes);
}

bool BitSource::restart(unsigned number) {
  constexpr unsigned kRst0 = 0xD0;
  if (!is_used_up()) return false;
  if (raw_end_ - raw_ < 2 || raw_[1] != kRst0 + number) return false;
  raw_ += 2;
  start();
  return true;
}

}  // namespace imgproc::image::jpeg_dc
