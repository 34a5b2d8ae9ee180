#pragma once
// What the Lambda service counts: for /_metrics, and published as AWS/Lambda's own metrics.

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "localcloud/lambda/environment.h"

namespace imgproc::localcloud::lambda {

struct Metrics {
  std::atomic<std::uint64_t> invocations{0};
  std::atomic<std::uint64_t> errors{0};
  std::atomic<std::uint64_t> timeouts{0};
  std::atomic<std::uint64_t> throttles{0};
  std::atomic<std::uint64_t> retries{0};
  std::atomic<std::uint64_t> dead_letters{0};
  std::atomic<std::uint64_t> duration_ms{0};
  /// Takes "Invocations", "Errors", "Duration" (ms), "Throttles", "AsyncEventAge" (ms) and
  /// "AsyncEventsDropped" of a function; may be empty. Set before anything is counted.
  std::function<void(std::string_view metric, const std::string& function, double value)> publish;

  void count_invocation(const std::string& function, const Outcome& outcome) {
    double milliseconds = static_cast<double>(outcome.duration.count()) / 1000.0;
    if (publish) {
      publish("Invocations", function, 1);
      publish("Errors", function, outcome.failed() ? 1 : 0);
      publish("Duration", function, milliseconds);
    }
    duration_ms += static_cast<std::uint64_t>(milliseconds);
    if (outcome.end == Outcome::End::timed_out) ++timeouts;
    if (outcome.failed()) ++errors;
    ++invocations;
  }
  /// How long an event has waited and been retried when an attempt begins.
  void count_age(const std::string& function, std::chrono::milliseconds age) const {
    if (publish) publish("AsyncEventAge", function, static_cast<double>(age.count()));
  }
  void count_dropped(const std::string& function) {
    if (publish) publish("AsyncEventsDropped", function, 1);
    ++dead_letters;
  }
  void count_throttle(const std::string& function) {
    if (publish) publish("Throttles", function, 1);
    ++throttles;
  }
};

}  // namespace imgproc::localcloud::lambda
