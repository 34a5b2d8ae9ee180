#pragma once
// Baseline and extended sequential JPEG: every symbol must be read to find the next block, but AC
// symbols whose values nobody needs are passed over several at a time.

#include "image/jpeg_dc/samples.h"

namespace imgproc::image::jpeg_dc {

/// The samples of each component. Memory: 2 bytes a block and the samples; where two streams are
/// read (two_streams.h: in scans of no fewer bytes than given) also what they take. Errors:
/// kNotPlain.
[[nodiscard]] base::Result<std::array<Plane, kComponentsMax>> decode_sequential(
    const Structure& structure, std::size_t two_streams_bytes_min);

}  // namespace imgproc::image::jpeg_dc
