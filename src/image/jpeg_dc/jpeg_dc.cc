#include "image/jpeg_dc/jpeg_dc.h"

#include <algorithm>

#include "image/jpeg_dc/progressive.h"
#include "image/jpeg_dc/sequential.h"

namespace imgproc::image::jpeg_dc {
namespace {

using Planes = std::array<Plane, kComponentsMax>;

/// How many pixels of the eighth share one sample of a component.
struct Spread {
  unsigned x = 1;
  unsigned y = 1;
};

Spread spread_of(const Structure& structure, const Component& component) {
  return {structure.h_max / (component.h * 1U), structure.v_max / (component.v * 1U)};
}

/// One row of a component as wide as the picture, its samples repeated where it has fewer.
void fetch_row(const Plane& plane, Spread spread, std::uint32_t y, std::span<std::uint8_t> row) {
  const std::uint8_t* samples = plane.samples.data() + y / spread.y * plane.stride;
  if (spread.x == 1) {
    std::copy_n(samples, row.size(), row.data());
    return;
  }
  std::size_t x = 0;
  for (; x + spread.x <= row.size(); x += spread.x)
    std::fill_n(row.data() + x, spread.x, *samples++);
  for (; x < row.size(); ++x) row[x] = *samples;
}

/// JFIF's conversion in libjpeg's 16-bit fixed point (jdcolor.c), as far as it hangs on one sample
/// of chroma.
struct ChromaParts {
  std::array<int, 256> red_of_cr, green_of_cr, green_of_cb, blue_of_cb;
  /// 0..255 of what lies up to kBeyond outside of that: quicker than two comparisons.
  static constexpr int kBeyond = 256;
  std::array<std::uint8_t, 256 + 2 * kBeyond> clamped;
  [[nodiscard]] std::uint8_t clamp(int value) const {
    return clamped[static_cast<std::size_t>(value + kBeyond)];
  }
};

const ChromaParts& chroma_parts() {
  static const ChromaParts parts = [] {
    constexpr int kHalf = 1 << 15;
    ChromaParts made;
    for (int i = 0; i < 256; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const int chroma = i - 128;
      made.red_of_cr[at] = (91881 * chroma + kHalf) >> 16;
      made.green_of_cr[at] = -46802 * chroma + kHalf;
      made.green_of_cb[at] = -22554 * chroma;
      made.blue_of_cb[at] = (116130 * chroma + kHalf) >> 16;
    }
    for (std::size_t i = 0; i < made.clamped.size(); ++i)
      made.clamped[i] =
          static_cast<std::uint8_t>(std::clamp(static_cast<int>(i) - ChromaParts::kBeyond, 0, 255));
    return made;
  }();
  return parts;
}

void to_rgb(const std::array<std::vector<std::uint8_t>, kComponentsMax>& rows, std::uint8_t* out) {
  const ChromaParts& parts = chroma_parts();
  const std::size_t width = rows[0].size();
  const std::uint8_t *luma = rows[0].data(), *blue = rows[1].data(), *red = rows[2].data();
  for (std::size_t x = 0; x < width; ++x) {
    const int y = luma[x];
    const std::uint8_t cb = blue[x], cr = red[x];
    out[3 * x] = parts.clamp(y + parts.red_of_cr[cr]);
    out[3 * x + 1] = parts.clamp(y + ((parts.green_of_cb[cb] + parts.green_of_cr[cr]) >> 16));
    out[3 * x + 2] = parts.clamp(y + parts.blue_of_cb[cb]);
  }
}

Eighth join(const Structure& structure, const Planes& planes) {
  Eighth picture;
  picture.width = (structure.width + 7) / 8;
  picture.height = (structure.height + 7) / 8;
  picture.bands = structure.component_count;
  picture.is_partial = structure.progressive;
  picture.chroma_is_flat = structure.chroma_is_flat;
  picture.pixels.resize(std::size_t{picture.width} * picture.height * picture.bands);
  std::array<std::vector<std::uint8_t>, kComponentsMax> rows;
  for (auto& row : rows) row.resize(picture.width);
  for (std::uint32_t y = 0; y < picture.height; ++y) {
    for (unsigned i = 0; i < structure.component_count; ++i)
      fetch_row(planes[i], spread_of(structure, structure.components[i]), y, rows[i]);
    std::uint8_t* const out =
        picture.pixels.data() + std::size_t{y} * picture.width * picture.bands;
    if (picture.bands == 1)
      std::copy(rows[0].begin(), rows[0].end(), out);
    else
      to_rgb(rows, out);
  }
  return picture;
}

}  // namespace

base::Result<Eighth> decode_eighth(std::span<const std::byte> file,
                                   std::size_t two_streams_bytes_min) {
  IMGPROC_TRY(const Structure structure, read_structure(file));
  IMGPROC_TRY(const Planes planes, structure.progressive
                                       ? decode_progressive(structure)
                                       : decode_sequential(structure, two_streams_bytes_min));
  return join(structure, planes);
}

}  // namespace imgproc::image::jpeg_dc
