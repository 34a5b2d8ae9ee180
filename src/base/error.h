#pragma once
// Expected failures are values: every function that can fail returns Result<T>.

#include <expected>
#include <string>
#include <utility>

namespace imgproc::base {

/// What went wrong, for a person and for the code that decides what to do next.
struct Error {
  /// Stable, machine-readable name: an AWS code ("NoSuchKey") or one of ours
  /// ("UNSUPPORTED_FORMAT").
  std::string code;
  /// The cause in one sentence, with the values that matter.
  std::string message;
  /// True if the same call may succeed later without anybody changing anything.
  bool retryable = false;
  /// What the user should do; may be empty.
  std::string hint;
  /// The HTTP status this error travelled with or should be answered with; 0 = none.
  int http_status = 0;

  /// "CODE: message (hint)", for logs and terminals.
  [[nodiscard]] std::string describe() const;
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

/// An error that no repetition of the call can cure.
[[nodiscard]] std::unexpected<Error> permanent(std::string code, std::string message,
                                               std::string hint = {});
/// An error that may pass by itself: the caller may try again.
[[nodiscard]] std::unexpected<Error> transient(std::string code, std::string message,
                                               std::string hint = {});
/// A failed system call, with errno's text. Retryable where errno says so (EAGAIN, ENOSPC, EMFILE
/// ...).
[[nodiscard]] std::unexpected<Error> system_error(std::string what, int errno_value);

}  // namespace imgproc::base

#define IMGPROC_CONCAT_(a, b) a##b
#define IMGPROC_CONCAT(a, b) IMGPROC_CONCAT_(a, b)

// The names are numbered, so that one use may stand inside another's argument (in a lambda).

/// IMGPROC_TRY(auto value, may_fail()): declares `value`, or returns the error to the caller.
#define IMGPROC_TRY(declaration, expression) \
  IMGPROC_TRY_(IMGPROC_CONCAT(result_, __COUNTER__), declaration, expression)
#define IMGPROC_TRY_(temporary, declaration, expression)                \
  auto temporary = (expression);                                        \
  if (!temporary) return std::unexpected(std::move(temporary).error()); \
  declaration = std::move(temporary).value()

/// IMGPROC_CHECK(may_fail()): for calls that return Status.
#define IMGPROC_CHECK(expression) IMGPROC_CHECK_(IMGPROC_CONCAT(status_, __COUNTER__), expression)
#define IMGPROC_CHECK_(temporary, expression)               \
  do {                                                      \
    if (auto temporary = (expression); !temporary)          \
      return std::unexpected(std::move(temporary).error()); \
  } while (false)
