#pragma once
// From bytes to one picture in memory ("base picture") that every rendition is then made from.

#include <span>
#include <vector>

#include "image/geometry.h"
#include "image/header.h"
#include "image/vips.h"

namespace imgproc::image {

/// How much of a damaged file to accept.
enum class Strictness {
  /// The first try: any damage that the decoder notices is an error.
  strict,
  /// The second try: what can be shown is shown.
  lenient,
};

/// A file opened by its own loader, chosen by name from our table; no pixel is decoded yet, but as
/// open_image says. The source bytes must outlive it.
struct OpenImage {
  ImagePtr image;
  /// Shrink-on-load per axis, already applied by the loader (>= 1).
  double shrink = 1;
  std::uint32_t frames = 1;
};

struct OpenOptions {
  Strictness strictness = Strictness::strict;
  /// Of shrink_on_load.
  double shrink = 1;
  /// All frames of an animation, below each other; else the first only.
  bool all_frames = false;
};

/// The shrink-on-load factor that the format's loader can really apply: 1, 2, 4, 8 for JPEG, any
/// for WebP, 1 elsewhere. Never more than `shrink_max`; for 4 and 8 half of that at most.
[[nodiscard]] double shrink_on_load(const Header& header, double shrink_max, bool all_frames);

/// Opens. A JPEG that is to be shrunk eight times and is of the plain kind is decoded here, by
/// jpeg_dc, at a fraction of libjpeg's cost and to the same pixels. Errors: CORRUPT_IMAGE with the
/// loader's words.
[[nodiscard]] base::Result<OpenImage> open_image(const Header& header,
                                                 std::span<const std::byte> bytes,
                                                 const OpenOptions& options);

/// One decoded picture, upright, 8 bits a sample, sRGB or grey, with or without alpha (last band,
/// not premultiplied), in memory. Several frames of one size for an animation.
struct BasePicture {
  std::vector<ImagePtr> frames;
  std::vector<int> delays_ms;
  int loop = 0;
  /// Some pixel of the first frame lets something through; an alpha band alone does not say so.
  bool is_transparent = false;
};

/// Decodes all pixels, once, streaming: a picture far larger than `needed` (the larger of every
/// rendition's size before cropping, in display orientation) is box-shrunk on the way by the same
/// whole factor that vips_resize would start with, so that memory follows the output, not the
/// source.
[[nodiscard]] base::Result<BasePicture> decode(const OpenImage& open, Size needed);

}  // namespace imgproc::image
