#include "image/render.h"

#include <array>
#include <optional>

namespace imgproc::image {
namespace {

using ports::Position;
using ports::RenditionSpec;

/// The colour as libvips wants it: as many numbers as the picture has bands.
struct Background {
  explicit Background(const ports::Color& color, int bands) {
    const double grey = (color.r + color.g + color.b) / 3.0;
    if (bands <= 2)
      values = {grey, static_cast<double>(color.alpha), 0, 0};
    else
      values = {static_cast<double>(color.r), static_cast<double>(color.g),
                static_cast<double>(color.b), static_cast<double>(color.alpha)};
    array = vips_array_double_new(values.data(), bands);
  }
  ~Background() { vips_area_unref(VIPS_AREA(array)); }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  std::array<double, 4> values{};
  VipsArrayDouble* array = nullptr;
};

bool is_grey(const ports::Color& color) {
  return color.r == color.g && color.g == color.b;
}

base::Result<ImagePtr> resize(ImagePtr image, Size target) {
  const double x_scale = static_cast<double>(target.width) / width_of(image);
  const double y_scale = static_cast<double>(target.height) / height_of(image);
  if (x_scale == 1 && y_scale == 1) return image;
  const bool alpha = has_alpha(image);
  if (alpha) {
    IMGPROC_TRY(image, apply("premultiply", [&](VipsImage** out) {
                  return vips_premultiply(image.get(), out, nullptr);
                }));
  }
  IMGPROC_TRY(image, apply("resize", [&](VipsImage** out) {
                return vips_resize(image.get(), out, x_scale, "vscale", y_scale, nullptr);
              }));
  if (alpha) {
    IMGPROC_TRY(image, apply("unpremultiply", [&](VipsImage** out) {
                  return vips_unpremultiply(image.get(), out, nullptr);
                }));
    IMGPROC_TRY(image, apply("cast", [&](VipsImage** out) {
                  return vips_cast(image.get(), out, VIPS_FORMAT_UCHAR, nullptr);
                }));
  }
  // vips_resize rounds by itself; where that is one pixel off, the exact size wins.
  const Size got{width_of(image), height_of(image)};
  if (got == target) return image;
  return apply("size", [&](VipsImage** out) {
    return vips_embed(image.get(), out, 0, 0, static_cast<int>(target.width),
                      static_cast<int>(target.height), "extend", VIPS_EXTEND_COPY, nullptr);
  });
}

/// Where the interesting part is, found on the first frame.
base::Result<Point> find_interesting(const ImagePtr& image, Size crop, Position position) {
  IMGPROC_TRY(auto found, apply("crop", [&](VipsImage** out) {
                return vips_smartcrop(image.get(), out, static_cast<int>(crop.width),
                                      static_cast<int>(crop.height), "interesting",
                                      position == Position::entropy ? VIPS_INTERESTING_ENTROPY
                                                                    : VIPS_INTERESTING_ATTENTION,
                                      nullptr);
              }));
  // extract_area leaves the offset in the image's own (negative) origin.
  return Point{static_cast<std::uint32_t>(std::max(0, -vips_image_get_xoffset(found.get()))),
               static_cast<std::uint32_t>(std::max(0, -vips_image_get_yoffset(found.get())))};
}

base::Result<ImagePtr> to_colour(ImagePtr image) {
  return apply("colour", [&](VipsImage** out) {
    return vips_colourspace(image.get(), out, VIPS_INTERPRETATION_sRGB, nullptr);
  });
}

base::Result<ImagePtr> pad(ImagePtr image, Size canvas, const RenditionSpec& spec) {
  const bool grey = vips_image_get_bands(image.get()) < 3;
  if (grey && !is_grey(spec.background)) {
    IMGPROC_TRY(image, to_colour(std::move(image)));
  }
  if (spec.background.alpha != 255 && !has_alpha(image)) {
    IMGPROC_TRY(image, apply("alpha", [&](VipsImage** out) {
                  return vips_addalpha(image.get(), out, nullptr);
                }));
  }
  const Point at = place(canvas, {width_of(image), height_of(image)}, spec.position);
  const Background background(spec.background, vips_image_get_bands(image.get()));
  return apply("contain", [&](VipsImage** out) {
    return vips_embed(image.get(), out, static_cast<int>(at.x), static_cast<int>(at.y),
                      static_cast<int>(canvas.width), static_cast<int>(canvas.height), "extend",
                      VIPS_EXTEND_BACKGROUND, "background", background.array, nullptr);
  });
}

base::Result<ImagePtr> flatten(ImagePtr image, const ports::Color& color) {
  if (!has_alpha(image)) return image;
  if (vips_image_get_bands(image.get()) == 2 && !is_grey(color)) {
    IMGPROC_TRY(image, to_colour(std::move(image)));
  }
  const Background background(color, vips_image_get_bands(image.get()) - 1);
  return apply("flatten", [&](VipsImage** out) {
    return vips_flatten(image.get(), out, "background", background.array, nullptr);
  });
}

bool keeps_frames(ports::OutputFormat format) {
  return format == ports::OutputFormat::webp || format == ports::OutputFormat::gif;
}

base::Result<ImagePtr> stack_frames(std::vector<ImagePtr>& frames, const BasePicture& base) {
  std::vector<VipsImage*> raw;
  for (const ImagePtr& frame : frames) raw.push_back(frame.get());
  IMGPROC_TRY(auto joined, apply("frames", [&](VipsImage** out) {
                return vips_arrayjoin(raw.data(), out, static_cast<int>(raw.size()), "across", 1,
                                      nullptr);
              }));
  // A copy of our own, since metadata may be written only to an image that nobody shares.
  IMGPROC_TRY(joined, apply("frames", [&](VipsImage** out) {
                return vips_copy(joined.get(), out, nullptr);
              }));
  vips_image_set_int(joined.get(), VIPS_META_PAGE_HEIGHT, static_cast<int>(height_of(frames[0])));
  vips_image_set_int(joined.get(), VIPS_META_N_PAGES, static_cast<int>(frames.size()));
  if (!base.delays_ms.empty())
    vips_image_set_array_int(joined.get(), "delay", base.delays_ms.data(),
                             static_cast<int>(base.delays_ms.size()));
  vips_image_set_int(joined.get(), "loop", base.loop);
  return joined;
}

}  // namespace

base::Result<BasePicture> resized_base(const BasePicture& base, Size target) {
  BasePicture smaller;
  smaller.delays_ms = base.delays_ms;
  smaller.loop = base.loop;
  smaller.is_transparent = base.is_transparent;
  for (const ImagePtr& frame : base.frames) {
    g_object_ref(frame.get());
    IMGPROC_TRY(auto image, resize(ImagePtr(frame.get()), target));
    IMGPROC_TRY(image, to_memory(image, "resize"));
    smaller.frames.push_back(std::move(image));
  }
  return smaller;
}

base::Result<Picture> render(const BasePicture& base, Size source, const RenditionSpec& spec,
                             ports::OutputFormat format) {
  const Layout layout = lay_out(source, spec);
  const std::size_t count = spec.animated && keeps_frames(format) ? base.frames.size() : 1;
  std::optional<Point> cut;
  std::vector<ImagePtr> frames;
  for (std::size_t i = 0; i < count; ++i) {
    g_object_ref(base.frames[i].get());
    ImagePtr image(base.frames[i].get());
    IMGPROC_TRY(image, resize(std::move(image), layout.resized));
    if (layout.cropped != layout.resized) {
      if (!cut && (spec.position == Position::entropy || spec.position == Position::attention)) {
        // Searching reads the pixels twice: once to look, once to cut.
        IMGPROC_TRY(image, to_memory(image, "resize"));
        IMGPROC_TRY(cut, find_interesting(image, layout.cropped, spec.position));
      }
      if (!cut) cut = place(layout.resized, layout.cropped, spec.position);
      IMGPROC_TRY(image, apply("crop", [&](VipsImage** out) {
                    return vips_crop(image.get(), out, static_cast<int>(cut->x),
                                     static_cast<int>(cut->y),
                                     static_cast<int>(layout.cropped.width),
                                     static_cast<int>(layout.cropped.height), nullptr);
                  }));
    }
    if (layout.canvas != layout.cropped) {
      IMGPROC_TRY(image, pad(std::move(image), layout.canvas, spec));
    }
    if (format == ports::OutputFormat::jpeg) {
      IMGPROC_TRY(image, flatten(std::move(image), spec.background));
    }
    frames.push_back(std::move(image));
  }
  Picture picture;
  picture.frame = layout.canvas;
  picture.frames = static_cast<std::uint32_t>(frames.size());
  if (frames.size() == 1) {
    picture.image = std::move(frames.front());
  } else {
    IMGPROC_TRY(picture.image, stack_frames(frames, base));
  }
  return picture;
}

}  // namespace imgproc::image
