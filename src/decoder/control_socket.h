#pragma once
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/file_descriptor.h"

namespace imgproc::decoder {

/// Descriptors one message may carry.
inline constexpr std::size_t kDescriptorsMax = 2;

struct Message {
  std::string text;
  std::vector<base::FileDescriptor> descriptors;
};

/// The other side has closed its end or died.
inline constexpr const char* kClosed = "CONTROL_CLOSED";
inline constexpr const char* kTimedOut = "CONTROL_TIMED_OUT";

/// A connected pair of SOCK_SEQPACKET sockets, close-on-exec.
[[nodiscard]] base::Result<std::pair<base::FileDescriptor, base::FileDescriptor>> control_pair();

/// Sends one message whole. Never raises SIGPIPE. Errors: CONTROL_CLOSED, system errors.
[[nodiscard]] base::Status send_message(int socket, std::string_view text,
                                        std::span<const int> descriptors = {});

/// Waits for one message until `deadline` (nullopt = for ever). Errors: CONTROL_CLOSED,
/// CONTROL_TIMED_OUT, MESSAGE_TOO_LONG.
[[nodiscard]] base::Result<Message> receive_message(int socket,
                                                    std::optional<base::SteadyTime> deadline);

}  // namespace imgproc::decoder
