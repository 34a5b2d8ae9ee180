// GIF89a specification, sections 17-27 (blocks and sub-blocks).
#include "image/byte_reader.h"
#include "image/header.h"

namespace imgproc::image {
namespace {

constexpr std::uint8_t kExtension = 0x21;
constexpr std::uint8_t kImageDescriptor = 0x2C;
constexpr std::uint8_t kTrailer = 0x3B;

/// Bytes of a colour table, from the packed field that announces it.
std::uint64_t color_table_bytes(std::uint8_t packed) {
  return (packed & 0x80) != 0 ? std::uint64_t{3} << ((packed & 7) + 1) : 0;
}

/// Behind the last sub-block, or nullopt if the file ends before.
std::optional<std::uint64_t> skip_sub_blocks(const ByteReader& reader, std::uint64_t at) {
  while (true) {
    const auto length = reader.u8(at);
    if (!length) return std::nullopt;
    at += 1 + std::uint64_t{*length};
    if (*length == 0) return at;
  }
}

}  // namespace

base::Result<Header> read_gif_header(std::span<const std::byte> bytes) {
  const ByteReader reader(bytes, ByteOrder::little);
  if (!reader.has(0, 13))
    return base::permanent(ports::kCorruptImage, "the GIF ends within its header");
  Header header;
  header.frames = 0;
  std::uint32_t screen_width = *reader.u16(6);
  std::uint32_t screen_height = *reader.u16(8);
  std::uint64_t at = 13 + color_table_bytes(*reader.u8(10));
  while (header.frames < kFramesCountedMax) {
    const auto block = reader.u8(at);
    if (!block || *block == kTrailer) break;
    if (*block == kExtension) {
      const auto next = skip_sub_blocks(reader, at + 2);
      if (!next) break;
      at = *next;
    } else if (*block == kImageDescriptor) {
      if (!reader.has(at, 10)) break;
      // Decoders widen the canvas to the first frame where the screen descriptor is too small.
      if (header.frames == 0) {
        screen_width = std::max<std::uint32_t>(screen_width, *reader.u16(at + 5));
        screen_height = std::max<std::uint32_t>(screen_height, *reader.u16(at + 7));
      }
      ++header.frames;
      const auto next = skip_sub_blocks(reader, at + 11 + color_table_bytes(*reader.u8(at + 9)));
      if (!next) break;
      at = *next;
    } else {
      ++at;  // stray bytes between blocks
    }
  }
  if (header.frames == 0) return base::permanent(ports::kCorruptImage, "the GIF holds no picture");
  header.width = screen_width;
  header.height = screen_height;
  return header;
}

}  // namespace imgproc::image
