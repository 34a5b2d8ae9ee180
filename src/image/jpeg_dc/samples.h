#pragma once
// From DC coefficients to samples, to the bit as libjpeg's reduced inverse transform makes them.

#include <array>
#include <cstdint>
#include <vector>

#include "image/jpeg_dc/structure.h"

namespace imgproc::image::jpeg_dc {

/// The DC coefficients of each component, one a block, padding included.
using DcPlanes = std::array<std::vector<std::int16_t>, kComponentsMax>;

/// All zero.
[[nodiscard]] DcPlanes make_dc_planes(const Structure& structure);

/// The samples of one component, one a block.
struct Plane {
  std::size_t stride = 0;
  std::vector<std::uint8_t> samples;
};

/// Makes the samples (jpeg_idct_1x1). Errors: kNotPlain where a value is beyond what an 8-bit
/// picture has, for which libjpeg's versions differ.
[[nodiscard]] base::Result<std::array<Plane, kComponentsMax>> samples_of_dc(
    const Structure& structure, const DcPlanes& dc);

}  // namespace imgproc::image::jpeg_dc
