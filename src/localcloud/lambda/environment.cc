#include "localcloud/lambda/environment.h"

#include <fmt/format.h>

#include <cmath>

#include "base/log.h"
#include "base/random.h"
#include "base/time.h"

namespace imgproc::localcloud::lambda {
namespace {

/// A runtime keeps one or two connections open; more than this is a mistake of the function.
constexpr std::size_t kRuntimeConnectionsMax = 8;
constexpr std::uint64_t kBytesPerMb = 1024 * 1024;

double to_ms(std::chrono::microseconds time) {
  return static_cast<double>(time.count()) / 1000.0;
}
std::int64_t to_billed_ms(std::chrono::microseconds time) {
  return static_cast<std::int64_t>(std::ceil(to_ms(time)));
}
std::uint64_t to_mb(std::uint64_t bytes) {
  return (bytes + kBytesPerMb - 1) / kBytesPerMb;
}

std::string error_document(std::string_view type, std::string_view message) {
  return base::json::serialize(base::json::object{{"errorType", type}, {"errorMessage", message}});
}

}  // namespace

Environment::Environment(EnvironmentOptions options, base::Clock& clock)
    : options_(std::move(options)), clock_(clock), api_(clock) {}

base::Result<std::unique_ptr<Environment>> Environment::start(EnvironmentOptions options,
                                                              base::Clock& clock) {
  std::unique_ptr<Environment> environment(new Environment(std::move(options), clock));
  IMGPROC_CHECK(environment->launch());
  return environment;
}

base::Status Environment::launch() {
  std::error_code error;
  std::filesystem::create_directories(options_.scratch_directory, error);
  if (error)
    return base::system_error("cannot create " + options_.scratch_directory.string(),
                              error.value());

  // YYYY/MM/DD/[VERSION]32 hexadecimal digits
  std::string date = base::to_iso8601(clock_.now()).substr(0, 10);
  for (char& c : date)
    if (c == '-') c = '/';
  log_stream_ = fmt::format("{}/[{}]{}", date, options_.function->version, base::random_hex(16));

  http::ServerOptions server;
  server.connections_max = kRuntimeConnectionsMax;
  IMGPROC_TRY(server_, http::Server::start(api_, server));

  const FunctionVersion& function = *options_.function;
  ChildOptions child;
  child.executable = function.code.directory / "bootstrap";
  child.working_directory = function.code.directory;
  child.environment = variables();
  child.memory_bytes_max = static_cast<std::uint64_t>(function.settings.memory_mb) * kBytesPerMb;
  started_at_ = clock_.steady();
  emit_platform("platform.initStart",
                fmt::format("INIT_START Runtime Version: {}", function.settings.runtime),
                {{"initializationType", "on-demand"},
                 {"phase", "init"},
                 {"runtimeVersion", function.settings.runtime}});
  IMGPROC_TRY(child_, ChildProcess::start(
                          std::move(child), [this](std::string_view line) { emit(line); },
                          [this](const ChildExit& exit) {
                            {
                              std::lock_guard guard(mutex_);
                              exit_ = exit;
                            }
                            api_.stop();
                          }));
  child_->watch_memory(true);
  return {};
}

Environment::~Environment() {
  if (child_) child_->kill();
  child_.reset();
  api_.stop();
  server_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(options_.scratch_directory, ignored);
}

void Environment::terminate() {
  if (child_) child_->terminate();
}

void Environment::wait_closed(std::chrono::steady_clock::time_point since) {
  if (!child_) return;
  auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      since + kTerminateGrace - std::chrono::steady_clock::now());
  if (!child_->wait_exit(std::max(left, std::chrono::milliseconds(0)))) child_->kill();
}

std::vector<std::string> Environment::variables() const {
  const FunctionVersion& function = *options_.function;
  const std::string root = function.code.directory.string();
  // Source: "Defined runtime environment variables" of the Lambda developer guide.
  std::map<std::string, std::string> variables{
      {"_HANDLER", function.settings.handler},
      {"AWS_LAMBDA_RUNTIME_API", fmt::format("127.0.0.1:{}", server_->port())},
      {"AWS_LAMBDA_FUNCTION_NAME", function.name},
      {"AWS_LAMBDA_FUNCTION_VERSION", function.version},
      {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", std::to_string(function.settings.memory_mb)},
      {"AWS_LAMBDA_LOG_GROUP_NAME", function.log_group()},
      {"AWS_LAMBDA_LOG_STREAM_NAME", log_stream_},
      {"AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"},
      {"AWS_REGION", function.region},
      {"AWS_DEFAULT_REGION", function.region},
      {"AWS_ACCESS_KEY_ID", options_.access_key_id},
      {"AWS_SECRET_ACCESS_KEY", options_.secret_access_key},
      {"AWS_SESSION_TOKEN", options_.session_token},
      {"LAMBDA_TASK_ROOT", root},
      {"LAMBDA_RUNTIME_DIR", "/var/runtime"},
      {"LANG", "en_US.UTF-8"},
      {"TZ", ":UTC"},
      {"PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin"},
      {"LD_LIBRARY_PATH",
       fmt::format("/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:{}:{}/lib:/opt/lib", root,
                   root)},
      // Not Lambda's: there /tmp itself is private.
      {"TMPDIR", options_.scratch_directory.string()},
  };
  if (!options_.endpoint_url.empty()) variables["AWS_ENDPOINT_URL"] = options_.endpoint_url;
  if (function.settings.log_format == "JSON") {
    variables["AWS_LAMBDA_LOG_FORMAT"] = "JSON";
    variables["AWS_LAMBDA_LOG_LEVEL"] = function.settings.application_log_level.empty()
                                            ? "INFO"
                                            : function.settings.application_log_level;
  }
  for (const auto& [name, value] : function.settings.variables) variables[name] = value;
  std::vector<std::string> out;
  out.reserve(variables.size());
  for (const auto& [name, value] : variables) out.push_back(fmt::format("{}={}", name, value));
  return out;
}

void Environment::emit(std::string_view line) {
  {
    std::lock_guard guard(mutex_);
    tail_.append(line).push_back('\n');
    if (tail_.size() > kLogTailBytesMax) tail_.erase(0, tail_.size() - kLogTailBytesMax);
  }
  options_.log(options_.function->log_group(), log_stream_, clock_.now(), line);
}

void Environment::emit_platform(std::string_view type, std::string_view text,
                                base::json::object record) {
  const FunctionSettings& settings = options_.function->settings;
  if (settings.log_format != "JSON") {
    if (!text.empty()) emit(text);
    return;
  }
  if (settings.system_log_level == "WARN") return;
  emit(base::json::serialize(base::json::object{
      {"time", base::to_iso8601(clock_.now())}, {"type", type}, {"record", std::move(record)}}));
}

Outcome Environment::invoke(const InvocationRequest& request) {
  {
    std::lock_guard guard(mutex_);
    if (initialized_) tail_.clear();  // lines of a cold start belong to its first invocation
  }
  if (initialized_ && !child_->alive()) {
    broken_ = true;
    return {.end = Outcome::End::stale, .error_type = "Runtime.ExitError"};
  }
  bool first = !initialized_;
  child_->watch_memory(true);
  auto began = clock_.steady();
  Outcome outcome = run(request);
  if (outcome.end == Outcome::End::stale) return outcome;
  child_->drain();
  child_->watch_memory(false);
  if (first)
    outcome.init_duration =
        std::min(outcome.init_duration, kInitTimeout + std::chrono::microseconds(0));
  auto whole = std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady() - began);
  if (outcome.duration.count() == 0) outcome.duration = whole;
  outcome.memory_bytes_peak = child_->memory_bytes_peak();
  report(request, outcome);
  std::lock_guard guard(mutex_);
  outcome.log_tail = tail_;
  return outcome;
}

Outcome Environment::run(const InvocationRequest& request) {
  const auto timeout = std::chrono::seconds(options_.function->settings.timeout_s);
  auto start_line = [&] {
    emit_platform("platform.start",
                  fmt::format("START RequestId: {} Version: {}", request.request_id,
                              options_.function->version),
                  {{"requestId", request.request_id}, {"version", options_.function->version}});
  };
  std::chrono::microseconds init{0};
  if (!initialized_) {
    auto waited = api_.wait_initialized(started_at_ + kInitTimeout);
    init = std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady() - started_at_);
    if (waited != RuntimeApi::Wait::done || !api_.initialized()) {
      start_line();
      Outcome outcome;
      if (waited == RuntimeApi::Wait::stopped) {
        outcome = exited(request);
      } else if (waited == RuntimeApi::Wait::timed_out) {
        outcome = timed_out(request, kInitTimeout);
      } else {
        auto reported = api_.take_report();
        outcome.end = Outcome::End::reported_error;
        outcome.error_type = reported ? reported->error_type : "Runtime.InitError";
        outcome.payload = reported ? std::move(reported->payload) : "{}";
        child_->kill();
      }
      broken_ = true;
      outcome.init_duration = init;
      return outcome;
    }
    initialized_ = true;
  }
  start_line();
  auto began = clock_.steady();
  auto waited = api_.invoke(request, timeout);
  auto elapsed = std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady() - began);
  Outcome outcome;
  if (waited == RuntimeApi::Wait::done) {
    auto reported = api_.take_report();
    outcome.end = reported->error ? Outcome::End::reported_error : Outcome::End::answered;
    outcome.error_type = std::move(reported->error_type);
    outcome.payload = std::move(reported->payload);
  } else if (waited == RuntimeApi::Wait::timed_out) {
    outcome = timed_out(request, timeout);
    broken_ = true;
  } else if (init.count() == 0 && !api_.taken()) {
    broken_ = true;
    return {.end = Outcome::End::stale, .error_type = "Runtime.ExitError"};
  } else {
    outcome = exited(request);
    broken_ = true;
  }
  outcome.duration = elapsed;
  outcome.init_duration = init;
  return outcome;
}

Outcome Environment::timed_out(const InvocationRequest& request, std::chrono::milliseconds after) {
  child_->kill();
  std::string text = fmt::format("Task timed out after {:.2f} seconds",
                                 static_cast<double>(after.count()) / 1000.0);
  // The log has the time in front, as AWS writes it.
  emit(fmt::format("{} {} {}", base::to_iso8601(clock_.now()), request.request_id, text));
  return {.end = Outcome::End::timed_out,
          .error_type = "Sandbox.Timedout",
          .payload = error_document("Sandbox.Timedout", fmt::format("RequestId: {} Error: {}",
                                                                    request.request_id, text))};
}

Outcome Environment::exited(const InvocationRequest& request) {
  ChildExit exit;
  {
    std::lock_guard guard(mutex_);
    exit = exit_;
  }
  std::string type = exit.out_of_memory ? "Runtime.OutOfMemory" : "Runtime.ExitError";
  std::string text = exit.signal == 0 && exit.status == 0
                         ? "Runtime exited without providing a reason"
                         : fmt::format("Runtime exited with error: {}", exit.describe());
  std::string message = fmt::format("RequestId: {} Error: {}", request.request_id, text);
  emit(fmt::format("{} {}", message, type));
  return {
      .end = Outcome::End::exited, .error_type = type, .payload = error_document(type, message)};
}

void Environment::report(const InvocationRequest& request, const Outcome& outcome) {
  const FunctionSettings& settings = options_.function->settings;
  emit_platform(
      "platform.runtimeDone", fmt::format("END RequestId: {}", request.request_id),
      {{"requestId", request.request_id}, {"status", outcome.failed() ? "failure" : "success"}});
  // Since 2025 AWS bills the initialization too.
  std::int64_t billed_ms = to_billed_ms(outcome.duration + outcome.init_duration);
  std::string text = fmt::format(
      "REPORT RequestId: {}\tDuration: {:.2f} ms\tBilled Duration: {} ms\tMemory Size: {} MB\tMax "
      "Memory Used: {} MB\t",
      request.request_id, to_ms(outcome.duration), billed_ms, settings.memory_mb,
      to_mb(outcome.memory_bytes_peak));
  base::json::object metrics{{"durationMs", to_ms(outcome.duration)},
                             {"billedDurationMs", billed_ms},
                             {"memorySizeMB", settings.memory_mb},
                             {"maxMemoryUsedMB", to_mb(outcome.memory_bytes_peak)}};
  if (outcome.init_duration.count() != 0) {
    text += fmt::format("Init Duration: {:.2f} ms\t", to_ms(outcome.init_duration));
    metrics["initDurationMs"] = to_ms(outcome.init_duration);
  }
  std::string_view status = "success";
  if (outcome.end == Outcome::End::timed_out) {
    status = "timeout";
    text += "Status: timeout";
  } else if (outcome.end == Outcome::End::exited) {
    status = "error";
    text += fmt::format("Status: error\tError Type: {}", outcome.error_type);
  }
  emit_platform(
      "platform.report", text,
      {{"requestId", request.request_id}, {"metrics", std::move(metrics)}, {"status", status}});
}

}  // namespace imgproc::localcloud::lambda
