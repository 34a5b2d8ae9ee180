#pragma once
// Who may run how much at once, and which environments are kept warm.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "localcloud/lambda/environment.h"

namespace imgproc::localcloud::lambda {

/// A warm environment is stopped after this long without an invocation.
inline constexpr std::chrono::minutes kIdleTimeout{10};
/// Functions' credentials outlive any invocation by far; an environment older than this is
/// replaced.
inline constexpr std::chrono::hours kEnvironmentLifeMax{6};
inline constexpr std::chrono::hours kCredentialsLife{12};

/// What a function's process signs its own requests with.
struct FunctionCredentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;
};

struct PoolOptions {
  /// Invocations at once, over all functions.
  std::size_t concurrency_max = 2;
  /// Private folders of environments are made below.
  std::filesystem::path scratch_root;
  LineSink log;
  /// Whether the function's role may write into the stream; empty = every one may.
  std::function<bool(const FunctionVersion&, std::string_view stream)> may_log;
  /// Credentials of the function's role, which live at least kCredentialsLife.
  std::function<base::Result<FunctionCredentials>(const FunctionVersion&)> issue_credentials;
};

/// Thread-safe.
class EnvironmentPool {
 public:
  EnvironmentPool(PoolOptions options, base::Clock& clock);
  ~EnvironmentPool();

  /// For AWS_ENDPOINT_URL of environments started from now on.
  void set_endpoint_url(std::string url);
  /// Called whenever a slot was given back.
  void on_release(std::function<void()> callback) { released_ = std::move(callback); }

  enum class Admission { granted, function_full, machine_full, stopped };
  /// Takes one slot of the function's reserved concurrency (if set) and of the machine's. Give it
  /// back with release().
  [[nodiscard]] Admission acquire(const std::string& function, std::optional<int> reserved);
  /// As acquire(), but waits up to `wait` for the machine's.
  [[nodiscard]] Admission acquire_within(const std::string& function, std::optional<int> reserved,
                                         std::chrono::milliseconds wait);
  /// `notify` = false leaves on_release() out, for a slot that was not used.
  void release(const std::string& function, bool notify = true);

  /// Runs one invocation in a warm or new environment. The caller holds a slot.
  [[nodiscard]] Outcome invoke(const std::shared_ptr<const FunctionVersion>& function,
                               const InvocationRequest& request);

  /// Stops the idle environments of a function, so that its next invocation sees what changed.
  /// Those that are busy end after their invocation.
  void retire(const std::string& function);
  /// Ends everything: SIGTERM, kTerminateGrace, SIGKILL. Invocations under way end as `exited`.
  void stop();

  struct Stats {
    std::size_t busy = 0;
    std::size_t idle = 0;
    std::uint64_t started = 0;
  };
  [[nodiscard]] Stats stats() const;

 private:
  struct Warm {
    std::unique_ptr<Environment> environment;
    base::SteadyTime idle_since{};
    base::SteadyTime started_at{};
  };
  struct Busy {
    Environment* environment;
    bool retired = false;
  };
  [[nodiscard]] Admission acquire_locked(const std::string& function, std::optional<int> reserved);
  [[nodiscard]] base::Result<Warm> take_or_start(
      const std::shared_ptr<const FunctionVersion>& function);
  void give_back(Warm warm, std::list<Busy>::iterator busy);
  void run_reaper();

  PoolOptions options_;
  base::Clock& clock_;
  std::function<void()> released_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::string endpoint_url_;
  bool stopping_ = false;
  std::size_t in_use_ = 0;
  std::map<std::string, std::size_t> in_use_by_function_;
  std::list<Warm> idle_;  // oldest first
  std::list<Busy> busy_;
  std::uint64_t started_ = 0;
  std::thread reaper_;
};

}  // namespace imgproc::localcloud::lambda
