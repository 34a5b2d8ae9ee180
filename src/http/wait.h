#pragma once
#include "http/stream.h"

namespace imgproc::http {

/// Waits until `fd` is ready for `events` (POLLIN, POLLOUT). Error TIMEOUT.
[[nodiscard]] base::Status wait_for(int fd, short events, Timeout timeout);

}  // namespace imgproc::http
