#pragma once
// Progressive JPEG: the scans of DC coefficients, and those of AC coefficients of the components
// that need them. All others are passed over.

#include "image/jpeg_dc/samples.h"

namespace imgproc::image::jpeg_dc {

/// The samples of each component. Memory: 2 bytes a block, and where a component has two samples a
/// side another 56 bytes a block of one such component at a time. Errors: kNotPlain.
[[nodiscard]] base::Result<std::array<Plane, kComponentsMax>> decode_progressive(
    const Structure& structure);

}  // namespace imgproc::image::jpeg_dc
