#pragma once
// What a file's header declares, read by our own bounded walkers before any decoder sees the bytes,
// and the limits that are checked against it.

#include <cstdint>
#include <span>

#include "base/error.h"
#include "image/sniff.h"
#include "ports/image_engine.h"

namespace imgproc::image {

struct Header {
  FileType type = FileType::unknown;
  /// As stored, before any orientation.
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  /// Frames or pages; counting stops at kFramesCountedMax.
  std::uint32_t frames = 1;
  /// JPEG scans; 1 elsewhere.
  std::uint32_t scans = 1;
  /// The decoder must hold the whole picture at full size: progressive JPEG, interlaced PNG,
  /// lossless WebP, AVIF. Shrink-on-load then saves no memory, and max_pixels counts the full size.
  bool needs_whole_picture = false;
  /// Fewer bytes than this cannot hold the declared picture at the format's best compression (PNG).
  std::uint64_t file_bytes_min = 0;
};

/// Walkers stop counting here; any sane limit is far below.
inline constexpr std::uint32_t kFramesCountedMax = 65536;
inline constexpr std::uint32_t kScansCountedMax = 4096;

/// Reads the header of a file of a decodable type. Costs time in proportion to the number of
/// segments, chunks or boxes, never to the pixels. Errors: CORRUPT_IMAGE where no size is found.
[[nodiscard]] base::Result<Header> read_header(FileType type, std::span<const std::byte> bytes);

// One walker per format; each in its own file, with the source of the format named there.
[[nodiscard]] base::Result<Header> read_jpeg_header(std::span<const std::byte> bytes);
[[nodiscard]] base::Result<Header> read_png_header(std::span<const std::byte> bytes);
[[nodiscard]] base::Result<Header> read_gif_header(std::span<const std::byte> bytes);
[[nodiscard]] base::Result<Header> read_webp_header(std::span<const std::byte> bytes);
[[nodiscard]] base::Result<Header> read_tiff_header(std::span<const std::byte> bytes);
[[nodiscard]] base::Result<Header> read_avif_header(std::span<const std::byte> bytes);

/// Bounds that need no knowledge of the renditions: TOO_MANY_PIXELS (one declared frame against
/// max_source_pixels), TOO_MANY_SCANS.
[[nodiscard]] base::Status check_declared(const Header& header, const ports::ImageLimits& limits);

/// CORRUPT_IMAGE for a file cut off so early that most of its picture must be missing: a few bytes
/// that claim many megapixels would cost the time of a large picture and show nothing.
[[nodiscard]] base::Status check_plausible(const Header& header, std::uint64_t file_bytes);

/// Loaders walk all frames of a GIF or WebP cheaply even for a still; up to this many.
inline constexpr std::uint32_t kFramesPassedOverMax = 2048;

/// TOO_MANY_FRAMES. max_frames bounds the frames that are decoded, and always the pages of a TIFF,
/// whose loader visits every page; where a GIF or WebP gives only its first frame, the bound is
/// kFramesPassedOverMax (or max_frames, if that is more).
[[nodiscard]] base::Status check_frames(const Header& header, bool all_frames,
                                        const ports::ImageLimits& limits);

/// TOO_MANY_PIXELS if the pixels that must really be decoded pass max_pixels. `shrink` is the
/// shrink-on-load factor per axis (1 = none); `frames` how many frames will be decoded.
[[nodiscard]] base::Status check_decoded(const Header& header, double shrink, std::uint32_t frames,
                                         const ports::ImageLimits& limits);

}  // namespace imgproc::image
