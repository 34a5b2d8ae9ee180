#pragma once
#include <filesystem>

#include "decoder/decoder_pool.h"

namespace imgproc::decoder {

/// How to start the decoder that belongs to the program in `folder`. In a Lambda package it stands
/// in lib/ with a C library and a loader of its own, and is started through that loader, so that
/// nothing of the host is needed; elsewhere it is `folder`/decoder.
[[nodiscard]] DecoderOptions decoder_in(const std::filesystem::path& folder);

}  // namespace imgproc::decoder
