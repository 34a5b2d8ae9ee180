#pragma once
// One execution environment: a function's process behind its own Runtime API, one invocation at a
// time, exactly as AWS runs it.

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "http/server.h"
#include "localcloud/lambda/child_process.h"
#include "localcloud/lambda/function.h"
#include "localcloud/lambda/runtime_api.h"

namespace imgproc::localcloud::lambda {

/// Longest time from the start of the process to its first /next; after that, and after every other
/// failure, initialization is tried once more within the first invocation and its time-out.
/// Source: "Understanding the Lambda execution environment lifecycle", AWS documentation.
inline constexpr std::chrono::seconds kInitTimeout{10};
/// How long a process may take to end after SIGTERM before SIGKILL (real time).
inline constexpr std::chrono::milliseconds kTerminateGrace{2000};
/// What X-Amz-Log-Result carries at most, before base64.
inline constexpr std::size_t kLogTailBytesMax = 4096;

/// Takes one line for CloudWatch Logs. Called from several threads.
using LineSink = std::function<void(std::string_view group, std::string_view stream,
                                    base::SystemTime time, std::string_view line)>;

struct EnvironmentOptions {
  std::shared_ptr<const FunctionVersion> function;
  /// The local cloud's own address, for AWS_ENDPOINT_URL; empty = not set.
  std::string endpoint_url;
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;
  /// Private to this environment: made here, removed with it. TMPDIR of the process.
  std::filesystem::path scratch_directory;
  LineSink log;
  /// Whether the function's role may write into this stream, asked once; empty = it may.
  std::function<bool(std::string_view stream)> may_log;
};

/// How an invocation ended.
struct Outcome {
  enum class End {
    answered,
    /// The runtime posted an error, of the invocation or of its initialization.
    reported_error,
    timed_out,
    /// The process ended.
    exited,
    /// The process was gone before it took the event: nothing ran, another environment may.
    stale,
  };
  End end = End::answered;
  /// Empty for `answered`.
  std::string error_type;
  /// The answer, or AWS's error document.
  std::string payload;
  /// The last lines of this invocation's log.
  std::string log_tail;
  std::chrono::microseconds duration{0};
  /// Zero unless this invocation started the environment.
  std::chrono::microseconds init_duration{0};
  std::uint64_t memory_bytes_peak = 0;

  [[nodiscard]] bool failed() const { return end != End::answered; }
};

/// Not thread-safe but for close(): the pool gives it to one thread at a time.
class Environment {
 public:
  /// Starts the process and returns at once; initialization goes on beside. A package that cannot
  /// be run shows at the first invocation (Runtime.InvalidEntrypoint). Error SYSTEM_ERROR.
  [[nodiscard]] static base::Result<std::unique_ptr<Environment>> start(EnvironmentOptions options,
                                                                        base::Clock& clock);
  /// Kills the process if it still lives.
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  /// Runs one invocation, START to REPORT.
  [[nodiscard]] Outcome invoke(const InvocationRequest& request);
  /// True if it can take another invocation.
  [[nodiscard]] bool reusable() const { return !broken_ && child_ && child_->alive(); }
  [[nodiscard]] const FunctionVersion& function() const { return *options_.function; }
  /// SIGTERM; wait_closed() then waits up to kTerminateGrace from `since` and kills.
  void terminate();
  void wait_closed(std::chrono::steady_clock::time_point since);
  [[nodiscard]] int pid() const { return child_ ? child_->pid() : -1; }
  [[nodiscard]] const std::string& log_stream() const { return log_stream_; }

 private:
  /// Levels of platform events, which SystemLogLevel is compared with.
  enum class Level { debug, info, warn };
  /// What an outcome's error document and log line say; made when the request is known.
  struct Failure {
    Outcome::End end = Outcome::End::exited;
    std::string error_type;
    /// Behind "RequestId: ID Error: ", or empty with `payload` in its place.
    std::string text;
    std::string payload;
  };
  Environment(EnvironmentOptions options, base::Clock& clock);
  base::Status launch();
  base::Status launch_again();
  [[nodiscard]] std::vector<std::string> variables() const;
  void emit(std::string_view line);
  void emit_platform(Level level, std::string_view type, std::string_view text,
                     base::json::object record);
  Outcome run(const InvocationRequest& request);
  std::optional<Failure> initialize(std::string_view phase, base::SteadyTime since,
                                    std::chrono::milliseconds limit);
  [[nodiscard]] Failure exit_failure();
  [[nodiscard]] Failure timeout_failure() const;
  Outcome failed(const InvocationRequest& request, Failure failure);
  void report(const InvocationRequest& request, const Outcome& outcome);

  EnvironmentOptions options_;
  base::Clock& clock_;
  RuntimeApi api_;
  std::unique_ptr<http::Server> server_;
  /// Guards child_ against terminate(), which comes from other threads, while it is replaced.
  std::mutex child_mutex_;
  bool terminated_ = false;
  /// Null if the package cannot be run; then start_failure_ says why.
  std::unique_ptr<ChildProcess> child_;
  std::string start_failure_;
  std::string log_stream_;
  base::SteadyTime started_at_{};
  bool initialized_ = false;
  bool broken_ = false;

  std::mutex mutex_;
  ChildExit exit_;
  std::string tail_;
};

}  // namespace imgproc::localcloud::lambda
