#pragma once
// Where every pixel goes: pure functions over sizes, in display orientation.

#include <cstdint>

#include "ports/image_engine.h"

namespace imgproc::image {

struct Size {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  bool operator==(const Size&) const = default;
};

/// Resize the source to `resized`, cut out `cropped`, lay it on a canvas of `canvas`. Cropping and
/// canvas are never both needed; where they are not, they equal the step before.
struct Layout {
  Size resized;
  Size cropped;
  Size canvas;
  bool operator==(const Layout&) const = default;
};

/// Lays a picture of `source` pixels out as `spec` asks, with the meaning that sharp and CSS
/// object-fit give the words. Without `enlarge` no axis is scaled up: cover then cuts to what is
/// there, fill stretches only the larger axes, contain keeps its box. Every side is at least 1.
[[nodiscard]] Layout lay_out(Size source, const ports::RenditionSpec& spec);

struct Point {
  std::uint32_t x = 0;
  std::uint32_t y = 0;
  bool operator==(const Point&) const = default;
};

/// Offset of an `inner` area within `outer` (both axes inner <= outer) at a fixed position; entropy
/// and attention, which depend on the pixels, count as centre here.
[[nodiscard]] Point place(Size outer, Size inner, ports::Position position);

/// The size as displayed: sides change places for orientations 5..8.
[[nodiscard]] Size oriented(Size stored, int orientation);

}  // namespace imgproc::image
