// A whole image through libvips, in one process: header, decode, resize, encode. Run over a
// collection of images under AddressSanitizer it also shows what leaks.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "image/process_image.h"
#include "require.h"

namespace {

using namespace imgproc;

ports::ImageOrder small_order() {
  ports::ImageOrder order;
  order.limits.max_pixels = 4'000'000;
  order.limits.max_frames = 16;
  ports::RenditionSpec thumbnail{.name = "thumbnail", .width = 64, .height = 64};
  ports::RenditionSpec avatar{.name = "avatar", .width = 48, .height = 48};
  avatar.fit = ports::Fit::cover;
  avatar.position = ports::Position::attention;
  avatar.format = ports::OutputFormat::webp;
  avatar.animated = true;
  order.renditions = {thumbnail, avatar};
  return order;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool ready = image::initialise("process_image_fuzz", nullptr).has_value();
  require(ready);
  static const ports::ImageOrder order = small_order();
  std::deque<std::vector<std::byte>> outputs;
  const auto result = image::process_image(
      {reinterpret_cast<const std::byte*>(data), size}, order,
      [&](std::size_t bytes) { return std::span<std::byte>(outputs.emplace_back(bytes)); });
  require(result.has_value());
  if (result->error) {
    require(result->renditions.empty() && !result->error->code.empty());
    return 0;
  }
  require(result->renditions.size() == order.renditions.size());
  for (const auto& rendition : result->renditions)
    require(rendition.error.has_value() || !rendition.bytes.empty());
  return 0;
}
