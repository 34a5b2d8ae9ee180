#pragma once
// The pyramid that renditions share: a small one is made from a larger one that is resized already.

#include <optional>
#include <span>
#include <vector>

#include "image/geometry.h"

namespace imgproc::image {

/// Only what is at least this many times larger per axis serves as a start: what resampling has
/// taken from its finest detail is then beyond what the smaller picture can show.
inline constexpr std::uint32_t kStartGap = 2;

/// One rendition, by its index in the order of the image.
struct RenderStep {
  std::size_t rendition = 0;
  /// The rendition whose resized picture it starts from; none = the base picture.
  std::optional<std::size_t> from;
  /// A later step starts from this one's resized picture, so it must be kept.
  bool kept = false;
  bool operator==(const RenderStep&) const = default;
};

/// Every rendition once, each after the one that it starts from. `source` is the picture's full
/// size as displayed.
[[nodiscard]] std::vector<RenderStep> render_order(
    Size source, std::span<const ports::RenditionSpec> renditions);

}  // namespace imgproc::image
