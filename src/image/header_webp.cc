// WebP container: RFC 9649 sections 2 and 3.4; VP8 frame header: RFC 6386 section 9.1.
#include "image/byte_reader.h"
#include "image/header.h"

namespace imgproc::image {
namespace {

constexpr std::uint8_t kAnimationFlag = 0x02;

}  // namespace

base::Result<Header> read_webp_header(std::span<const std::byte> bytes) {
  const ByteReader reader(bytes, ByteOrder::little);
  Header header;
  header.frames = 0;
  bool animated = false;
  std::uint64_t at = 12;
  while (header.frames < kFramesCountedMax) {
    const std::string_view fourcc = reader.text(at, 4);
    const auto length = reader.u32(at + 4);
    if (!length) break;
    const std::uint64_t data = at + 8;
    if (fourcc == "VP8X" && reader.has(data, 10)) {
      animated = (*reader.u8(data) & kAnimationFlag) != 0;
      header.width = *reader.u24(data + 4) + 1;
      header.height = *reader.u24(data + 7) + 1;
      // An animation's canvas is held whole.
      header.needs_whole_picture |= animated;
    } else if (fourcc == "ANMF") {
      ++header.frames;
    } else if (fourcc == "VP8 " && reader.has(data, 10)) {
      if (header.width == 0) {
        header.width = *reader.u16(data + 6) & 0x3FFF;
        header.height = *reader.u16(data + 8) & 0x3FFF;
      }
      if (!animated) header.frames = 1;
    } else if (fourcc == "VP8L" && reader.has(data, 5)) {
      if (header.width == 0) {
        const std::uint32_t bits = *reader.u32(data + 1);
        header.width = (bits & 0x3FFF) + 1;
        header.height = ((bits >> 14) & 0x3FFF) + 1;
      }
      header.needs_whole_picture = true;
      if (!animated) header.frames = 1;
    }
    at = data + *length + (*length & 1);
  }
  if (header.width == 0 || header.frames == 0)
    return base::permanent(ports::kCorruptImage, "the WebP holds no picture");
  return header;
}

}  // namespace imgproc::image
