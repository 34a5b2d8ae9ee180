#pragma once
// JPEG at an eighth of its size, from as few of its coefficients as that needs: the DC ones, and in
// sequential files some others of chroma at half resolution. The pixels are those of libjpeg-turbo
// at scale 1/8, to the bit, but that progressive files have chroma by its DC alone; what is not of
// the plain kind is left to it.

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
  /// Chroma has half the picture's resolution both ways and comes from its DC coefficients alone:
  /// these are what libjpeg-turbo would make of the file without chroma's AC coefficients
  /// (progressive files).
  bool chroma_is_flat = false;
};

/// Decodes a whole file. Refuses with kNotPlain (structure.h) whatever is odd, damaged or cut off;
/// of a progressive file, damage within scans that are not needed goes unseen. Costs no memory that
/// is out of proportion to the file's bytes.
[[nodiscard]] base::Result<Eighth> decode_eighth(std::span<const std::byte> file);

}  // namespace imgproc::image::jpeg_dc
