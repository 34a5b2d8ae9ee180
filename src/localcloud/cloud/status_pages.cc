// /_health (JSON) and /_metrics (Prometheus text).

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "base/json.h"
#include "base/log.h"
#include "localcloud/cloud/cloud.h"

namespace imgproc::localcloud {
namespace {

std::uint64_t resident_bytes() {
  unsigned long long size = 0;
  unsigned long long resident = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  int fields = std::fscanf(file, "%llu %llu", &size, &resident);
  std::fclose(file);
  return fields == 2 ? resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

/// A label's value: printable, and with what Prometheus escapes.
std::string label(std::string_view value) {
  std::string out;
  for (char c : value.substr(0, 100)) {
    if (c == '\\' || c == '"') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F ? '_' : c;
  }
  return out;
}

}  // namespace

http::Response Cloud::health() {
  http::Response response;
  response.headers.set("Content-Type", "application/json");
  auto queue = lambda_->queue().stats();
  base::json::array services;
  for (const auto& [name, handler] : services_) services.emplace_back(name);
  auto uptime =
      std::chrono::duration_cast<std::chrono::seconds>(clock_.now() - started_at_).count();
  base::json::object body{{"status", queue ? "ok" : "failing"},
                          {"version", IMGPROC_VERSION},
                          {"uptime_seconds", uptime},
                          {"services", std::move(services)}};
  if (queue) {
    body["queue"] = base::json::object{{"waiting", queue->waiting},
                                       {"running", queue->running},
                                       {"dead_letters", queue->dead_letters}};
  } else {
    body["error"] = queue.error().describe();
    response.status = 503;
  }
  response.body = base::json::serialize(body);
  return response;
}

http::Response Cloud::metrics() {
  std::string text;
  auto add = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    text += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3}\n", name, help, type, value);
  };
  text +=
      "# HELP imgproc_requests_total Requests answered.\n# TYPE imgproc_requests_total counter\n";
  for (const auto& [key, count] : request_metrics_.counts())
    text +=
        fmt::format("imgproc_requests_total{{service=\"{}\",operation=\"{}\",status=\"{}\"}} {}\n",
                    label(std::get<0>(key)), label(std::get<1>(key)), std::get<2>(key), count);
  if (auto queue = lambda_->queue().stats()) {
    add("imgproc_queue_waiting", "gauge", "Events that wait for an invocation.", queue->waiting);
    add("imgproc_queue_running", "gauge", "Events under way.", queue->running);
    add("imgproc_queue_oldest_age_seconds", "gauge", "Age of the oldest event.",
        static_cast<double>(queue->oldest_age.count()) / 1000.0);
    add("imgproc_dead_letters", "gauge", "Events given up and kept.", queue->dead_letters);
  }
  const lambda::Metrics& lambda = lambda_->metrics();
  add("imgproc_invocations_total", "counter", "Invocations of functions.",
      lambda.invocations.load());
  add("imgproc_invocation_errors_total", "counter", "Invocations that failed.",
      lambda.errors.load());
  add("imgproc_invocation_timeouts_total", "counter", "Invocations that ran out of time.",
      lambda.timeouts.load());
  add("imgproc_invocation_throttles_total", "counter",
      "Invocations refused for want of concurrency.", lambda.throttles.load());
  add("imgproc_invocation_retries_total", "counter",
      "Events that failed and wait for another attempt.", lambda.retries.load());
  add("imgproc_invocation_duration_seconds_total", "counter", "Time spent in functions.",
      static_cast<double>(lambda.duration_ms.load()) / 1000.0);
  auto environments = lambda_->environments();
  add("imgproc_environments_busy", "gauge", "Execution environments with an invocation.",
      environments.busy);
  add("imgproc_environments_idle", "gauge", "Warm execution environments.", environments.idle);
  add("imgproc_environments_started_total", "counter", "Cold starts.", environments.started);
  add("process_resident_memory_bytes", "gauge", "Resident memory of this process.",
      resident_bytes());
  http::Response response;
  response.headers.set("Content-Type", "text/plain; version=0.0.4");
  response.body = std::move(text);
  return response;
}

}  // namespace imgproc::localcloud
