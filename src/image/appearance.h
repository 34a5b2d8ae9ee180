#pragma once
#include "image/decode.h"
#include "image/small_picture.h"
#include "ports/image_engine.h"

namespace imgproc::image {

/// What a page shows until the picture is there, and what tells similar pictures: dominant colour,
/// BlurHash, ThumbHash, perceptual hash, of the first frame.
[[nodiscard]] base::Result<ports::Appearance> appearance_of(const BasePicture& base);

/// "#rrggbb": the mean of the opaque pixels in the fullest of 16 x 16 x 16 boxes of colour; empty
/// if the picture is transparent throughout.
[[nodiscard]] std::string dominant_color(const SmallPicture& picture);

}  // namespace imgproc::image
