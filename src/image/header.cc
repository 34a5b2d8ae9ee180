#include "image/header.h"

#include <fmt/format.h>

namespace imgproc::image {

using ports::ImageLimits;

base::Result<Header> read_header(FileType type, std::span<const std::byte> bytes) {
  const auto walk = [&]() -> base::Result<Header> {
    switch (type) {
      case FileType::jpeg:
        return read_jpeg_header(bytes);
      case FileType::png:
        return read_png_header(bytes);
      case FileType::gif:
        return read_gif_header(bytes);
      case FileType::webp:
        return read_webp_header(bytes);
      case FileType::tiff:
        return read_tiff_header(bytes);
      case FileType::avif:
        return read_avif_header(bytes);
      default:
        return base::permanent(ports::kUnsupportedFormat, "the type has no decoder");
    }
  };
  auto header = walk();
  if (header) header->type = type;
  if (header && (header->width == 0 || header->height == 0))
    return base::permanent(ports::kCorruptImage, "the header declares a picture without pixels");
  return header;
}

base::Status check_declared(const Header& header, const ImageLimits& limits) {
  const std::uint64_t pixels = std::uint64_t{header.width} * header.height;
  if (pixels > limits.max_source_pixels)
    return base::permanent(
        ports::kTooManyPixels,
        fmt::format("the header declares {} x {} pixels, more than max_source_pixels {}",
                    header.width, header.height, limits.max_source_pixels),
        "upload a smaller picture or raise limits.max_source_pixels");
  if (header.scans > limits.max_scans)
    return base::permanent(
        ports::kTooManyScans,
        fmt::format("{} progressive scans, more than max_scans {}", header.scans, limits.max_scans),
        "save the JPEG anew or raise limits.max_scans");
  return {};
}

base::Status check_plausible(const Header& header, std::uint64_t file_bytes) {
  if (file_bytes >= header.file_bytes_min) return {};
  return base::permanent(ports::kCorruptImage,
                         fmt::format("{} bytes cannot hold the {} x {} pixels that they declare",
                                     file_bytes, header.width, header.height));
}

base::Status check_frames(const Header& header, bool all_frames, const ImageLimits& limits) {
  const bool still = !all_frames && (header.type == FileType::gif || header.type == FileType::webp);
  const std::uint32_t frames_max =
      still ? std::max(kFramesPassedOverMax, limits.max_frames) : limits.max_frames;
  if (header.frames <= frames_max) return {};
  return base::permanent(ports::kTooManyFrames,
                         fmt::format("{} frames, more than {}{}", header.frames,
                                     still ? "" : "max_frames ", frames_max),
                         "upload fewer frames or raise limits.max_frames");
}

base::Status check_decoded(const Header& header, double shrink, std::uint32_t frames,
                           const ImageLimits& limits) {
  double pixels = static_cast<double>(header.width) * header.height * frames;
  if (!header.needs_whole_picture) pixels /= shrink * shrink;
  if (pixels <= static_cast<double>(limits.max_pixels)) return {};
  return base::permanent(
      ports::kTooManyPixels,
      fmt::format("{} x {} pixels{} would have to be decoded, more than max_pixels {}",
                  header.width, header.height,
                  frames > 1 ? fmt::format(" in {} frames", frames) : std::string{},
                  limits.max_pixels),
      "upload a smaller picture or raise limits.max_pixels");
}

}  // namespace imgproc::image
