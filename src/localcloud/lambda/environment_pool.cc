#include "localcloud/lambda/environment_pool.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/random.h"

namespace imgproc::localcloud::lambda {
namespace {

/// Stale environments met in a row before an invocation gives up.
constexpr int kStaleMax = 3;

Outcome start_failure(const InvocationRequest& request, const base::Error& error) {
  constexpr std::string_view kType = "ServiceException";
  Outcome outcome;
  outcome.end = Outcome::End::exited;
  outcome.error_type = kType;
  outcome.payload = base::json::serialize(base::json::object{
      {"errorType", kType},
      {"errorMessage",
       fmt::format("RequestId: {} Error: {}", request.request_id, error.describe())}});
  return outcome;
}

}  // namespace

EnvironmentPool::EnvironmentPool(PoolOptions options, base::Clock& clock)
    : options_(std::move(options)), clock_(clock) {
  // What a killed predecessor left behind.
  std::error_code ignored;
  std::filesystem::remove_all(options_.scratch_root, ignored);
  reaper_ = std::thread([this] { run_reaper(); });
}

EnvironmentPool::~EnvironmentPool() {
  stop();
  if (reaper_.joinable()) reaper_.join();
}

void EnvironmentPool::set_endpoint_url(std::string url) {
  std::lock_guard guard(mutex_);
  endpoint_url_ = std::move(url);
}

EnvironmentPool::Admission EnvironmentPool::acquire_locked(const std::string& function,
                                                           std::optional<int> reserved) {
  if (stopping_) return Admission::stopped;
  std::size_t mine = 0;
  if (auto found = in_use_by_function_.find(function); found != in_use_by_function_.end())
    mine = found->second;
  if (reserved && mine >= static_cast<std::size_t>(std::max(*reserved, 0)))
    return Admission::function_full;
  if (in_use_ >= options_.concurrency_max) return Admission::machine_full;
  ++in_use_;
  ++in_use_by_function_[function];
  return Admission::granted;
}

EnvironmentPool::Admission EnvironmentPool::acquire(const std::string& function,
                                                    std::optional<int> reserved) {
  std::lock_guard guard(mutex_);
  return acquire_locked(function, reserved);
}

EnvironmentPool::Admission EnvironmentPool::acquire_within(const std::string& function,
                                                           std::optional<int> reserved,
                                                           std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  Admission admission = Admission::machine_full;
  clock_.wait_until(lock, wake_, clock_.steady() + wait, [&] {
    // Asked more than once: a slot that was granted must not be taken again.
    if (admission == Admission::machine_full) admission = acquire_locked(function, reserved);
    return admission != Admission::machine_full;
  });
  return admission;
}

void EnvironmentPool::release(const std::string& function, bool notify) {
  {
    std::lock_guard guard(mutex_);
    --in_use_;
    auto mine = in_use_by_function_.find(function);
    if (--mine->second == 0) in_use_by_function_.erase(mine);
    wake_.notify_all();
  }
  if (notify && released_) released_();
}

base::Result<EnvironmentPool::Warm> EnvironmentPool::take_or_start(
    const std::shared_ptr<const FunctionVersion>& function) {
  std::list<Warm> ended;  // destroyed after the lock is released
  EnvironmentOptions options;
  {
    std::lock_guard guard(mutex_);
    if (stopping_) return base::transient("SHUTTING_DOWN", "the local cloud is being stopped");
    // The one used last is the warmest.
    for (auto warm = idle_.end(); warm != idle_.begin();) {
      --warm;
      if (warm->environment->function().revision_id != function->revision_id) continue;
      if (warm->environment->reusable() &&
          clock_.steady() - warm->started_at < kEnvironmentLifeMax) {
        Warm taken = std::move(*warm);
        idle_.erase(warm);
        return taken;
      }
      auto next = std::next(warm);
      ended.splice(ended.end(), idle_, warm);
      warm = next;
    }
    // No more processes than invocations at once: the one idle for longest makes room.
    while (!idle_.empty() && idle_.size() + busy_.size() >= options_.concurrency_max)
      ended.splice(ended.end(), idle_, idle_.begin());
    options.endpoint_url = endpoint_url_;
    ++started_;
  }
  ended.clear();
  options.function = function;
  options.log = options_.log;
  if (options_.may_log)
    options.may_log = [this, function](std::string_view stream) {
      return options_.may_log(*function, stream);
    };
  options.scratch_directory = options_.scratch_root / base::random_hex(8);
  IMGPROC_TRY(auto credentials, options_.issue_credentials(*function));
  options.access_key_id = credentials.access_key_id;
  options.secret_access_key = credentials.secret_access_key;
  options.session_token = credentials.session_token;
  IMGPROC_TRY(auto environment, Environment::start(std::move(options), clock_));
  return Warm{std::move(environment), {}, clock_.steady()};
}

Outcome EnvironmentPool::invoke(const std::shared_ptr<const FunctionVersion>& function,
                                const InvocationRequest& request) {
  for (int attempt = 1;; ++attempt) {
    auto warm = take_or_start(function);
    if (!warm) {
      base::log_error("a function's environment cannot be started",
                      {{"function", function->name}, {"error", warm.error().describe()}});
      return start_failure(request, warm.error());
    }
    std::list<Busy>::iterator busy;
    {
      std::lock_guard guard(mutex_);
      busy = busy_.insert(busy_.end(), {warm->environment.get()});
      if (stopping_) warm->environment->terminate();
    }
    Outcome outcome = warm->environment->invoke(request);
    give_back(std::move(*warm), busy);
    if (outcome.end != Outcome::End::stale || attempt == kStaleMax) return outcome;
  }
}

void EnvironmentPool::give_back(Warm warm, std::list<Busy>::iterator busy) {
  std::unique_lock lock(mutex_);
  bool keep = !busy->retired && !stopping_ && warm.environment->reusable();
  busy_.erase(busy);
  if (keep) {
    warm.idle_since = clock_.steady();
    idle_.push_back(std::move(warm));
  }
  wake_.notify_all();
  lock.unlock();
  // An environment that is not kept ends here, outside the lock.
}

void EnvironmentPool::retire(const std::string& function) {
  std::list<Warm> ended;
  std::lock_guard guard(mutex_);
  for (auto warm = idle_.begin(); warm != idle_.end();) {
    auto next = std::next(warm);
    if (warm->environment->function().name == function &&
        warm->environment->function().version == kLatest)
      ended.splice(ended.end(), idle_, warm);
    warm = next;
  }
  for (Busy& busy : busy_)
    if (busy.environment->function().name == function &&
        busy.environment->function().version == kLatest)
      busy.retired = true;
}

void EnvironmentPool::stop() {
  std::list<Warm> ended;
  {
    std::lock_guard guard(mutex_);
    stopping_ = true;
    wake_.notify_all();
    ended.swap(idle_);
    for (Busy& busy : busy_) busy.environment->terminate();
  }
  auto since = std::chrono::steady_clock::now();
  for (Warm& warm : ended) warm.environment->terminate();
  for (Warm& warm : ended) warm.environment->wait_closed(since);
  ended.clear();
  std::unique_lock lock(mutex_);
  if (wake_.wait_until(lock, since + kTerminateGrace, [&] { return busy_.empty(); })) return;
  for (Busy& busy : busy_) busy.environment->wait_closed(since);
  wake_.wait(lock, [&] { return busy_.empty(); });
}

EnvironmentPool::Stats EnvironmentPool::stats() const {
  std::lock_guard guard(mutex_);
  return {busy_.size(), idle_.size(), started_};
}

void EnvironmentPool::run_reaper() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    std::list<Warm> ended;
    while (!idle_.empty() && clock_.steady() - idle_.front().idle_since >= kIdleTimeout)
      ended.splice(ended.end(), idle_, idle_.begin());
    if (!ended.empty()) {
      lock.unlock();
      auto since = std::chrono::steady_clock::now();
      for (Warm& warm : ended) warm.environment->terminate();
      for (Warm& warm : ended) warm.environment->wait_closed(since);
      ended.clear();
      lock.lock();
      continue;
    }
    auto deadline =
        idle_.empty() ? clock_.steady() + kIdleTimeout : idle_.front().idle_since + kIdleTimeout;
    clock_.wait_until(lock, wake_, deadline, [&] { return stopping_; });
  }
}

}  // namespace imgproc::localcloud::lambda
