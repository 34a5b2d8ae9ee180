#include "base/clock.h"

#include <vector>

namespace imgproc::base {
namespace {

/// Held while an advance() works with the waiters' mutexes; taken before a clock's own. One for all
/// manual clocks, since they exist in tests only and few at a time.
std::mutex advance_mutex;

}  // namespace

SystemTime RealClock::now() const {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

SteadyTime RealClock::steady() const {
  return std::chrono::steady_clock::now();
}

bool RealClock::wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable& wake,
                           SteadyTime deadline, const std::function<bool()>& ready) {
  return wake.wait_until(lock, deadline, ready);
}

ManualClock::ManualClock(SystemTime start) : start_(start) {}

SystemTime ManualClock::now() const {
  std::lock_guard guard(mutex_);
  return start_ + elapsed_;
}

SteadyTime ManualClock::steady() const {
  std::lock_guard guard(mutex_);
  return SteadyTime{} + std::chrono::hours(1) + elapsed_;
}

bool ManualClock::wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable& wake,
                             SteadyTime deadline, const std::function<bool()>& ready) {
  Waiter self{lock.mutex(), &wake};
  {
    std::lock_guard guard(mutex_);
    waiters_.insert(self);
  }
  wake.wait(lock, [&] { return ready() || steady() >= deadline; });
  // The caller may destroy its mutex and condition as soon as this returns, so no advance() may
  // still be at work with them; and that one needs the caller's mutex to get done.
  lock.unlock();
  {
    std::lock_guard no_advance(advance_mutex);
    std::lock_guard guard(mutex_);
    waiters_.erase(waiters_.find(self));
  }
  lock.lock();
  return ready();
}

void ManualClock::advance(std::chrono::milliseconds by) {
  std::lock_guard one_at_a_time(advance_mutex);
  std::vector<Waiter> sleeping;
  {
    std::lock_guard guard(mutex_);
    elapsed_ += by;
    sleeping.assign(waiters_.begin(), waiters_.end());
  }
  for (const Waiter& waiter : sleeping) {
    // Taking the waiter's mutex makes sure that it is either before its check or asleep.
    {
      std::lock_guard guard(*waiter.mutex);
    }
    waiter.wake->notify_all();
  }
}

std::size_t ManualClock::waiters() const {
  std::lock_guard guard(mutex_);
  return waiters_.size();
}

}  // namespace imgproc::base
