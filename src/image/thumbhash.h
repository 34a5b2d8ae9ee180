#pragma once
#include <string>

#include "image/small_picture.h"

namespace imgproc::image {

/// ThumbHash, base64 (at most 33 bytes before): average colour, a few waves of luminance, colour
/// and alpha, and the ratio of the sides. Pictures of at most 100 pixels a side. Source: the
/// format's reference, evanw/thumbhash.
[[nodiscard]] std::string thumbhash(const SmallPicture& picture);

}  // namespace imgproc::image
