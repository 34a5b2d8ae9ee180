#include "base/error.h"

#include <cerrno>
#include <cstring>

namespace imgproc::base {

std::string Error::describe() const {
  std::string text = code + ": " + message;
  if (!hint.empty()) text += " (" + hint + ")";
  return text;
}

std::unexpected<Error> permanent(std::string code, std::string message, std::string hint) {
  return std::unexpected(Error{.code = std::move(code),
                               .message = std::move(message),
                               .retryable = false,
                               .hint = std::move(hint)});
}

std::unexpected<Error> transient(std::string code, std::string message, std::string hint) {
  return std::unexpected(Error{.code = std::move(code),
                               .message = std::move(message),
                               .retryable = true,
                               .hint = std::move(hint)});
}

std::unexpected<Error> system_error(std::string what, int errno_value) {
  bool retryable = errno_value == EAGAIN || errno_value == EINTR || errno_value == ENOSPC ||
                   errno_value == EMFILE || errno_value == ENFILE || errno_value == ENOMEM ||
                   errno_value == ECONNREFUSED || errno_value == ECONNRESET ||
                   errno_value == EPIPE || errno_value == ETIMEDOUT;
  return std::unexpected(Error{.code = "SYSTEM_ERROR",
                               .message = what + ": " + std::strerror(errno_value),
                               .retryable = retryable});
}

}  // namespace imgproc::base
