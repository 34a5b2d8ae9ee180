#pragma once
// EXIF by an own bounded parser (CIPA DC-008-2023, TIFF 6.0 section 2).

#include <span>
#include <string>

#include "ports/image_engine.h"

namespace imgproc::image {

/// Only this much of a block is looked at; offsets beyond are ignored.
inline constexpr std::size_t kExifBytesMax = 64 * 1024;
/// Directory entries looked at in all.
inline constexpr int kExifEntriesMax = 1000;
/// A text value is cut here (bytes of UTF-8).
inline constexpr std::size_t kExifTextBytesMax = 512;

struct Exif {
  /// Chosen tags only (an allow-list): camera, lens, exposure, software, copyright. No location, no
  /// serial numbers, no owner or artist names, no maker notes, no free comments, no thumbnails.
  ports::ExifMap values;
  /// ISO 8601 of DateTimeOriginal, with OffsetTimeOriginal where recorded; empty if absent or bad.
  std::string taken_at;
};

/// Reads a TIFF-structured block, with or without the "Exif\0\0" before it; a whole TIFF file is
/// such a block. Never fails: what is damaged is left out.
[[nodiscard]] Exif parse_exif(std::span<const std::byte> block);

}  // namespace imgproc::image
