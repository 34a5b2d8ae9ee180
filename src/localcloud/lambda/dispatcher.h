#pragma once
// Runs the asynchronous queue: takes due events as slots become free, and books how they ended.

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "localcloud/lambda/environment_pool.h"
#include "localcloud/lambda/invocation_queue.h"
#include "localcloud/lambda/metrics.h"
#include "localcloud/lambda/registry.h"

namespace imgproc::localcloud::lambda {

/// Threads are started by start() and joined by stop(). An event is claimed only when its function
/// has a free slot, so waiting for one is never an attempt.
class Dispatcher {
 public:
  Dispatcher(base::Clock& clock, Registry& registry, InvocationQueue& queue, EnvironmentPool& pool,
             Metrics& metrics, std::size_t thread_count);
  ~Dispatcher();
  void start();
  /// Takes no more events. Those under way end with the pool; call stop() of the pool before
  /// join().
  void request_stop();
  void join();
  /// The queue, a slot or a function changed.
  void wake();

 private:
  void run();
  /// False if nothing is due for which there is room.
  bool run_one();
  void bury(const QueuedEvent& event, std::string_view condition, const Failure& failure);
  void handle(const Function& function, const QueuedEvent& event);
  [[nodiscard]] base::SteadyTime next_look();

  base::Clock& clock_;
  Registry& registry_;
  InvocationQueue& queue_;
  EnvironmentPool& pool_;
  Metrics& metrics_;
  std::size_t thread_count_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::uint64_t changes_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace imgproc::localcloud::lambda
