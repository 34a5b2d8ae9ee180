#include "localcloud/lambda/dispatcher.h"

#include <fmt/format.h>

#include "base/log.h"

namespace imgproc::localcloud::lambda {
namespace {

/// A look at the queue at least this often, should a wake-up ever be missed.
constexpr std::chrono::seconds kLookIntervalMax{60};

void log_store_error(const base::Error& error) {
  base::log_error("the invocation queue cannot be read or written", {{"error", error.describe()}});
}

}  // namespace

Dispatcher::Dispatcher(base::Clock& clock, Registry& registry, InvocationQueue& queue,
                       EnvironmentPool& pool, Metrics& metrics, std::size_t thread_count)
    : clock_(clock),
      registry_(registry),
      queue_(queue),
      pool_(pool),
      metrics_(metrics),
      thread_count_(thread_count) {}

Dispatcher::~Dispatcher() {
  request_stop();
  join();
}

void Dispatcher::start() {
  for (std::size_t i = 0; i < thread_count_; ++i) threads_.emplace_back([this] { run(); });
}

void Dispatcher::request_stop() {
  std::lock_guard guard(mutex_);
  stopping_ = true;
  wake_.notify_all();
}

void Dispatcher::join() {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Dispatcher::wake() {
  std::lock_guard guard(mutex_);
  ++changes_;
  // One is enough for one event; whoever finds more to do than it takes wakes the next.
  wake_.notify_one();
}

void Dispatcher::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    std::uint64_t seen = changes_;
    lock.unlock();
    bool ran = run_one();
    auto look_again = ran ? clock_.steady() : next_look();
    lock.lock();
    if (!ran)
      clock_.wait_until(lock, wake_, look_again, [&] { return stopping_ || changes_ != seen; });
  }
}

base::SteadyTime Dispatcher::next_look() {
  auto soonest = clock_.steady() + kLookIntervalMax;
  for (const auto& function : registry_.all()) {
    auto due = queue_.next_due(function->latest->name);
    if (!due) {
      log_store_error(due.error());
      continue;
    }
    // What is due already waits for a slot, whose release wakes us.
    if (*due && **due > clock_.now())
      soonest = std::min(soonest, clock_.steady() + (**due - clock_.now()));
  }
  return soonest;
}

bool Dispatcher::run_one() {
  const auto functions = registry_.all();
  for (const auto& function : functions) {
    const std::string& name = function->latest->name;
    if (function->reserved_concurrency == 0) {
      // As AWS does: no attempt and no wait, straight to the dead letters.
      auto event = queue_.claim(name);
      if (!event) log_store_error(event.error());
      if (!event || !*event) continue;
      metrics_.count_throttle(name);
      bury(**event, "ZeroReservedConcurrency",
           {"TooManyRequestsException", "the function's reserved concurrency is 0", ""});
      return true;
    }
    if (pool_.acquire(name, function->reserved_concurrency) != EnvironmentPool::Admission::granted)
      continue;
    auto event = queue_.claim(name);
    if (!event) log_store_error(event.error());
    bool found = event && *event;
    if (found) {
      if ((*event)->more_due || functions.size() > 1) wake();
      handle(*function, **event);
    }
    // An empty look must not wake the others, or they would wake each other for ever.
    pool_.release(name, found);
    if (found) return true;
  }
  return false;
}

void Dispatcher::bury(const QueuedEvent& event, std::string_view condition,
                      const Failure& failure) {
  metrics_.count_dropped(event.function);
  auto status = queue_.bury(event, condition, failure);
  if (!status) log_store_error(status.error());
  base::log_error("an event was given up; it is kept as a dead letter",
                  {{"function", event.function},
                   {"requestId", event.request_id},
                   {"error", failure.error_type}});
}

void Dispatcher::handle(const Function& function, const QueuedEvent& event) {
  RetryPolicy policy = function.event_invoke ? function.event_invoke->policy() : RetryPolicy{};
  if (queue_.too_old(event, policy)) {
    bury(event, "EventAgeExceeded", {"EventAgeExceeded", "the event waited too long", ""});
    return;
  }
  auto version = registry_.resolve({event.function, event.qualifier});
  if (!version) {
    bury(event, "FunctionNotFound", {version.error().code, version.error().message, ""});
    return;
  }
  metrics_.count_age(event.function, clock_.now() - event.enqueued_at);
  InvocationRequest request{event.request_id, (*version)->arn(), event.trace_id, "", event.payload};
  Outcome outcome = pool_.invoke(*version, request);
  base::Status status;
  bool stopping = false;
  {
    std::lock_guard guard(mutex_);
    stopping = stopping_;
  }
  if (!outcome.failed()) {
    metrics_.count_invocation(event.function, outcome);
    status = queue_.succeed(event);
  } else if (stopping) {
    // Our own shutdown ended it: it runs again with the next start, and that is no attempt.
    status = queue_.release(event, std::chrono::milliseconds(0));
  } else {
    metrics_.count_invocation(event.function, outcome);
    auto disposition =
        queue_.fail(event, policy, {outcome.error_type, outcome.payload, outcome.payload});
    if (!disposition) {
      log_store_error(disposition.error());
      return;
    }
    if (*disposition == Disposition::retried) {
      ++metrics_.retries;
    } else {
      metrics_.count_dropped(event.function);
      base::log_error("an event was given up; it is kept as a dead letter",
                      {{"function", event.function},
                       {"requestId", event.request_id},
                       {"error", outcome.error_type}});
    }
  }
  if (!status) log_store_error(status.error());
}

}  // namespace imgproc::localcloud::lambda
