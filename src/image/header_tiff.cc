// TIFF 6.0 sections 2 and 8; BigTIFF as libtiff documents it.
#include <set>

#include "image/byte_reader.h"
#include "image/header.h"

namespace imgproc::image {
namespace {

constexpr std::uint16_t kImageWidth = 256;
constexpr std::uint16_t kImageLength = 257;
/// Entries looked at in one directory; the tags above stand first in a well-formed one.
constexpr std::uint64_t kEntriesMax = 4096;

struct Shape {
  std::uint64_t count_bytes, entry_bytes, offset_bytes, value_at;
};
constexpr Shape kClassic{2, 12, 4, 8};
constexpr Shape kBig{8, 20, 8, 12};

}  // namespace

base::Result<Header> read_tiff_header(std::span<const std::byte> bytes) {
  const ByteReader reader(
      bytes, base::as_text(bytes).starts_with("II") ? ByteOrder::little : ByteOrder::big);
  const bool big = reader.u16(2) == 43;
  const Shape& shape = big ? kBig : kClassic;
  const auto offset_at = [&](std::uint64_t at) -> std::optional<std::uint64_t> {
    if (big) return reader.u64(at);
    return reader.u32(at);
  };
  const auto entries_at = [&](std::uint64_t at) -> std::optional<std::uint64_t> {
    if (big) return reader.u64(at);
    return reader.u16(at);
  };

  Header header;
  header.frames = 0;
  std::set<std::uint64_t> seen;
  std::uint64_t directory = offset_at(big ? 8 : 4).value_or(0);
  while (directory != 0 && header.frames < kFramesCountedMax && seen.insert(directory).second) {
    const std::optional<std::uint64_t> count = entries_at(directory);
    if (!count) break;
    const std::uint64_t entries = directory + shape.count_bytes;
    if (!reader.has(entries, 0)) break;
    if (header.frames == 0) {
      for (std::uint64_t i = 0; i < std::min<std::uint64_t>(*count, kEntriesMax); ++i) {
        const std::uint64_t entry = entries + i * shape.entry_bytes;
        const auto tag = reader.u16(entry);
        const auto type = reader.u16(entry + 2);
        if (!tag || !type) break;
        if (*tag != kImageWidth && *tag != kImageLength) continue;
        constexpr std::uint16_t kShort = 3;
        const auto value = *type == kShort
                               ? std::optional<std::uint32_t>(reader.u16(entry + shape.value_at))
                               : reader.u32(entry + shape.value_at);
        (*tag == kImageWidth ? header.width : header.height) = value.value_or(0);
      }
    }
    ++header.frames;
    if (*count > reader.size() / shape.entry_bytes) break;
    directory = offset_at(entries + *count * shape.entry_bytes).value_or(0);
  }
  if (header.frames == 0)
    return base::permanent(ports::kCorruptImage, "the TIFF holds no image file directory");
  return header;
}

}  // namespace imgproc::image
