// PNG chunks: W3C PNG Specification (Third Edition), section 5.
#include "image/byte_reader.h"
#include "image/header.h"

namespace imgproc::image {

base::Result<Header> read_png_header(std::span<const std::byte> bytes) {
  const ByteReader reader(bytes);
  constexpr std::uint64_t kFirstChunk = 8;
  if (reader.text(kFirstChunk + 4, 4) != "IHDR" || !reader.has(kFirstChunk + 8, 13))
    return base::permanent(ports::kCorruptImage, "the PNG does not begin with an IHDR chunk");
  Header header;
  header.width = *reader.u32(kFirstChunk + 8);
  header.height = *reader.u32(kFirstChunk + 12);
  header.needs_whole_picture = *reader.u8(kFirstChunk + 20) != 0;
  // Animated PNGs count as one frame: only the default picture is ever decoded.
  return header;
}

}  // namespace imgproc::image
