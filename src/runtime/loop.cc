#include "runtime/loop.h"

#include <condition_variable>
#include <mutex>

#include "base/log.h"

namespace imgproc::runtime {
namespace {

void pause(base::Clock& clock, int failures) {
  std::mutex mutex;
  std::condition_variable wake;
  std::unique_lock lock(mutex);
  clock.wait_until(lock, wake, clock.steady() + kFailureWait * (1 << (failures - 1)),
                   [] { return false; });
}

/// Calls until it succeeds, fails for good, or has failed too often in a row.
template <class Call>
auto persist(base::Clock& clock, const std::function<bool()>& stopping, const Call& call) {
  for (int failures = 1;; ++failures) {
    auto result = call();
    if (result || !result.error().retryable || failures >= kFailuresInRowMax || stopping())
      return result;
    base::log_warn(
        "the Runtime API failed, trying again",
        {{"code", result.error().code}, {"error", result.error().message}, {"failures", failures}});
    pause(clock, failures);
  }
}

base::Status deliver(RuntimeClient& client, const Invocation& invocation,
                     const base::Result<std::string>& outcome) {
  if (!outcome) return client.fail(invocation.request_id, outcome.error());
  base::Status sent = client.respond(invocation.request_id, *outcome);
  // The event must get an answer: that it has no answer we may send is one.
  if (!sent && sent.error().code == "RESPONSE_TOO_LARGE")
    return client.fail(invocation.request_id, sent.error());
  return sent;
}

int give_up(const base::Error& error) {
  if (error.code == kEnvironmentGone) return 0;
  base::log_error("the Runtime API is lost", {{"code", error.code}, {"error", error.message}});
  return 1;
}

}  // namespace

int run(RuntimeClient& client, const Handler& handler, base::Clock& clock,
        const std::function<bool()>& stopping) {
  while (!stopping()) {
    auto invocation = persist(clock, stopping, [&] { return client.next(); });
    if (!invocation) return stopping() ? 0 : give_up(invocation.error());
    base::Result<std::string> outcome = handler(*invocation);
    auto sent =
        persist(clock, [] { return false; }, [&] { return deliver(client, *invocation, outcome); });
    if (sent) continue;
    // Lambda has closed the matter (time-out, unknown id): that event is over, the next may come.
    if (sent.error().code != "REQUEST_REJECTED") return give_up(sent.error());
    base::log_warn("the Runtime API refused an answer",
                   {{"request_id", invocation->request_id}, {"error", sent.error().message}});
  }
  return 0;
}

}  // namespace imgproc::runtime
