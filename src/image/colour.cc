#include "image/colour.h"

namespace imgproc::image {
namespace {

constexpr double kMax16 = 65535.0;
constexpr double kMax8 = 255.0;

base::Result<ImagePtr> extract_bands(const ImagePtr& image, int first, int count) {
  return apply("bands", [&](VipsImage** out) {
    return vips_extract_band(image.get(), out, first, "n", count, nullptr);
  });
}

base::Result<ImagePtr> transform(const ImagePtr& image) {
  return apply("profile", [&](VipsImage** out) {
    return vips_icc_transform(
        image.get(), out, "srgb", "embedded", TRUE, "input_profile",
        vips_image_get_interpretation(image.get()) == VIPS_INTERPRETATION_CMYK ? "cmyk" : "srgb",
        "intent", VIPS_INTENT_PERCEPTUAL, "depth", 8, nullptr);
  });
}

base::Result<ImagePtr> to_8_bit(const ImagePtr& image) {
  return apply("cast", [&](VipsImage** out) {
    return vips_cast(image.get(), out, VIPS_FORMAT_UCHAR, nullptr);
  });
}

/// The alpha band, 0..255. What 16-bit pictures call opaque is 65535.
base::Result<ImagePtr> alpha_to_8_bit(ImagePtr alpha, double opaque) {
  if (vips_image_get_format(alpha.get()) != VIPS_FORMAT_UCHAR && opaque != kMax8) {
    IMGPROC_TRY(alpha, apply("alpha", [&](VipsImage** out) {
                  return vips_linear1(alpha.get(), out, kMax8 / opaque, 0.0, nullptr);
                }));
    IMGPROC_TRY(alpha, apply("alpha", [&](VipsImage** out) {
                  return vips_rint(alpha.get(), out, nullptr);
                }));
  }
  return to_8_bit(alpha);
}

base::Result<ImagePtr> colour_to_display(ImagePtr image) {
  const bool has_profile = vips_image_get_typeof(image.get(), VIPS_META_ICC_NAME) != 0;
  const VipsInterpretation space = vips_image_guess_interpretation(image.get());
  if (has_profile || space == VIPS_INTERPRETATION_CMYK) {
    auto transformed = transform(image);
    if (transformed) return transformed;
  }
  const bool grey = space == VIPS_INTERPRETATION_B_W || space == VIPS_INTERPRETATION_GREY16;
  auto converted = apply("colour", [&](VipsImage** out) {
    return vips_colourspace(image.get(), out,
                            grey ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB, nullptr);
  });
  if (!converted) return converted;
  return to_8_bit(*converted);
}

}  // namespace

bool is_display_colour(const ImagePtr& image) {
  const VipsInterpretation space = vips_image_get_interpretation(image.get());
  const int colours = vips_image_get_bands(image.get()) - (has_alpha(image) ? 1 : 0);
  return vips_image_get_format(image.get()) == VIPS_FORMAT_UCHAR &&
         ((space == VIPS_INTERPRETATION_sRGB && colours == 3) ||
          (space == VIPS_INTERPRETATION_B_W && colours == 1)) &&
         vips_image_get_typeof(image.get(), VIPS_META_ICC_NAME) == 0;
}

base::Result<ImagePtr> to_display_colour(ImagePtr image) {
  const int bands = vips_image_get_bands(image.get());
  if (!has_alpha(image)) {
    IMGPROC_TRY(image, colour_to_display(std::move(image)));
  } else {
    const bool is_16_bit = vips_image_get_format(image.get()) == VIPS_FORMAT_USHORT;
    IMGPROC_TRY(auto alpha, extract_bands(image, bands - 1, 1));
    IMGPROC_TRY(alpha, alpha_to_8_bit(std::move(alpha), is_16_bit ? kMax16 : kMax8));
    IMGPROC_TRY(auto colour, extract_bands(image, 0, bands - 1));
    IMGPROC_TRY(colour, colour_to_display(std::move(colour)));
    IMGPROC_TRY(image, apply("join", [&](VipsImage** out) {
                  return vips_bandjoin2(colour.get(), alpha.get(), out, nullptr);
                }));
  }
  return image;
}

}  // namespace imgproc::image
