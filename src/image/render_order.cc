#include "image/render_order.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace imgproc::image {
namespace {

std::uint64_t area(Size size) {
  return std::uint64_t{size.width} * size.height;
}

bool can_start(Size larger, Size smaller) {
  return larger.width / kStartGap >= smaller.width && larger.height / kStartGap >= smaller.height;
}

}  // namespace

std::vector<RenderStep> render_order(Size source,
                                     std::span<const ports::RenditionSpec> renditions) {
  std::vector<Size> sizes;
  for (const auto& spec : renditions) sizes.push_back(lay_out(source, spec).resized);
  std::vector<std::size_t> largest_first(renditions.size());
  std::iota(largest_first.begin(), largest_first.end(), std::size_t{0});
  // Of equals the first; a stable sort would take a temporary buffer, which clang calls deprecated.
  std::ranges::sort(largest_first, {},
                    [&](std::size_t i) { return std::pair(~area(sizes[i]), i); });
  std::vector<RenderStep> steps;
  for (const std::size_t i : largest_first) {
    // The last that fits is the smallest.
    const auto start = std::find_if(steps.rbegin(), steps.rend(), [&](const RenderStep& step) {
      return can_start(sizes[step.rendition], sizes[i]);
    });
    RenderStep step{.rendition = i, .from = {}, .kept = false};
    if (start != steps.rend()) {
      start->kept = true;
      step.from = start->rendition;
    }
    steps.push_back(step);
  }
  return steps;
}

}  // namespace imgproc::image
