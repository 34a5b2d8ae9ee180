#pragma once
// Progressive JPEG: the scans of DC coefficients. All others are passed over.

#include "image/jpeg_dc/samples.h"

namespace imgproc::image::jpeg_dc {

/// The samples of each component, one a block. Memory: 3 bytes a block. Errors: kNotPlain.
[[nodiscard]] base::Result<std::array<Plane, kComponentsMax>> decode_progressive(
    const Structure& structure);

}  // namespace imgproc::image::jpeg_dc
