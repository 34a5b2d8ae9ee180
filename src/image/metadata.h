#pragma once
#include <span>

#include "image/decode.h"
#include "ports/image_engine.h"

namespace imgproc::image {

/// Everything of ImageMetadata that the header, the opened image and its EXIF and ICC blocks tell.
/// Width and height are the full size as displayed, whatever shrink-on-load did.
[[nodiscard]] ports::ImageMetadata read_metadata(const Header& header, const OpenImage& open,
                                                 std::span<const std::byte> bytes);

}  // namespace imgproc::image
