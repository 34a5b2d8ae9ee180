#include "image/jpeg_eighth.h"

#include "image/jpeg_dc/jpeg_dc.h"

namespace imgproc::image {

ImagePtr read_jpeg_eighth(const ImagePtr& opened, std::span<const std::byte> bytes) {
  const auto picture = jpeg_dc::decode_eighth(bytes);
  if (!picture) return nullptr;
  // Where a side is no multiple of eight, libvips cuts off what is shown in part.
  if (picture->width < width_of(opened) || picture->height < height_of(opened) ||
      picture->width > width_of(opened) + 1 || picture->height > height_of(opened) + 1 ||
      static_cast<int>(picture->bands) != vips_image_get_bands(opened.get()) ||
      vips_image_get_format(opened.get()) != VIPS_FORMAT_UCHAR)
    return nullptr;
  ImagePtr image(vips_image_new_memory());
  // Copies the header with everything that hangs on it.
  if (vips_image_pipelinev(image.get(), VIPS_DEMAND_STYLE_ANY, opened.get(), nullptr) != 0)
    return nullptr;
  const std::size_t row_bytes = std::size_t{picture->width} * picture->bands;
  for (std::uint32_t y = 0; y < height_of(opened); ++y) {
    // libvips takes a non-const pointer but only reads.
    auto* row = const_cast<std::uint8_t*>(picture->pixels.data() + y * row_bytes);
    if (vips_image_write_line(image.get(), static_cast<int>(y), row) != 0) return nullptr;
  }
  return image;
}

}  // namespace imgproc::image
