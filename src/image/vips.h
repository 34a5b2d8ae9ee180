#pragma once
// Owning handles and errors for the C API of libvips. Included by .cc files of this folder only.

#include <vips/vips.h>

#include <memory>
#include <string>
#include <utility>

#include "base/error.h"

namespace imgproc::image {

struct Unref {
  void operator()(VipsImage* image) const { g_object_unref(image); }
};
/// Owns one reference.
using ImagePtr = std::unique_ptr<VipsImage, Unref>;

/// What libvips has put into its error buffer since the last call, shortened to one line; the
/// buffer is empty afterwards.
[[nodiscard]] std::string take_vips_error();

/// CORRUPT_IMAGE with libvips' own words, or DECODER_OUT_OF_MEMORY where it says so.
[[nodiscard]] std::unexpected<base::Error> vips_failure(const char* step);

/// Runs one libvips call that writes its result through a VipsImage**:
///   apply("resize", [&](VipsImage** out) { return vips_resize(in.get(), out, 0.5, nullptr); })
template <class Call>
[[nodiscard]] base::Result<ImagePtr> apply(const char* step, Call call) {
  VipsImage* out = nullptr;
  const int status = call(&out);
  ImagePtr owned(out);
  if (status != 0 || owned == nullptr) return vips_failure(step);
  return owned;
}

/// Renders the lazy pipeline behind `image` into memory: all decoding errors show here.
[[nodiscard]] inline base::Result<ImagePtr> to_memory(const ImagePtr& image, const char* step) {
  VipsImage* copy = vips_image_copy_memory(image.get());
  if (copy == nullptr) return vips_failure(step);
  return ImagePtr(copy);
}

[[nodiscard]] inline std::uint32_t width_of(const ImagePtr& image) {
  return static_cast<std::uint32_t>(vips_image_get_width(image.get()));
}
[[nodiscard]] inline std::uint32_t height_of(const ImagePtr& image) {
  return static_cast<std::uint32_t>(vips_image_get_height(image.get()));
}
[[nodiscard]] inline bool has_alpha(const ImagePtr& image) {
  return vips_image_hasalpha(image.get()) != 0;
}

}  // namespace imgproc::image
