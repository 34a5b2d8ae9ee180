#pragma once
// The Lambda Runtime API, version 2018-06-01, as values.
// Source: "Using the Lambda runtime API for custom runtimes" in the AWS Lambda Developer Guide.

#include <string>
#include <string_view>

#include "http/exchange.h"
#include "runtime/invocation.h"

namespace imgproc::runtime {

/// The largest response of a synchronous invocation, and the largest event.
inline constexpr std::size_t kPayloadBytesMax = 6 * 1024 * 1024;

/// Lambda ends this environment; there is nothing more to do (403 or 410 from next).
inline constexpr const char* kEnvironmentGone = "ENVIRONMENT_GONE";

/// Speaks to AWS_LAMBDA_RUNTIME_API through `exchange`, which must wait without time-out for the
/// answer to next. Borrows `exchange`.
class RuntimeClient {
 public:
  explicit RuntimeClient(http::Exchange& exchange) : exchange_(exchange) {}

  /// Waits for the next event. Errors: ENVIRONMENT_GONE; BAD_INVOCATION for an answer without
  /// request id or deadline, or with too large an event; retryable ones of the connection and 5xx.
  [[nodiscard]] base::Result<Invocation> next();
  /// Error RESPONSE_TOO_LARGE, permanent, before anything is sent; REQUEST_REJECTED if the Runtime
  /// API refuses (413 too large, 4xx unknown request).
  [[nodiscard]] base::Status respond(std::string_view request_id, std::string_view json);
  [[nodiscard]] base::Status fail(std::string_view request_id, const base::Error& error);
  /// Before the first next(): the function could not start.
  [[nodiscard]] base::Status fail_init(const base::Error& error);

 private:
  base::Status post(std::string target, std::string_view body, const base::Error* error);

  http::Exchange& exchange_;
};

/// {"errorMessage":…,"errorType":…,"stackTrace":[]}; the message carries the hint.
[[nodiscard]] std::string error_json(const base::Error& error);

}  // namespace imgproc::runtime
