#pragma once
// What kind of file is this? Told by content alone, through our own table of magic bytes: a key's
// extension, a Content-Type header and the loaders' own guesses never choose a decoder.

#include <cstdint>
#include <span>
#include <string_view>

namespace imgproc::image {

enum class FileType {
  // What can be decoded.
  jpeg,
  png,
  webp,
  gif,
  tiff,
  avif,
  // What is known and refused.
  heic,
  jxl,
  jp2,
  bmp,
  ico,
  svg,
  psd,
  pdf,
  postscript,
  mp4,
  zip,
  gzip,
  html,
  xml,
  text,
  empty,
  unknown
};

/// Bytes looked at: the whole decision is made within them.
inline constexpr std::size_t kSniffBytesMax = 4096;

/// The type of a whole file. Never fails: `unknown` (application/octet-stream) is an answer.
[[nodiscard]] FileType sniff(std::span<const std::byte> bytes);

/// Lower-case name for the record: "jpeg", "heic", "svg", "text" ...
[[nodiscard]] std::string_view name_of(FileType type);
/// IANA media type: "image/jpeg", "application/pdf", "text/plain" ...
[[nodiscard]] std::string_view media_type_of(FileType type);
/// True for the six types that have a loader.
[[nodiscard]] bool is_decodable(FileType type);

}  // namespace imgproc::image
