#include "image/decode.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "image/colour.h"
#include "image/jpeg_eighth.h"

namespace imgproc::image {
namespace {

/// vips_resize leaves at least this factor to its Lanczos kernel after the box shrink ("gap").
constexpr double kBoxShrinkGap = 2.0;

/// The smallest scale that libjpeg decodes to is an eighth.
constexpr int kJpegShrinkMax = 8;
/// What libjpeg shrinks it shrinks by boxes, which blurs and aliases more than the resize does. An
/// eighth and a quarter are therefore taken only where the resize still halves the picture, as
/// libvips' own thumbnails do; half is taken at once, since decoding whole costs twice as much.
struct JpegShrink {
  int factor;
  double shrink_min;
};
constexpr std::array kJpegShrinks{JpegShrink{kJpegShrinkMax, 16}, JpegShrink{4, 8},
                                  JpegShrink{2, 2}};

/// Loaders see the warnings of libjpeg as errors only at the strictest level; elsewhere warnings
/// are mostly about metadata and say nothing about the picture.
VipsFailOn fail_on(FileType type, Strictness strictness) {
  if (strictness == Strictness::lenient) return VIPS_FAIL_ON_NONE;
  return type == FileType::jpeg ? VIPS_FAIL_ON_WARNING : VIPS_FAIL_ON_ERROR;
}

bool can_animate(FileType type) {
  return type == FileType::gif || type == FileType::webp;
}

}  // namespace

double shrink_on_load(const Header& header, double shrink_max, bool all_frames) {
  if (header.type == FileType::jpeg) {
    for (const JpegShrink& shrink : kJpegShrinks)
      if (shrink_max >= shrink.shrink_min) return shrink.factor;
    return 1;
  }
  // libwebp scales whole pictures only; frames of an animation are drawn at full size.
  if (header.type == FileType::webp && !all_frames && header.frames == 1)
    return std::max(1.0, shrink_max);
  return 1;
}

base::Result<OpenImage> open_image(const Header& header, std::span<const std::byte> bytes,
                                   const OpenOptions& options) {
  // libvips takes a non-const pointer but only reads.
  void* data = const_cast<std::byte*>(bytes.data());
  const std::size_t size = bytes.size();
  const VipsFailOn fail = fail_on(header.type, options.strictness);
  OpenImage open;
  open.shrink = options.shrink;
  const bool animate = options.all_frames && can_animate(header.type);
  const int frames = animate ? -1 : 1;
  auto image = apply("open", [&](VipsImage** out) {
    switch (header.type) {
      case FileType::jpeg:
        return vips_jpegload_buffer(data, size, out, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                                    fail, "shrink", static_cast<int>(open.shrink), nullptr);
      case FileType::png:
        return vips_pngload_buffer(data, size, out, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                                   fail, nullptr);
      case FileType::webp:
        return vips_webpload_buffer(data, size, out, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                                    fail, "n", frames, "scale", 1.0 / open.shrink, nullptr);
      case FileType::gif:
        return vips_gifload_buffer(data, size, out, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                                   fail, "n", frames, nullptr);
      case FileType::tiff:
        return vips_tiffload_buffer(data, size, out, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                                    fail, nullptr);
      case FileType::avif:
        return vips_heifload_buffer(data, size, out, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                                    fail, nullptr);
      default:
        return -1;
    }
  });
  if (!image) return std::unexpected(std::move(image).error());
  open.image = std::move(*image);
  // A file that has failed once is libvips' alone, so that what becomes of it stays in one hand.
  if (header.type == FileType::jpeg && open.shrink == kJpegShrinkMax &&
      options.strictness == Strictness::strict) {
    if (ImagePtr own = read_jpeg_eighth(open.image, bytes)) open.image = std::move(own);
  }
  if (animate) {
    const int page_height = vips_image_get_page_height(open.image.get());
    open.frames = static_cast<std::uint32_t>(
        std::max(1, vips_image_get_height(open.image.get()) / std::max(1, page_height)));
  }
  return open;
}

namespace {

/// Shrinks while streaming; transparent pixels must not bleed, so alpha is premultiplied meanwhile.
base::Result<ImagePtr> box_shrink(ImagePtr image, int x_factor, int y_factor) {
  if (x_factor <= 1 && y_factor <= 1) return image;
  const VipsBandFormat format = vips_image_get_format(image.get());
  const bool alpha = has_alpha(image);
  if (alpha) {
    IMGPROC_TRY(image, apply("premultiply", [&](VipsImage** out) {
                  return vips_premultiply(image.get(), out, nullptr);
                }));
  }
  IMGPROC_TRY(image, apply("shrink", [&](VipsImage** out) {
                return vips_shrink(image.get(), out, x_factor, y_factor, "ceil", TRUE, nullptr);
              }));
  if (alpha) {
    IMGPROC_TRY(image, apply("unpremultiply", [&](VipsImage** out) {
                  return vips_unpremultiply(image.get(), out, nullptr);
                }));
    IMGPROC_TRY(image, apply("cast", [&](VipsImage** out) {
                  return vips_cast(image.get(), out, format, nullptr);
                }));
  }
  return image;
}

int whole_factor(std::uint32_t have, std::uint32_t need) {
  const double factor = static_cast<double>(have) / std::max(1u, need) / kBoxShrinkGap;
  return std::max(1, static_cast<int>(std::floor(factor)));
}

base::Result<ImagePtr> finish_frame(ImagePtr image, Size needed, int orientation) {
  const Size stored_need = oriented(needed, orientation);  // its own inverse
  // Before the call: arguments are evaluated in any order, and one of them is moved away.
  const int x_factor = whole_factor(width_of(image), stored_need.width);
  const int y_factor = whole_factor(height_of(image), stored_need.height);
  IMGPROC_TRY(image, box_shrink(std::move(image), x_factor, y_factor));
  IMGPROC_TRY(image, to_memory(image, "decode"));
  // Most pictures are ready here; a second copy would double their memory.
  if (orientation == 1 && is_display_colour(image)) return image;
  IMGPROC_TRY(image, to_display_colour(std::move(image)));
  if (orientation != 1) {
    IMGPROC_TRY(image, apply("orient", [&](VipsImage** out) {
                  return vips_autorot(image.get(), out, nullptr);
                }));
  }
  return to_memory(image, "colour");
}

}  // namespace

namespace {

base::Result<bool> shows_through(const ImagePtr& image) {
  if (!has_alpha(image)) return false;
  IMGPROC_TRY(const auto alpha, apply("alpha", [&](VipsImage** out) {
                return vips_extract_band(image.get(), out, vips_image_get_bands(image.get()) - 1,
                                         nullptr);
              }));
  double lowest = 0;
  if (vips_min(alpha.get(), &lowest, nullptr) != 0) return vips_failure("alpha");
  constexpr double kOpaque = 255;
  return lowest < kOpaque;
}

}  // namespace

base::Result<BasePicture> decode(const OpenImage& open, Size needed) {
  BasePicture base;
  const int orientation = vips_image_get_orientation(open.image.get());
  if (open.frames == 1) {
    ImagePtr image(open.image.get());
    g_object_ref(image.get());
    IMGPROC_TRY(auto frame, finish_frame(std::move(image), needed, orientation));
    base.frames.push_back(std::move(frame));
  } else {
    // Frames are cut out of the column in order, which keeps the reading sequential.
    const int page_height = vips_image_get_page_height(open.image.get());
    for (std::uint32_t i = 0; i < open.frames; ++i) {
      IMGPROC_TRY(auto frame, apply("frame", [&](VipsImage** out) {
                    return vips_crop(open.image.get(), out, 0, static_cast<int>(i) * page_height,
                                     vips_image_get_width(open.image.get()), page_height, nullptr);
                  }));
      IMGPROC_TRY(frame, finish_frame(std::move(frame), needed, orientation));
      base.frames.push_back(std::move(frame));
    }
    int* delays = nullptr;
    int count = 0;
    if (vips_image_get_typeof(open.image.get(), "delay") != 0 &&
        vips_image_get_array_int(open.image.get(), "delay", &delays, &count) == 0)
      base.delays_ms.assign(delays, delays + count);
    if (vips_image_get_typeof(open.image.get(), "loop") != 0)
      (void)vips_image_get_int(open.image.get(), "loop", &base.loop);
  }
  IMGPROC_TRY(base.is_transparent, shows_through(base.frames.front()));
  return base;
}

}  // namespace imgproc::image
