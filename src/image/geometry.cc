#include "image/geometry.h"

#include <algorithm>
#include <cmath>

namespace imgproc::image {

using ports::Fit;
using ports::Position;

namespace {

std::uint32_t scaled(std::uint32_t side, double scale) {
  return static_cast<std::uint32_t>(std::max(1.0, std::round(side * scale)));
}

}  // namespace

Layout lay_out(Size source, const ports::RenditionSpec& spec) {
  const auto same = [](Size size) { return Layout{size, size, size}; };
  if (spec.width == 0 && spec.height == 0) return same(source);

  const double x_scale = static_cast<double>(spec.width) / source.width;
  const double y_scale = static_cast<double>(spec.height) / source.height;
  const auto limited = [&](double scale) { return spec.enlarge ? scale : std::min(scale, 1.0); };
  const auto by = [&](double scale) {
    return Size{scaled(source.width, scale), scaled(source.height, scale)};
  };
  // One side given: the other follows; there is no box to fill, cut or pad.
  if (spec.width == 0 || spec.height == 0) {
    if (spec.fit == Fit::fill)
      return same({spec.width == 0 ? source.width : scaled(source.width, limited(x_scale)),
                   spec.height == 0 ? source.height : scaled(source.height, limited(y_scale))});
    return same(by(limited(spec.width != 0 ? x_scale : y_scale)));
  }

  const Size box{spec.width, spec.height};
  switch (spec.fit) {
    case Fit::inside:
      return same(by(limited(std::min(x_scale, y_scale))));
    case Fit::outside:
      return same(by(limited(std::max(x_scale, y_scale))));
    case Fit::fill:
      return same(
          {scaled(source.width, limited(x_scale)), scaled(source.height, limited(y_scale))});
    case Fit::cover: {
      const Size resized = by(limited(std::max(x_scale, y_scale)));
      const Size cropped{std::min(resized.width, box.width), std::min(resized.height, box.height)};
      return {resized, cropped, cropped};
    }
    case Fit::contain: {
      Size resized = by(limited(std::min(x_scale, y_scale)));
      resized = {std::min(resized.width, box.width), std::min(resized.height, box.height)};
      return {resized, resized, box};
    }
  }
  return same(source);
}

Point place(Size outer, Size inner, Position position) {
  const std::uint32_t x_space = outer.width - inner.width;
  const std::uint32_t y_space = outer.height - inner.height;
  Point point{x_space / 2, y_space / 2};
  switch (position) {
    case Position::left_top:
    case Position::left:
    case Position::left_bottom:
      point.x = 0;
      break;
    case Position::right_top:
    case Position::right:
    case Position::right_bottom:
      point.x = x_space;
      break;
    default:
      break;
  }
  switch (position) {
    case Position::left_top:
    case Position::top:
    case Position::right_top:
      point.y = 0;
      break;
    case Position::left_bottom:
    case Position::bottom:
    case Position::right_bottom:
      point.y = y_space;
      break;
    default:
      break;
  }
  return point;
}

Size oriented(Size stored, int orientation) {
  return orientation >= 5 ? Size{stored.height, stored.width} : stored;
}

}  // namespace imgproc::image
