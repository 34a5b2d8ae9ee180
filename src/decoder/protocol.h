#pragma once
// What parent and decoder say to each other over a SOCK_SEQPACKET socket, one JSON document per
// message:
//
//   decoder -> parent   {"ready": true}                                   once, when it can work
//   parent  -> decoder  the order, with two descriptors: input and output memory
//   decoder -> parent   the result; bytes of renditions as offset and length in the output memory
//
// The decoder is not trusted: a result is believed only as far as parse_result() has checked it.

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "ports/image_engine.h"

namespace imgproc::decoder {

/// Larger messages are refused by both sides; below the kernel's default for one packet (208 KiB).
inline constexpr std::size_t kMessageBytesMax = 128 * 1024;
inline constexpr std::size_t kRenditionsMax = 256;
/// Bounds on what a decoder may put into the record.
inline constexpr std::size_t kTextBytesMax = 2048;
inline constexpr std::size_t kExifValuesMax = 128;
inline constexpr std::size_t kTimingsMax = 32;

/// The decoder says with its exit status that it was refused memory.
inline constexpr int kExitOutOfMemory = 77;

struct Order {
  ports::ImageOrder image;
  /// The image is in the first so many bytes of the input memory, which may be longer.
  std::uint64_t input_bytes = 0;
};

/// The order as text. Error: INVALID_ORDER if it has more than kRenditionsMax renditions or is
/// longer than a message.
[[nodiscard]] base::Result<std::string> write_order(const ports::ImageOrder& order,
                                                    std::uint64_t input_bytes);
[[nodiscard]] base::Result<Order> parse_order(std::string_view text);

/// `output` is the memory that every Rendition::bytes of `result` lies in.
[[nodiscard]] base::Result<std::string> write_result(const ports::ImageResult& result,
                                                     std::span<const std::byte> output);
/// Strict: every name, number, offset and length must fit `order` and `output`; what comes back
/// borrows its bytes from `output`. Error: INVALID_RESULT.
[[nodiscard]] base::Result<ports::ImageResult> parse_result(std::string_view text,
                                                            const ports::ImageOrder& order,
                                                            std::span<const std::byte> output);

/// The code of every violation by the decoder.
inline constexpr const char* kInvalidResult = "INVALID_RESULT";

}  // namespace imgproc::decoder
