#pragma once
#include "image/vips.h"

namespace imgproc::image {

/// to_display_colour() would change nothing.
[[nodiscard]] bool is_display_colour(const ImagePtr& image);

/// 8-bit sRGB (3 bands) or grey (1 band), plus alpha where the picture has it. An embedded ICC
/// profile is honoured (Adobe RGB, Display P3, CMYK, grey ...); one that does not fit the picture
/// is ignored, as browsers do. CMYK without a profile is read with libvips' built-in one. Takes the
/// picture over.
[[nodiscard]] base::Result<ImagePtr> to_display_colour(ImagePtr image);

}  // namespace imgproc::image
