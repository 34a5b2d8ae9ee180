#include "image/appearance.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "image/blurhash.h"
#include "image/perceptual_hash.h"
#include "image/thumbhash.h"

namespace imgproc::image {
namespace {

/// Enough for every hash, little enough to cost next to nothing.
constexpr int kSmallSidePixels = 64;
/// Pixels less opaque than this do not count as colour.
constexpr std::uint8_t kOpaqueAlphaMin = 128;

struct Pixels {
  std::vector<std::uint8_t> rgba;
  unsigned width = 0;
  unsigned height = 0;
  [[nodiscard]] SmallPicture view() const { return {rgba, width, height}; }
};

/// At most `width` x `height` pixels, exactly that with VIPS_SIZE_FORCE.
base::Result<Pixels> shrunk(const ImagePtr& frame, int width, int height, VipsSize size) {
  IMGPROC_TRY(ImagePtr image, apply("small", [&](VipsImage** out) {
                return vips_thumbnail_image(frame.get(), out, width, "height", height, "size", size,
                                            nullptr);
              }));
  IMGPROC_TRY(image, apply("small", [&](VipsImage** out) {
                return vips_colourspace(image.get(), out, VIPS_INTERPRETATION_sRGB, nullptr);
              }));
  if (!has_alpha(image)) {
    IMGPROC_TRY(image, apply("small", [&](VipsImage** out) {
                  return vips_bandjoin_const1(image.get(), out, 255.0, nullptr);
                }));
  }
  IMGPROC_TRY(image, apply("small", [&](VipsImage** out) {
                return vips_cast_uchar(image.get(), out, nullptr);
              }));
  IMGPROC_TRY(image, to_memory(image, "small"));
  Pixels pixels{.width = width_of(image), .height = height_of(image)};
  constexpr int kBands = 4;
  if (vips_image_get_bands(image.get()) != kBands)
    return base::permanent(ports::kCorruptImage, "the picture has no colours that can be shown");
  const auto* data = static_cast<const std::uint8_t*>(vips_image_get_data(image.get()));
  pixels.rgba.assign(data, data + std::size_t{pixels.width} * pixels.height * kBands);
  return pixels;
}

}  // namespace

std::string dominant_color(const SmallPicture& picture) {
  constexpr std::size_t kBoxes = 16 * 16 * 16;
  struct Box {
    unsigned count = 0;
    std::array<unsigned, 3> sum{};
  };
  std::vector<Box> boxes(kBoxes);
  for (std::size_t i = 0; i + 3 < picture.rgba.size(); i += 4) {
    const std::uint8_t* pixel = &picture.rgba[i];
    if (pixel[3] < kOpaqueAlphaMin) continue;
    Box& box = boxes[(pixel[0] >> 4) << 8 | (pixel[1] >> 4) << 4 | pixel[2] >> 4];
    ++box.count;
    for (std::size_t c = 0; c < 3; ++c) box.sum[c] += pixel[c];
  }
  const Box& fullest = *std::ranges::max_element(boxes, {}, &Box::count);
  if (fullest.count == 0) return {};
  const auto mean = [&](std::size_t c) {
    return (fullest.sum[c] + fullest.count / 2) / fullest.count;
  };
  return fmt::format("#{:02x}{:02x}{:02x}", mean(0), mean(1), mean(2));
}

base::Result<ports::Appearance> appearance_of(const BasePicture& base) {
  const ImagePtr& frame = base.frames.front();
  IMGPROC_TRY(const Pixels small,
              shrunk(frame, kSmallSidePixels, kSmallSidePixels, VIPS_SIZE_DOWN));
  constexpr int kSide = kPerceptualHashSide;
  IMGPROC_TRY(const Pixels square, shrunk(frame, kSide, kSide, VIPS_SIZE_FORCE));
  return ports::Appearance{.dominant_color = dominant_color(small.view()),
                           .blurhash = blurhash(small.view()),
                           .thumbhash = thumbhash(small.view()),
                           .phash = perceptual_hash(square.view())};
}

}  // namespace imgproc::image
