#pragma once
// Baseline and extended sequential JPEG: every symbol must be read to find the next block, but AC
// symbols whose values nobody needs are passed over several at a time.

#include "image/jpeg_dc/samples.h"

namespace imgproc::image::jpeg_dc {

/// The samples of each component. Memory: 2 bytes a block and the samples. Errors: kNotPlain.
[[nodiscard]] base::Result<std::array<Plane, kComponentsMax>> decode_sequential(
    const Structure& structure);

}  // namespace imgproc::image::jpeg_dc
