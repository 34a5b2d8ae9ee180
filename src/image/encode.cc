#include "image/encode.h"

#include <fmt/format.h>

namespace imgproc::image {
namespace {

using ports::OutputFormat;

// Longest side a format can hold.
constexpr std::uint32_t kJpegSideMax = 65500;  // libjpeg's JPEG_MAX_DIMENSION
constexpr std::uint32_t kWebpSideMax = 16383;
constexpr std::uint32_t kAvifSideMax = 16384;
constexpr std::uint32_t kGifSideMax = 65535;
constexpr std::uint32_t kPngSideMax = 1000000;

// libvips' own defaults, written down so that a new version cannot change our output unseen.
constexpr int kWebpEffort = 4;
constexpr int kAvifEffort = 4;
constexpr int kPngCompression = 6;
constexpr int kGifEffort = 7;

std::uint32_t side_max(OutputFormat format) {
  switch (format) {
    case OutputFormat::jpeg:
      return kJpegSideMax;
    case OutputFormat::webp:
      return kWebpSideMax;
    case OutputFormat::avif:
      return kAvifSideMax;
    case OutputFormat::gif:
      return kGifSideMax;
    default:
      return kPngSideMax;
  }
}

int effort_or(int effort, int fallback) {
  return effort < 0 ? fallback : effort;
}

}  // namespace

base::Result<EncodedFile> encode(const Picture& picture, const ports::RenditionSpec& spec,
                                 OutputFormat format) {
  const std::uint32_t longest = std::max(picture.frame.width, picture.frame.height);
  if (longest > side_max(format))
    return base::permanent(
        kEncodeFailed,
        fmt::format("{} x {} pixels do not fit into {}, whose sides end at {}", picture.frame.width,
                    picture.frame.height, ports::to_string(format), side_max(format)),
        "give the rendition a smaller width or height");
  void* data = nullptr;
  std::size_t size = 0;
  VipsImage* image = picture.image.get();
  const auto save = [&] {
    switch (format) {
      case OutputFormat::jpeg:
        return vips_jpegsave_buffer(image, &data, &size, "keep", VIPS_FOREIGN_KEEP_NONE, "Q",
                                    spec.quality, "optimize_coding", TRUE, "interlace",
                                    spec.progressive, nullptr);
      case OutputFormat::png:
        return vips_pngsave_buffer(image, &data, &size, "keep", VIPS_FOREIGN_KEEP_NONE,
                                   "compression", kPngCompression, "interlace", spec.progressive,
                                   nullptr);
      case OutputFormat::webp:
        return vips_webpsave_buffer(image, &data, &size, "keep", VIPS_FOREIGN_KEEP_NONE, "Q",
                                    spec.quality, "lossless", spec.lossless, "effort",
                                    effort_or(spec.effort, kWebpEffort), nullptr);
      case OutputFormat::avif:
        return vips_heifsave_buffer(image, &data, &size, "keep", VIPS_FOREIGN_KEEP_NONE, "Q",
                                    spec.quality, "lossless", spec.lossless, "effort",
                                    effort_or(spec.effort, kAvifEffort), "compression",
                                    VIPS_FOREIGN_HEIF_COMPRESSION_AV1, "bitdepth", 8, nullptr);
      case OutputFormat::gif:
        return vips_gifsave_buffer(image, &data, &size, "keep", VIPS_FOREIGN_KEEP_NONE, "effort",
                                   effort_or(spec.effort, kGifEffort), "interlace",
                                   spec.progressive, nullptr);
      case OutputFormat::automatic:
        break;
    }
    return -1;
  };
  if (save() != 0) {
    g_free(data);
    base::Error error = vips_failure("encode").error();
    if (error.code == ports::kCorruptImage) error.code = kEncodeFailed;
    return std::unexpected(std::move(error));
  }
  EncodedFile file;
  file.data.reset(data);
  file.size = size;
  return file;
}

}  // namespace imgproc::image
