#include "image/metadata.h"

#include <fmt/format.h>

#include "image/exif.h"
#include "image/icc_name.h"

namespace imgproc::image {
namespace {

/// A block that the loader has attached; borrowed from the image.
std::span<const std::byte> blob(const ImagePtr& image, const char* name) {
  const void* data = nullptr;
  std::size_t size = 0;
  if (vips_image_get_typeof(image.get(), name) == 0) return {};
  if (vips_image_get_blob(image.get(), name, &data, &size) != 0) {
    vips_error_clear();
    return {};
  }
  return {static_cast<const std::byte*>(data), size};
}

}  // namespace

base::Status check_profile(const OpenImage& open) {
  const std::size_t profile_bytes = blob(open.image, VIPS_META_ICC_NAME).size();
  if (profile_bytes <= kProfileBytesMax) return {};
  return base::permanent(
      ports::kProfileTooLarge,
      fmt::format("the colour profile has {} bytes, more than {}", profile_bytes, kProfileBytesMax),
      "save the picture anew with a usual profile, or without one");
}

ports::ImageMetadata read_metadata(const Header& header, const OpenImage& open,
                                   std::span<const std::byte> bytes) {
  ports::ImageMetadata metadata;
  metadata.format = name_of(header.type);
  metadata.content_type = media_type_of(header.type);
  metadata.orientation = vips_image_get_orientation(open.image.get());
  const Size display = oriented({header.width, header.height}, metadata.orientation);
  metadata.width = display.width;
  metadata.height = display.height;
  metadata.pages = header.frames;
  metadata.has_alpha = has_alpha(open.image);
  metadata.color_space =
      vips_enum_nick(VIPS_TYPE_INTERPRETATION, vips_image_guess_interpretation(open.image.get()));
  metadata.icc_profile = icc_name(blob(open.image, VIPS_META_ICC_NAME));
  Exif exif =
      parse_exif(header.type == FileType::tiff ? bytes : blob(open.image, VIPS_META_EXIF_NAME));
  metadata.exif = std::move(exif.values);
  metadata.taken_at = std::move(exif.taken_at);
  return metadata;
}

}  // namespace imgproc::image
