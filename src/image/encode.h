#pragma once
#include <span>

#include "image/render.h"

namespace imgproc::image {

struct FreeBytes {
  void operator()(void* bytes) const { g_free(bytes); }
};

/// An encoded file, owned.
struct EncodedFile {
  std::unique_ptr<void, FreeBytes> data;
  std::size_t size = 0;
  [[nodiscard]] std::span<const std::byte> bytes() const {
    return {static_cast<const std::byte*>(data.get()), size};
  }
};

/// A rendition could not be written: too large for its format, or the encoder failed.
inline constexpr const char* kEncodeFailed = "ENCODE_FAILED";

/// Writes the picture without any metadata: no EXIF, XMP, IPTC, ICC profile or comment (pixels are
/// sRGB). `format` is never `automatic`. Errors: ENCODE_FAILED with the encoder's words.
[[nodiscard]] base::Result<EncodedFile> encode(const Picture& picture,
                                               const ports::RenditionSpec& spec,
                                               ports::OutputFormat format);

}  // namespace imgproc::image
