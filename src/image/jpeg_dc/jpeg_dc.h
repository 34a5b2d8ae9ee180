#pragma once
// JPEG at an eighth of its size, from the DC coefficients alone. The pixels are those of
// libjpeg-turbo at scale 1/8, to the bit, but for chroma of half resolution both ways, which
// libjpeg makes of some AC coefficients too; what is not of the plain kind is left to it.

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"

namespace imgproc::image::jpeg_dc {

struct Eighth {
  std::uint32_t width = 0;  ///< An eighth of the frame's, rounded up.
  std::uint32_t height = 0;
  unsigned bands = 0;                ///< 1 for grey, 3 for RGB.
  std::vector<std::uint8_t> pixels;  ///< Row by row, bands side by side.
  /// Scans were passed over, and whether they are sound is not known (progressive files).
  bool is_partial = false;
  /// Chroma has half the picture's resolution both ways: the pixels are what libjpeg-turbo would
  /// make of the file without chroma's AC coefficients.
  bool chroma_is_flat = false;
};

/// Scans of fewer bytes are not worth being read at two places at once (two_streams.h).
inline constexpr std::size_t kTwoStreamsBytesMin = 1 << 16;

/// Decodes a whole file. Refuses with kNotPlain (structure.h) whatever is odd, damaged or cut off;
/// of a progressive file, damage within scans that are not needed goes unseen. Costs no memory that
/// is out of proportion to the file's bytes. The pixels do not depend on `two_streams_bytes_min`.
[[nodiscard]] base::Result<Eighth> decode_eighth(
    std::span<const std::byte> file, std::size_t two_streams_bytes_min = kTwoStreamsBytesMin);

}  // namespace imgproc::image::jpeg_dc
