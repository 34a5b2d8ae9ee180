#include "pipeline/media_type.h"

#include <array>
#include <utility>

#include "base/bytes.h"

namespace imgproc::pipeline {
namespace {

using Magic = std::pair<std::string_view, std::string_view>;
using namespace std::string_view_literals;

constexpr std::array kMagic{Magic{"\xff\xd8\xff"sv, "image/jpeg"},
                            Magic{"\x89PNG\r\n\x1a\n"sv, "image/png"},
                            Magic{"GIF87a"sv, "image/gif"},
                            Magic{"GIF89a"sv, "image/gif"},
                            Magic{"II*\0"sv, "image/tiff"},
                            Magic{"MM\0*"sv, "image/tiff"},
                            Magic{"II+\0"sv, "image/tiff"},
                            Magic{"MM\0+"sv, "image/tiff"},
                            Magic{"BM"sv, "image/bmp"},
                            Magic{"\0\0\1\0"sv, "image/vnd.microsoft.icon"},
                            Magic{"8BPS"sv, "image/vnd.adobe.photoshop"},
                            Magic{"\xff\x0a"sv, "image/jxl"},
                            Magic{"\0\0\0\x0cJXL \r\n\x87\n"sv, "image/jxl"},
                            Magic{"\0\0\0\x0cjP  \r\n\x87\n"sv, "image/jp2"},
                            Magic{"%PDF-"sv, "application/pdf"},
                            Magic{"<svg"sv, "image/svg+xml"}};

/// ISO base media: the brands of the ftyp box tell AVIF from HEIC and from video.
std::string_view of_brands(std::string_view bytes) {
  constexpr std::array kBrands{Magic{"avif", "image/avif"}, Magic{"avis", "image/avif"},
                               Magic{"heic", "image/heic"}, Magic{"heix", "image/heic"},
                               Magic{"hevc", "image/heic"}, Magic{"hevx", "image/heic"},
                               Magic{"heim", "image/heic"}, Magic{"heis", "image/heic"}};
  // The major brand, then (after the version) the compatible ones.
  for (std::size_t at = 8; at + 4 <= bytes.size(); at += at == 8 ? 8 : 4)
    for (const auto& [brand, type] : kBrands)
      if (bytes.substr(at, 4) == brand) return type;
  if (bytes.substr(8, 4) == "mif1" || bytes.substr(8, 4) == "msf1") return "image/heic";
  return "video/mp4";
}

}  // namespace

std::string_view media_type_of(std::span<const std::byte> first_bytes) {
  const std::string_view bytes = base::as_text(first_bytes).substr(0, kMediaTypeBytes);
  if (bytes.size() >= 12 && bytes.substr(4, 4) == "ftyp") return of_brands(bytes);
  if (bytes.starts_with("RIFF") && bytes.size() >= 12 && bytes.substr(8, 4) == "WEBP")
    return "image/webp";
  for (const auto& [magic, type] : kMagic)
    if (bytes.starts_with(magic)) return type;
  return "application/octet-stream";
}

bool media_type_matches(std::string_view type, std::string_view range) {
  if (range == "*/*") return true;
  if (range.ends_with("/*")) return type.starts_with(range.substr(0, range.size() - 1));
  return type == range;
}

}  // namespace imgproc::pipeline
