// PNG chunks: W3C PNG Specification (Third Edition), section 5.
#include "image/byte_reader.h"
#include "image/header.h"

namespace imgproc::image {
namespace {

/// Deflate (RFC 1951) turns one byte into 1032 at most: 258 bytes per 2 bits.
constexpr double kInflateRatioMax = 1032;

/// Samples per pixel by colour type; 0 for types that do not exist.
unsigned samples_of(std::uint8_t colour_type) {
  switch (colour_type) {
    case 0:
    case 3:
      return 1;
    case 2:
      return 3;
    case 4:
      return 2;
    case 6:
      return 4;
    default:
      return 0;
  }
}

}  // namespace

base::Result<Header> read_png_header(std::span<const std::byte> bytes) {
  const ByteReader reader(bytes);
  constexpr std::uint64_t kFirstChunk = 8;
  if (reader.text(kFirstChunk + 4, 4) != "IHDR" || !reader.has(kFirstChunk + 8, 13))
    return base::permanent(ports::kCorruptImage, "the PNG does not begin with an IHDR chunk");
  Header header;
  header.width = *reader.u32(kFirstChunk + 8);
  header.height = *reader.u32(kFirstChunk + 12);
  header.needs_whole_picture = *reader.u8(kFirstChunk + 20) != 0;
  const std::uint64_t bits_per_pixel =
      std::uint64_t{*reader.u8(kFirstChunk + 16)} * samples_of(*reader.u8(kFirstChunk + 17));
  const double pixel_bytes =
      static_cast<double>(header.width) * header.height * static_cast<double>(bits_per_pixel) / 8;
  header.file_bytes_min = static_cast<std::uint64_t>(pixel_bytes / kInflateRatioMax);
  // Animated PNGs count as one frame: only the default picture is ever decoded.
  return header;
}

}  // namespace imgproc::image
