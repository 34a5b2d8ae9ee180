// The JPEG decoder of our own against the system's libjpeg-turbo: what it takes must be decodable
// there and give the same picture, and where libjpeg warns of damage it must have been refused, but
// in scans of a progressive file that have no part in the picture.

#include "image/jpeg_dc/jpeg_dc.h"
#include "oracle.h"
#include "require.h"

namespace {

/// At full size; keeps a run short.
constexpr std::uint64_t kPixelsMax = 1 << 22;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace imgproc;
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  const auto ours = image::jpeg_dc::decode_eighth(bytes);
  // The same with two streams, which are for long scans.
  const auto twice = image::jpeg_dc::decode_eighth(bytes, 0);
  require(ours.has_value() == twice.has_value());
  if (ours) require(ours->pixels == twice->pixels);
  if (!ours) return 0;
  require(ours->pixels.size() == std::size_t{ours->width} * ours->height * ours->bands);
  if (std::uint64_t{64} * ours->width * ours->height > kPixelsMax) return 0;
  auto theirs = oracle::decode_eighth(bytes);
  require(theirs.is_decoded);
  require(theirs.warnings == 0 || ours->is_partial);
  if (ours->chroma_is_flat) {
    const auto flat = oracle::with_flat_chroma(bytes);
    if (flat.empty()) return 0;  // it has coefficients that only a progressive file can hold
    theirs.pixels = oracle::decode_eighth(flat).pixels;
  }
  require(theirs.width == ours->width && theirs.height == ours->height);
  require(theirs.bands == ours->bands && theirs.pixels == ours->pixels);
  return 0;
}
