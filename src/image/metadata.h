#pragma once
#include <span>

#include "image/decode.h"
#include "ports/image_engine.h"

namespace imgproc::image {

/// Colour profiles of printing presses take up to 4 MiB; what is larger smuggles something else.
inline constexpr std::size_t kProfileBytesMax = 8 << 20;

/// PROFILE_TOO_LARGE if the embedded ICC profile has more than kProfileBytesMax. To be called
/// before a pixel is decoded.
[[nodiscard]] base::Status check_profile(const OpenImage& open);

/// Everything of ImageMetadata that the header, the opened image and its EXIF and ICC blocks tell.
/// Width and height are the full size as displayed, whatever shrink-on-load did.
[[nodiscard]] ports::ImageMetadata read_metadata(const Header& header, const OpenImage& open,
                                                 std::span<const std::byte> bytes);

}  // namespace imgproc::image
