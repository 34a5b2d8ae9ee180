#include "image/icc_name.h"

#include "base/bytes.h"
#include "image/byte_reader.h"

namespace imgproc::image {
namespace {

constexpr std::uint32_t kTagsMax = 100;
constexpr std::uint64_t kTagTable = 128;

std::string from_utf16(const ByteReader& reader, std::uint64_t at, std::uint64_t bytes) {
  std::string text;
  for (std::uint64_t i = 0; i + 1 < bytes && text.size() < kIccNameBytesMax; i += 2) {
    const auto unit = reader.u16(at + i);
    if (!unit || *unit == 0) break;
    if (*unit < 0x20 || (*unit >= 0xD800 && *unit <= 0xDFFF)) continue;
    if (*unit < 0x80) {
      text.push_back(static_cast<char>(*unit));
    } else if (*unit < 0x800) {
      text.push_back(static_cast<char>(0xC0 | *unit >> 6));
      text.push_back(static_cast<char>(0x80 | (*unit & 0x3F)));
    } else {
      text.push_back(static_cast<char>(0xE0 | *unit >> 12));
      text.push_back(static_cast<char>(0x80 | (*unit >> 6 & 0x3F)));
      text.push_back(static_cast<char>(0x80 | (*unit & 0x3F)));
    }
  }
  return text;
}

std::string from_ascii(std::string_view raw) {
  std::string text;
  for (const char c : raw.substr(0, kIccNameBytesMax)) {
    if (c == '\0') break;
    if (c >= 0x20 && c < 0x7F) text.push_back(c);
  }
  return text;
}

}  // namespace

std::string icc_name(std::span<const std::byte> profile) {
  if (profile.size() > kIccBytesMax) return {};
  const ByteReader reader(profile);
  const std::uint32_t tags = std::min(reader.u32(kTagTable).value_or(0), kTagsMax);
  for (std::uint32_t i = 0; i < tags; ++i) {
    const std::uint64_t entry = kTagTable + 4 + 12ull * i;
    if (reader.text(entry, 4) != "desc") continue;
    const std::uint64_t at = reader.u32(entry + 4).value_or(0);
    const std::string_view type = reader.text(at, 4);
    if (type == "desc") return from_ascii(reader.text(at + 12, reader.u32(at + 8).value_or(0)));
    if (type == "mluc" && reader.u32(at + 8).value_or(0) > 0)
      return from_utf16(reader, at + reader.u32(at + 24).value_or(0),
                        reader.u32(at + 20).value_or(0));
    return {};
  }
  return {};
}

}  // namespace imgproc::image
