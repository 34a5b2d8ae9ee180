#pragma once
// The Lambda Runtime API (2018-06-01) of one execution environment: what the function's process
// talks to. Source: "Using the Lambda runtime API for custom runtimes", and the state transitions
// of AWS's Runtime Interface Emulator.

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "http/exchange.h"

namespace imgproc::localcloud::lambda {

/// Largest answer of a synchronous invocation, and its largest request.
inline constexpr std::size_t kSyncPayloadBytesMax = 6 * 1024 * 1024;
/// AWS allows the answer this much more for its envelope (6,291,556 bytes in all).
inline constexpr std::size_t kResponseBytesMax = kSyncPayloadBytesMax + 100;
/// Largest error document that a runtime may post.
inline constexpr std::size_t kErrorBytesMax = 256 * 1024;

/// One invocation as the function's process gets it.
struct InvocationRequest {
  std::string request_id;
  std::string function_arn;
  /// X-Amzn-Trace-Id form: Root=1-…;Parent=…;Sampled=0.
  std::string trace_id;
  /// X-Amz-Client-Context as it came (base64), may be empty.
  std::string client_context;
  std::string payload;
};

/// What the function's process posted for an invocation, or instead of becoming ready.
struct RuntimeReport {
  bool error = false;
  /// Lambda-Runtime-Function-Error-Type, if `error`.
  std::string error_type;
  std::string payload;
};

/// The state machine of one environment. Requests come in on the HTTP server's threads, `offer` and
/// the waits on the invoking thread.
class RuntimeApi final : public http::Exchange {
 public:
  explicit RuntimeApi(base::Clock& clock) : clock_(clock) {}

  /// Requests of the function's process.
  [[nodiscard]] base::Result<http::Response> send(http::Request request) override;

  enum class Wait { done, timed_out, stopped };
  /// Until the process asks for its first invocation or reports an init error.
  [[nodiscard]] Wait wait_initialized(base::SteadyTime deadline);
  /// Hands an invocation over and waits for the answer. `timeout` is the function's; the
  /// Deadline-Ms header says when it ends.
  [[nodiscard]] Wait invoke(const InvocationRequest& request, std::chrono::milliseconds timeout);

  /// What ended the last wait: the answer, or the init error.
  [[nodiscard]] std::optional<RuntimeReport> take_report();
  /// True once the process took the invocation of the last invoke().
  [[nodiscard]] bool taken() const;
  /// True after the first /next.
  [[nodiscard]] bool initialized() const;
  /// Ends every wait, until reset(): the process is gone, or is being stopped.
  void stop();
  /// As new, for another process. The one before must be gone.
  void reset();

 private:
  enum class State {
    starting,  // before the first /next or /init/error
    idle,      // answered, or never had an invocation
    offered,   // an invocation waits for /next
    running,   // taken, not answered
    failed,    // /init/error came
  };
  http::Response next();
  http::Response finish(std::string_view request_id, bool error, http::Request& request);
  http::Response init_error(http::Request& request);

  base::Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  State state_ = State::starting;
  bool stopped_ = false;
  InvocationRequest current_;
  base::SystemTime deadline_{};
  std::optional<RuntimeReport> report_;
};

}  // namespace imgproc::localcloud::lambda
