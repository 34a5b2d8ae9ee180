#pragma once
// Time comes through the constructor: production code takes a Clock&, tests move a ManualClock.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>

namespace imgproc::base {

using SystemTime = std::chrono::sys_time<std::chrono::milliseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  /// The time of day, UTC, to the millisecond.
  [[nodiscard]] virtual SystemTime now() const = 0;
  /// Never goes back; for durations and deadlines.
  [[nodiscard]] virtual SteadyTime steady() const = 0;
  /// Waits on `wake` until `ready()` holds or this clock reaches `deadline`; returns ready().
  /// `lock` must be held by the caller and is held again on return.
  virtual bool wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable& wake,
                          SteadyTime deadline, const std::function<bool()>& ready) = 0;
};

/// The machine's clock. Thread-safe.
class RealClock final : public Clock {
 public:
  [[nodiscard]] SystemTime now() const override;
  [[nodiscard]] SteadyTime steady() const override;
  bool wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable& wake,
                  SteadyTime deadline, const std::function<bool()>& ready) override;
};

/// A clock that moves only when told to, and then wakes whoever waits on it. Thread-safe.
class ManualClock final : public Clock {
 public:
  /// Starts at 2026-01-01T00:00:00Z unless told otherwise.
  explicit ManualClock(SystemTime start = SystemTime{std::chrono::milliseconds{1767225600000}});
  [[nodiscard]] SystemTime now() const override;
  [[nodiscard]] SteadyTime steady() const override;
  bool wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable& wake,
                  SteadyTime deadline, const std::function<bool()>& ready) override;
  void advance(std::chrono::milliseconds by);
  /// How many threads wait on this clock now (for tests that must move it at the right moment).
  [[nodiscard]] std::size_t waiters() const;

 private:
  struct Waiter {
    std::mutex* mutex;
    std::condition_variable* wake;
    auto operator<=>(const Waiter&) const = default;
  };
  mutable std::mutex mutex_;
  SystemTime start_;
  std::chrono::milliseconds elapsed_{0};
  std::multiset<Waiter> waiters_;
};

}  // namespace imgproc::base
