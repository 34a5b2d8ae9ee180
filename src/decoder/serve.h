#pragma once
// The decoder's side: limits itself, then answers orders until the parent closes the socket. Used
// by the decoder program and by tests that play a decoder.

#include <functional>

#include "base/error.h"
#include "ports/image_engine.h"

namespace imgproc::decoder {

/// The descriptor a decoder finds its control socket at; all others above standard error are
/// closed.
inline constexpr int kControlFd = 3;

/// Lowers what this process may do, for good: memory for its own data, files (no writing, few
/// descriptors), no core dumps, no new privileges, not readable by others, dies with its parent.
/// Call before anything untrusted is read. `memory_bytes_max` 0 = no bound.
[[nodiscard]] base::Status limit_self(std::uint64_t memory_bytes_max);

/// Room for one encoded rendition in the output memory; empty if none is left.
using AllocateOutput = std::function<std::span<std::byte>(std::size_t bytes)>;
using ProcessImage = std::function<base::Result<ports::ImageResult>(
    std::span<const std::byte> input, const ports::ImageOrder& order, const AllocateOutput&)>;

/// Says that it is ready, then runs `process` for every order. Returns when the parent has closed
/// the socket. An error means that the process is to end.
[[nodiscard]] base::Status serve(int control_fd, const ProcessImage& process);

}  // namespace imgproc::decoder
