// JPEG markers: ITU-T T.81 annex B.
#include "image/byte_reader.h"
#include "image/header.h"

namespace imgproc::image {
namespace {

constexpr std::uint8_t kSos = 0xDA;
constexpr std::uint8_t kEoi = 0xD9;

bool is_frame_marker(std::uint8_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}
bool is_progressive(std::uint8_t marker) {
  return marker == 0xC2 || marker == 0xC6 || marker == 0xCA || marker == 0xCE;
}
/// Markers that stand alone, without a length.
bool is_standalone(std::uint8_t marker) {
  return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8);
}

}  // namespace

base::Result<Header> read_jpeg_header(std::span<const std::byte> bytes) {
  const ByteReader reader(bytes);
  const std::string_view text = base::as_text(bytes);
  Header header;
  header.scans = 0;
  std::uint64_t at = 2;
  while (header.scans < kScansCountedMax) {
    // Entropy-coded data and padding hold no FF but FF00 (a stuffed byte) and restart markers.
    at = text.find('\xFF', at);
    if (at == std::string_view::npos) break;
    const auto marker = reader.u8(at + 1);
    if (!marker) break;
    if (*marker == 0xFF) {
      ++at;
      continue;
    }
    at += 2;
    if (*marker == 0x00 || is_standalone(*marker)) continue;
    if (*marker == kEoi) {
      if (header.width != 0) break;  // a second picture in the file is not ours
      continue;
    }
    const auto length = reader.u16(at);
    if (!length) break;
    if (is_frame_marker(*marker) && header.width == 0) {
      header.height = reader.u16(at + 3).value_or(0);
      header.width = reader.u16(at + 5).value_or(0);
      header.needs_whole_picture = is_progressive(*marker);
      if (header.width == 0 || header.height == 0)
        return base::permanent(ports::kCorruptImage, "the JPEG frame header declares no pixels");
    }
    if (*marker == kSos) ++header.scans;
    at += std::max<std::uint16_t>(*length, 2);
  }
  if (header.width == 0)
    return base::permanent(ports::kCorruptImage, "the JPEG has no frame header");
  if (header.scans == 0)
    return base::permanent(ports::kCorruptImage, "the JPEG ends before its picture data");
  // A sequential file has one scan per component at most; several interleave nothing and make
  // libjpeg hold the whole picture, as a progressive file does.
  if (header.scans > 1) header.needs_whole_picture = true;
  return header;
}

}  // namespace imgproc::image
