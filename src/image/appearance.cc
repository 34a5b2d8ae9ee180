#include "image/appearance.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "image/blurhash.h"
#include "image/perceptual_hash.h"
#include "image/small_picture.h"
#include "image/thumbhash.h"

namespace imgproc::image {
namespace {

/// Enough for every hash, little enough to cost next to nothing.
constexpr unsigned kSmallSidePixels = 32;
/// A picture larger than this is first brought down to the medium size, so that it is read only
/// once. A multiple of the small sides makes the boxes of most pictures equally large.
constexpr unsigned kLargeSidePixels = 1024;
constexpr unsigned kMediumSidePixels = 256;
/// Pixels less opaque than this do not count as colour.
constexpr std::uint8_t kOpaqueAlphaMin = 128;

base::Result<Samples> samples_of(const ImagePtr& frame) {
  const int bands = vips_image_get_bands(frame.get());
  if (bands < 1 || bands > 4 || vips_image_get_format(frame.get()) != VIPS_FORMAT_UCHAR)
    return base::permanent(ports::kCorruptImage, "the picture has no colours that can be shown");
  const auto* data = static_cast<const std::uint8_t*>(vips_image_get_data(frame.get()));
  if (data == nullptr) return vips_failure("small");
  const unsigned width = width_of(frame), height = height_of(frame);
  return Samples{.data = {data, std::size_t{width} * height * static_cast<unsigned>(bands)},
                 .width = width,
                 .height = height,
                 .bands = static_cast<unsigned>(bands)};
}

Samples samples_of(const SmallCopy& picture) {
  return {.data = picture.rgba, .width = picture.width, .height = picture.height, .bands = 4};
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
  IMGPROC_TRY(Samples picture, samples_of(base.frames.front()));
  SmallCopy medium;
  if (std::max(picture.width, picture.height) > kLargeSidePixels) {
    medium = mean_of_boxes_within(picture, kMediumSidePixels);
    picture = samples_of(medium);
  }
  const SmallCopy small = mean_of_boxes_within(picture, kSmallSidePixels);
  const SmallCopy square = mean_of_boxes(picture, kPerceptualHashSide, kPerceptualHashSide);
  return ports::Appearance{.dominant_color = dominant_color(small.view()),
                           .blurhash = blurhash(small.view()),
                           .thumbhash = thumbhash(small.view()),
                           .phash = perceptual_hash(square.view())};
}

}  // namespace imgproc::image
