#include "image/sniff.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/bytes.h"
#include "image/byte_reader.h"

namespace imgproc::image {
namespace {

using namespace std::string_view_literals;

struct TypeRow {
  FileType type;
  std::string_view name;
  std::string_view media_type;
};

constexpr std::array kTypes{
    TypeRow{FileType::jpeg, "jpeg", "image/jpeg"},
    TypeRow{FileType::png, "png", "image/png"},
    TypeRow{FileType::webp, "webp", "image/webp"},
    TypeRow{FileType::gif, "gif", "image/gif"},
    TypeRow{FileType::tiff, "tiff", "image/tiff"},
    TypeRow{FileType::avif, "avif", "image/avif"},
    TypeRow{FileType::heic, "heic", "image/heic"},
    TypeRow{FileType::jxl, "jxl", "image/jxl"},
    TypeRow{FileType::jp2, "jp2", "image/jp2"},
    TypeRow{FileType::bmp, "bmp", "image/bmp"},
    TypeRow{FileType::ico, "ico", "image/vnd.microsoft.icon"},
    TypeRow{FileType::svg, "svg", "image/svg+xml"},
    TypeRow{FileType::psd, "psd", "image/vnd.adobe.photoshop"},
    TypeRow{FileType::pdf, "pdf", "application/pdf"},
    TypeRow{FileType::postscript, "postscript", "application/postscript"},
    TypeRow{FileType::mp4, "mp4", "video/mp4"},
    TypeRow{FileType::zip, "zip", "application/zip"},
    TypeRow{FileType::gzip, "gzip", "application/gzip"},
    TypeRow{FileType::html, "html", "text/html"},
    TypeRow{FileType::xml, "xml", "application/xml"},
    TypeRow{FileType::text, "text", "text/plain"},
    TypeRow{FileType::empty, "empty", "application/octet-stream"},
    TypeRow{FileType::unknown, "unknown", "application/octet-stream"},
};

struct MagicRow {
  FileType type;
  std::size_t offset;
  std::string_view magic;
};

// The first row that matches decides. Sources: the formats' own specifications, as listed in the
// WHATWG MIME Sniffing Standard where it has them.
constexpr std::array kMagics{
    MagicRow{FileType::jpeg, 0, "\xFF\xD8\xFF"sv},
    MagicRow{FileType::png, 0, "\x89PNG\r\n\x1A\n"sv},
    MagicRow{FileType::gif, 0, "GIF87a"sv},
    MagicRow{FileType::gif, 0, "GIF89a"sv},
    MagicRow{FileType::tiff, 0, "II*\0"sv},
    MagicRow{FileType::tiff, 0, "MM\0*"sv},
    MagicRow{FileType::tiff, 0, "II+\0"sv},  // BigTIFF
    MagicRow{FileType::tiff, 0, "MM\0+"sv},
    MagicRow{FileType::jxl, 0, "\xFF\x0A"sv},
    MagicRow{FileType::jxl, 0, "\0\0\0\x0CJXL \r\n\x87\n"sv},
    MagicRow{FileType::jp2, 0, "\0\0\0\x0CjP  \r\n\x87\n"sv},
    MagicRow{FileType::jp2, 0, "\xFF\x4F\xFF\x51"sv},
    MagicRow{FileType::ico, 0, "\0\0\1\0"sv},
    MagicRow{FileType::ico, 0, "\0\0\2\0"sv},
    MagicRow{FileType::psd, 0, "8BPS"sv},
    MagicRow{FileType::pdf, 0, "%PDF-"sv},
    MagicRow{FileType::postscript, 0, "%!PS"sv},
    MagicRow{FileType::zip, 0, "PK\3\4"sv},
    MagicRow{FileType::zip, 0, "PK\5\6"sv},
    MagicRow{FileType::gzip, 0, "\x1F\x8B"sv},
    MagicRow{FileType::bmp, 0, "BM"sv},
};

// ISO base media files: the brands of the ftyp box tell AVIF from HEIC from video.
FileType sniff_iso_media(const ByteReader& reader) {
  const std::uint64_t box_end = std::min<std::uint64_t>(reader.u32(0).value_or(0), kSniffBytesMax);
  const auto is_avif = [](std::string_view brand) { return brand == "avif" || brand == "avis"; };
  const auto is_heic = [](std::string_view brand) {
    return brand == "heic" || brand == "heix" || brand == "heim" || brand == "heis" ||
           brand == "hevc" || brand == "hevx" || brand == "hevm" || brand == "hevs";
  };
  const std::string_view major = reader.text(8, 4);
  if (is_avif(major)) return FileType::avif;
  if (is_heic(major)) return FileType::heic;
  const bool generic_image = major == "mif1" || major == "msf1" || major == "mif2";
  for (std::uint64_t at = 16; at + 4 <= box_end && reader.has(at, 4); at += 4) {
    const std::string_view brand = reader.text(at, 4);
    if (is_avif(brand)) return FileType::avif;
    if (is_heic(brand)) return FileType::heic;
  }
  return generic_image ? FileType::heic : FileType::mp4;
}

bool contains_tag(std::string_view lower, std::string_view tag) {
  return lower.find(tag) != std::string_view::npos;
}

FileType sniff_text(std::string_view head) {
  std::string_view text = head;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  // UTF-16 with a byte order mark: drop the zero bytes, which is enough to see ASCII markup.
  std::string narrowed;
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    for (const char c : text.substr(2))
      if (c != '\0') narrowed.push_back(c);
    text = narrowed;
  }
  const auto start = text.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos) return text.empty() ? FileType::unknown : FileType::text;
  const std::string lower = base::to_lower(text.substr(start));
  if (lower.starts_with('<')) {
    if (contains_tag(lower, "<svg") || contains_tag(lower, ":svg")) return FileType::svg;
    if (contains_tag(lower, "<html") || contains_tag(lower, "<!doctype html") ||
        contains_tag(lower, "<script") || contains_tag(lower, "<head") ||
        contains_tag(lower, "<body"))
      return FileType::html;
    if (lower.starts_with("<?xml") || lower.starts_with("<!")) return FileType::xml;
  }
  const bool binary = std::ranges::any_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != '\x1B';
  });
  return binary ? FileType::unknown : FileType::text;
}

}  // namespace

FileType sniff(std::span<const std::byte> bytes) {
  if (bytes.empty()) return FileType::empty;
  const auto head = bytes.first(std::min(bytes.size(), kSniffBytesMax));
  const std::string_view text = base::as_text(head);
  for (const MagicRow& row : kMagics)
    if (text.substr(std::min(row.offset, text.size())).starts_with(row.magic)) return row.type;
  if (text.starts_with("RIFF") && text.size() >= 12 && text.substr(8, 4) == "WEBP")
    return FileType::webp;
  const ByteReader reader(head);
  if (reader.text(4, 4) == "ftyp") return sniff_iso_media(reader);
  return sniff_text(text);
}

std::string_view name_of(FileType type) {
  for (const TypeRow& row : kTypes)
    if (row.type == type) return row.name;
  return "unknown";
}

std::string_view media_type_of(FileType type) {
  for (const TypeRow& row : kTypes)
    if (row.type == type) return row.media_type;
  return "application/octet-stream";
}

bool is_decodable(FileType type) {
  return type <= FileType::avif;
}

}  // namespace imgproc::image
