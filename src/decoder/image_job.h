#pragma once
#include <memory>

#include "base/error.h"
#include "ports/image_engine.h"

namespace imgproc::decoder {

class DecoderPool;

/// A job whose input is `input_bytes` of shared memory. Borrows the pool.
[[nodiscard]] base::Result<std::unique_ptr<ports::ImageJob>> open_image_job(
    DecoderPool& pool, std::size_t input_bytes);

}  // namespace imgproc::decoder
