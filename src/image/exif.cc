#include "image/exif.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "base/bytes.h"
#include "image/byte_reader.h"

namespace imgproc::image {
namespace {

enum class Directory { main, exif };

struct TagRow {
  Directory directory;
  std::uint16_t tag;
  std::string_view name;
};

// Names as in CIPA DC-008 tables 4-8 and as exiftool and sharp write them.
constexpr std::array kTags{
    TagRow{Directory::main, 0x010F, "Make"},
    TagRow{Directory::main, 0x0110, "Model"},
    TagRow{Directory::main, 0x0131, "Software"},
    TagRow{Directory::main, 0x0132, "DateTime"},
    TagRow{Directory::main, 0x8298, "Copyright"},
    TagRow{Directory::exif, 0x829A, "ExposureTime"},
    TagRow{Directory::exif, 0x829D, "FNumber"},
    TagRow{Directory::exif, 0x8822, "ExposureProgram"},
    TagRow{Directory::exif, 0x8827, "PhotographicSensitivity"},
    TagRow{Directory::exif, 0x9003, "DateTimeOriginal"},
    TagRow{Directory::exif, 0x9004, "DateTimeDigitized"},
    TagRow{Directory::exif, 0x9010, "OffsetTime"},
    TagRow{Directory::exif, 0x9011, "OffsetTimeOriginal"},
    TagRow{Directory::exif, 0x9201, "ShutterSpeedValue"},
    TagRow{Directory::exif, 0x9202, "ApertureValue"},
    TagRow{Directory::exif, 0x9203, "BrightnessValue"},
    TagRow{Directory::exif, 0x9204, "ExposureBiasValue"},
    TagRow{Directory::exif, 0x9205, "MaxApertureValue"},
    TagRow{Directory::exif, 0x9206, "SubjectDistance"},
    TagRow{Directory::exif, 0x9207, "MeteringMode"},
    TagRow{Directory::exif, 0x9208, "LightSource"},
    TagRow{Directory::exif, 0x9209, "Flash"},
    TagRow{Directory::exif, 0x920A, "FocalLength"},
    TagRow{Directory::exif, 0xA001, "ColorSpace"},
    TagRow{Directory::exif, 0xA402, "ExposureMode"},
    TagRow{Directory::exif, 0xA403, "WhiteBalance"},
    TagRow{Directory::exif, 0xA404, "DigitalZoomRatio"},
    TagRow{Directory::exif, 0xA405, "FocalLengthIn35mmFilm"},
    TagRow{Directory::exif, 0xA406, "SceneCaptureType"},
    TagRow{Directory::exif, 0xA433, "LensMake"},
    TagRow{Directory::exif, 0xA434, "LensModel"},
};
constexpr std::uint16_t kExifDirectoryTag = 0x8769;

enum FieldType : std::uint16_t {
  kByte = 1,
  kAscii = 2,
  kShort = 3,
  kLong = 4,
  kRational = 5,
  kSignedShort = 8,
  kSignedLong = 9,
  kSignedRational = 10,
  kUtf8 = 129
};

std::uint64_t bytes_per_value(std::uint16_t type) {
  switch (type) {
    case kByte:
    case kAscii:
    case kUtf8:
      return 1;
    case kShort:
    case kSignedShort:
      return 2;
    case kLong:
    case kSignedLong:
      return 4;
    case kRational:
    case kSignedRational:
      return 8;
    default:
      return 0;
  }
}

/// Up to the first NUL, control characters removed; what is no UTF-8 is taken as Latin-1.
std::string clean_text(std::string_view raw) {
  raw = raw.substr(0, raw.find('\0'));
  std::string text;
  const bool utf8 = base::is_utf8(raw);
  std::size_t end = std::min(raw.size(), kExifTextBytesMax);
  const auto continues = [&](std::size_t at) {
    return at < raw.size() && (static_cast<unsigned char>(raw[at]) & 0xC0) == 0x80;
  };
  while (utf8 && end > 0 && continues(end)) --end;  // never through the middle of a character
  raw = raw.substr(0, end);
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) continue;
    if (utf8 || byte < 0x80) {
      text.push_back(c);
    } else {
      text.push_back(static_cast<char>(0xC0 | byte >> 6));
      text.push_back(static_cast<char>(0x80 | (byte & 0x3F)));
    }
  }
  return std::string(base::trim(text));
}

class Parser {
 public:
  Parser(const ByteReader& reader, Exif& exif) : reader_(reader), exif_(exif) {}

  /// Reads one directory; only the first one leads on to the Exif directory, so that no file can
  /// make a loop or a depth.
  void read(std::uint64_t offset, Directory directory) {
    const auto count = reader_.u16(offset);
    if (!count) return;
    std::uint64_t exif_directory = 0;
    for (int i = 0; i < *count && ++entries_ <= kExifEntriesMax; ++i) {
      const std::uint64_t entry = offset + 2 + 12ull * static_cast<unsigned>(i);
      if (!reader_.has(entry, 12)) break;
      const std::uint16_t tag = *reader_.u16(entry);
      if (tag == kExifDirectoryTag && directory == Directory::main)
        exif_directory = *reader_.u32(entry + 8);
      const auto row = std::ranges::find_if(kTags, [&](const TagRow& known) {
        return known.tag == tag && known.directory == directory;
      });
      if (row != kTags.end()) keep(row->name, entry);
    }
    if (exif_directory != 0) read(exif_directory, Directory::exif);
  }

 private:
  void keep(std::string_view name, std::uint64_t entry) {
    const std::uint16_t type = *reader_.u16(entry + 2);
    const std::uint64_t count = *reader_.u32(entry + 4);
    const std::uint64_t width = bytes_per_value(type);
    if (width == 0 || count == 0) return;
    const std::uint64_t at = width * count <= 4 ? entry + 8 : *reader_.u32(entry + 8);
    if (type == kAscii || type == kUtf8) {
      if (!reader_.has(at, 1)) return;
      std::string text = clean_text(reader_.text(at, count));
      if (!text.empty()) exif_.values.emplace(name, std::move(text));
      return;
    }
    if (!reader_.has(at, width)) return;
    if (const double value = number(type, at); std::isfinite(value))
      exif_.values.emplace(name, value);
  }

  [[nodiscard]] double number(std::uint16_t type, std::uint64_t at) const {
    const auto as_signed = [&](std::uint64_t where) {
      return static_cast<double>(static_cast<std::int32_t>(*reader_.u32(where)));
    };
    switch (type) {
      case kByte:
        return *reader_.u8(at);
      case kShort:
        return *reader_.u16(at);
      case kSignedShort:
        return static_cast<std::int16_t>(*reader_.u16(at));
      case kLong:
        return *reader_.u32(at);
      case kSignedLong:
        return as_signed(at);
      // A zero denominator gives infinity or NaN, which the caller drops.
      case kRational:
        return static_cast<double>(*reader_.u32(at)) / *reader_.u32(at + 4);
      case kSignedRational:
        return as_signed(at) / as_signed(at + 4);
      default:
        return std::nan("");
    }
  }

  const ByteReader& reader_;
  Exif& exif_;
  int entries_ = 0;
};

/// "2024:05:06 07:08:09" as "2024-05-06T07:08:09"; empty unless every field is in range.
std::string to_iso(std::string_view text) {
  if (text.size() < 19) return {};
  const auto field = [&](std::size_t at, std::size_t length) -> unsigned {
    return static_cast<unsigned>(base::parse_unsigned(text.substr(at, length)).value_or(9999));
  };
  const unsigned year = field(0, 4), month = field(5, 2), day = field(8, 2);
  const unsigned hour = field(11, 2), minute = field(14, 2), second = field(17, 2);
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(month), std::chrono::day(day)};
  if (year < 1800 || year > 9998 || !date.ok() || hour > 23 || minute > 59 || second > 60)
    return {};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", year, month, day, hour, minute, second);
}

bool is_offset(std::string_view text) {
  return text.size() == 6 && (text[0] == '+' || text[0] == '-') && text[3] == ':' &&
         base::parse_unsigned(text.substr(1, 2)).value_or(99) <= 14 &&
         base::parse_unsigned(text.substr(4, 2)).value_or(99) <= 59;
}

}  // namespace

Exif parse_exif(std::span<const std::byte> block) {
  Exif exif;
  if (base::as_text(block).starts_with(std::string_view("Exif\0\0", 6))) block = block.subspan(6);
  block = block.first(std::min(block.size(), kExifBytesMax));
  const std::string_view text = base::as_text(block);
  if (!text.starts_with("II") && !text.starts_with("MM")) return exif;
  const ByteReader reader(block, text.starts_with("II") ? ByteOrder::little : ByteOrder::big);
  if (reader.u16(2) != 42) return exif;
  Parser(reader, exif).read(reader.u32(4).value_or(0), Directory::main);

  const auto text_of = [&](std::string_view name) -> std::string {
    const auto found = exif.values.find(std::string(name));
    if (found == exif.values.end()) return {};
    const auto* value = std::get_if<std::string>(&found->second);
    return value != nullptr ? *value : std::string{};
  };
  exif.taken_at = to_iso(text_of("DateTimeOriginal"));
  if (const std::string offset = text_of("OffsetTimeOriginal");
      !exif.taken_at.empty() && is_offset(offset))
    exif.taken_at += offset;
  return exif;
}

}  // namespace imgproc::image
