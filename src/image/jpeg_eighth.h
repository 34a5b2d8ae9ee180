#pragma once
// libvips' picture of a JPEG at an eighth of its size, with pixels from jpeg_dc.

#include <span>

#include "image/vips.h"

namespace imgproc::image {

/// `opened` is the file as vips_jpegload opens it with shrink 8, not yet decoded; it gives size,
/// bands and all metadata. Returns the same picture in memory, with pixels equal to libvips' own,
/// or null where the file is not of the plain kind: then `opened` is the one to use, and decides
/// what is wrong, if anything is.
[[nodiscard]] ImagePtr read_jpeg_eighth(const ImagePtr& opened, std::span<const std::byte> bytes);

}  // namespace imgproc::image
