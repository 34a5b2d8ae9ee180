#include "aws/retry_exchange.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "aws/service_error.h"
#include "base/random.h"

namespace imgproc::aws {
namespace {

http::Request copy_of(const http::Request& request) {
  http::Request copy;
  copy.method = request.method;
  copy.target = request.target;
  copy.headers = request.headers;
  copy.body = request.body.text;
  return copy;
}

/// True if the answer asks for another try. Reads the body of a 400 to know, and puts it back.
bool asks_for_retry(http::Response& response) {
  if (is_retryable_status(response.status)) return true;
  if (response.status != 400) return false;
  auto body = http::read_all(response.body, kErrorBytesMax);
  // A broken or endless error body: nothing is known, so the answer stands as a plain 400.
  std::string text = body ? *std::move(body) : std::string();
  bool retry = is_retryable_code(error_code_in(response, text));
  response.body = std::move(text);
  return retry;
}

}  // namespace

RetryExchange::RetryExchange(std::unique_ptr<http::Exchange> inner, base::Clock& clock,
                             RetryPolicy policy, Random random, Deadline deadline)
    : inner_(std::move(inner)),
      clock_(clock),
      policy_(policy),
      random_(std::move(random)),
      deadline_(std::move(deadline)) {
  if (!random_) random_ = [] { return static_cast<double>(base::random_u64() >> 11) * 0x1p-53; };
}

base::Result<http::Response> RetryExchange::send(http::Request request) {
  if (request.body.stream) return inner_->send(std::move(request));
  base::SteadyTime end = clock_.steady() + policy_.total_max;
  if (deadline_) end = std::min(end, deadline_());
  auto ceiling = policy_.wait_base;
  for (int attempt = 1;; ++attempt) {
    if (attempt >= policy_.attempts_max) return inner_->send(std::move(request));
    auto response = inner_->send(copy_of(request));
    if (response ? !asks_for_retry(*response) : !response.error().retryable) return response;
    auto pause = std::chrono::milliseconds(static_cast<long long>(
        random_() * static_cast<double>(std::min(ceiling, policy_.wait_max).count() + 1)));
    ceiling = std::min(ceiling * 2, policy_.wait_max);
    if (clock_.steady() + pause > end) return response;
    // An answer that was read to its end leaves its connection fit for the next try.
    if (response) (void)http::read_all(response->body, kErrorBytesMax);
    wait(pause);
  }
}

void RetryExchange::wait(std::chrono::milliseconds duration) {
  if (duration.count() <= 0) return;
  std::mutex mutex;
  std::condition_variable wake;
  std::unique_lock lock(mutex);
  clock_.wait_until(lock, wake, clock_.steady() + duration, [] { return false; });
}

}  // namespace imgproc::aws
