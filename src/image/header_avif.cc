// AVIF: ISO/IEC 14496-12 boxes and ISO/IEC 23008-12 item properties (meta > iprp > ipco > ispe).
#include "image/byte_reader.h"
#include "image/header.h"

namespace imgproc::image {
namespace {

constexpr int kBoxDepthMax = 8;
constexpr std::uint32_t kBoxesMax = 16384;

struct Walk {
  const ByteReader& reader;
  Header& header;
  std::uint32_t boxes = 0;

  void visit(std::uint64_t at, std::uint64_t end, int depth) {
    while (at + 8 <= end && ++boxes <= kBoxesMax) {
      std::uint64_t length = reader.u32(at).value_or(0);
      const std::string_view type = reader.text(at + 4, 4);
      std::uint64_t content = at + 8;
      if (length == 1) {
        length = reader.u64(at + 8).value_or(0);
        content = at + 16;
      } else if (length == 0) {
        length = end - at;
      }
      if (length < content - at || length > end - at) return;
      const std::uint64_t box_end = at + length;
      if (type == "ispe" && reader.has(content, 12)) {
        // Tiles of a grid have sizes of their own; the whole picture is the largest.
        header.width = std::max(header.width, *reader.u32(content + 4));
        header.height = std::max(header.height, *reader.u32(content + 8));
      } else if (depth < kBoxDepthMax) {
        if (type == "meta") visit(content + 4, box_end, depth + 1);  // a FullBox
        if (type == "iprp" || type == "ipco") visit(content, box_end, depth + 1);
      }
      at = box_end;
    }
  }
};

}  // namespace

base::Result<Header> read_avif_header(std::span<const std::byte> bytes) {
  const ByteReader reader(bytes);
  Header header;
  header.needs_whole_picture = true;
  Walk{reader, header}.visit(0, reader.size(), 0);
  if (header.width == 0)
    return base::permanent(ports::kCorruptImage, "the AVIF declares no picture size");
  return header;
}

}  // namespace imgproc::image
