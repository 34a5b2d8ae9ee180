#pragma once
#include "image/decode.h"
#include "ports/image_engine.h"

namespace imgproc::image {

/// A rendition's pixels, ready for its encoder: frames below each other, with page height, delays
/// and loop set for an animation.
struct Picture {
  ImagePtr image;
  Size frame;
  std::uint32_t frames = 1;
};

/// A picture of `target` pixels that others can be rendered from in place of the base picture: its
/// frames in memory, all else as there.
[[nodiscard]] base::Result<BasePicture> resized_base(const BasePicture& base, Size target);

/// Resizes, cuts and pads the base picture as `spec` says; `source` is the full size as displayed,
/// which the layout is computed from. `format` is what will be written: without transparency there
/// (JPEG), the picture is flattened onto spec.background. The base picture is not changed.
[[nodiscard]] base::Result<Picture> render(const BasePicture& base, Size source,
                                           const ports::RenditionSpec& spec,
                                           ports::OutputFormat format);

}  // namespace imgproc::image
