#pragma once
// Source: "Exponential Backoff And Jitter" on the AWS Architecture Blog (full jitter), and the
// standard retry mode of the AWS SDKs.

#include <chrono>
#include <functional>
#include <memory>

#include "base/clock.h"
#include "http/exchange.h"

namespace imgproc::aws {

struct RetryPolicy {
  /// The first try included.
  int attempts_max = 5;
  /// The wait before try n+1 is drawn evenly from 0 .. min(wait_max, wait_base * 2^(n-1)).
  std::chrono::milliseconds wait_base{50};
  std::chrono::milliseconds wait_max{5000};
  /// No new try begins later than this after the first began.
  std::chrono::milliseconds total_max{20000};
};

/// Sends again what may succeed the next time: connection errors, 429, 500, 502, 503, 504, and
/// errors whose code asks for it (throttling comes as 400 from DynamoDB). A request whose body is a
/// stream is sent once, since the stream is used up. After the last try its own answer or error is
/// returned. A write whose answer got lost may so be done twice: callers' conditions must bear it.
/// Thread-safe.
class RetryExchange final : public http::Exchange {
 public:
  /// Draws from [0, 1).
  using Random = std::function<double()>;
  /// No try begins after this moment either; for the end of the invocation under way.
  using Deadline = std::function<base::SteadyTime()>;
  /// `clock` is borrowed. An empty `random` takes the kernel's, an empty `deadline` is none.
  RetryExchange(std::unique_ptr<http::Exchange> inner, base::Clock& clock, RetryPolicy policy = {},
                Random random = {}, Deadline deadline = {});
  [[nodiscard]] base::Result<http::Response> send(http::Request request) override;

 private:
  void wait(std::chrono::milliseconds duration);

  std::unique_ptr<http::Exchange> inner_;
  base::Clock& clock_;
  RetryPolicy policy_;
  Random random_;
  Deadline deadline_;
};

}  // namespace imgproc::aws
