#pragma once
// The one door of this library: bytes and an order in, renditions and metadata out.

#include <functional>
#include <span>

#include "base/error.h"
#include "ports/image_engine.h"

namespace imgproc::image {

/// Prepares libvips for hostile input: untrusted loaders blocked, no operation cache, one thread,
/// no words on standard error. Call once, before the first process_image, from the main thread.
/// `out_of_memory` is called, and does not return, where GLib would abort for lack of memory.
[[nodiscard]] base::Status initialise(const char* program, void (*out_of_memory)());

/// Gives room for one encoded rendition; an empty span if there is none left.
using AllocateOutput = std::function<std::span<std::byte>(std::size_t bytes)>;

/// Makes all renditions of one image from one decode. What is wrong with the image itself is
/// ImageResult::error: UNSUPPORTED_FORMAT (with the detected type in the metadata), EMPTY_OBJECT,
/// CORRUPT_IMAGE, TOO_MANY_*,
/// PROFILE_TOO_LARGE. A failure of one rendition stands in Rendition::error and leaves the
/// others alone. A Result error means that this process is not fit for work.
///
/// Damaged files: the first try is strict. Where the decoder complains (missing end, bad checksum,
/// broken entropy code), a lenient try follows, and if a picture comes of it, the result is good
/// and `degraded` is set; only if that fails too is the file CORRUPT_IMAGE. The same bytes always
/// take the same way. Bytes of `Rendition::bytes` are what `allocate` gave.
[[nodiscard]] base::Result<ports::ImageResult> process_image(std::span<const std::byte> bytes,
                                                             const ports::ImageOrder& order,
                                                             const AllocateOutput& allocate);

}  // namespace imgproc::image
