#pragma once
// What the system's libjpeg-turbo makes of a JPEG at scale 1/8: the judge of image/jpeg_dc.

#include <cstdint>
#include <span>
#include <vector>

namespace imgproc::oracle {

struct Eighth {
  /// libjpeg found no error; the picture may be damaged nevertheless.
  bool is_decoded = false;
  long warnings = 0;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  unsigned bands = 0;
  std::vector<std::uint8_t> pixels;
};

/// Decodes to grey or RGB with libjpeg's defaults. Pictures of more than `pixels_max` at full size
/// count as not decoded. What libjpeg says of the data comes back as a count of warnings.
[[nodiscard]] Eighth decode_eighth(std::span<const std::byte> file,
                                   std::uint64_t pixels_max = std::uint64_t{1} << 29);

/// The same picture as a sequential file in which components of half the resolution both ways, or
/// less, have no AC coefficients. Empty where libjpeg finds an error. At most `pixels_max` pixels.
[[nodiscard]] std::vector<std::byte> with_flat_chroma(std::span<const std::byte> file,
                                                      std::uint64_t pixels_max = std::uint64_t{1}
                                                                                 << 29);

}  // namespace imgproc::oracle
