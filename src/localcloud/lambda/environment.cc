#include "localcloud/lambda/environment.h"

#include <fmt/format.h>

#include <cmath>

#include "base/log.h"
#include "base/random.h"
#include "base/time.h"
#include "localcloud/lambda/architecture.h"

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

/// The folder of the package is /var/task for the function.
std::string as_function_sees(std::string text, const std::filesystem::path& code_directory) {
  const std::string folder = code_directory.string();
  if (std::size_t at = text.find(folder); at != std::string::npos)
    text.replace(at, folder.size(), "/var/task");
  return text;
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
  if (options_.may_log && !options_.may_log(log_stream_)) options_.log = nullptr;

  http::ServerOptions server;
  server.connections_max = kRuntimeConnectionsMax;
  IMGPROC_TRY(server_, http::Server::start(api_, server));

  started_at_ = clock_.steady();
  const std::string& runtime = options_.function->settings.runtime;
  emit_platform(
      Level::info, "platform.initStart", fmt::format("INIT_START Runtime Version: {}", runtime),
      {{"initializationType", "on-demand"}, {"phase", "init"}, {"runtimeVersion", runtime}});
  return launch_again();
}

base::Status Environment::launch_again() {
  std::unique_ptr<ChildProcess> before;
  {
    std::lock_guard guard(child_mutex_);
    before = std::move(child_);
  }
  before.reset();
  api_.reset();
  exit_ = {};

  const FunctionVersion& function = *options_.function;
  ChildOptions child;
  child.executable = function.code.directory / "bootstrap";
  // qemu-user would run what Lambda refuses.
  if (auto made_for = program_architecture(child.executable);
      !made_for.empty() && made_for != function.settings.architecture) {
    start_failure_ = "fork/exec /var/task/bootstrap: exec format error";
    return {};
  }
  child.working_directory = function.code.directory;
  child.environment = variables();
  child.memory_bytes_max = static_cast<std::uint64_t>(function.settings.memory_mb) * kBytesPerMb;
  std::lock_guard guard(child_mutex_);
  // Whoever stops the environment does not wait for another start.
  if (terminated_) {
    start_failure_ = "the execution environment is being stopped";
    return {};
  }
  auto started = ChildProcess::start(
      std::move(child), [this](std::string_view line) { emit(line); },
      [this](const ChildExit& exit) {
        {
          std::lock_guard lock(mutex_);
          exit_ = exit;
        }
        api_.stop();
      });
  if (!started && started.error().code != "CHILD_START_FAILED")
    return std::unexpected(std::move(started).error());
  if (!started) {
    start_failure_ = as_function_sees(started.error().message, function.code.directory);
    return {};
  }
  child_ = std::move(*started);
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
  std::lock_guard guard(child_mutex_);
  terminated_ = true;
  if (child_) child_->terminate();
}

void Environment::wait_closed(std::chrono::steady_clock::time_point since) {
  std::lock_guard guard(child_mutex_);
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
  if (options_.log) options_.log(options_.function->log_group(), log_stream_, clock_.now(), line);
}

void Environment::emit_platform(Level level, std::string_view type, std::string_view text,
                                base::json::object record) {
  const FunctionSettings& settings = options_.function->settings;
  if (settings.log_format != "JSON") {
    if (!text.empty()) emit(text);
    return;
  }
  Level least = settings.system_log_level == "WARN"    ? Level::warn
                : settings.system_log_level == "DEBUG" ? Level::debug
                                                       : Level::info;
  if (level < least) return;
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
  if (child_) child_->watch_memory(true);
  auto began = clock_.steady();
  Outcome outcome = run(request);
  if (outcome.end == Outcome::End::stale) return outcome;
  if (child_) {
    child_->drain();
    child_->watch_memory(false);
    outcome.memory_bytes_peak = child_->memory_bytes_peak();
  }
  if (outcome.duration.count() == 0)
    outcome.duration =
        std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady() - began);
  report(request, outcome);
  std::lock_guard guard(mutex_);
  outcome.log_tail = tail_;
  return outcome;
}

Environment::Failure Environment::timeout_failure() const {
  return {.end = Outcome::End::timed_out,
          .error_type = "Sandbox.Timedout",
          .text = fmt::format("Task timed out after {:.2f} seconds",
                              static_cast<double>(options_.function->settings.timeout_s))};
}

Outcome Environment::run(const InvocationRequest& request) {
  std::chrono::milliseconds timeout{std::chrono::seconds(options_.function->settings.timeout_s)};
  auto start_line = [&] {
    emit_platform(Level::info, "platform.start",
                  fmt::format("START RequestId: {} Version: {}", request.request_id,
                              options_.function->version),
                  {{"requestId", request.request_id}, {"version", options_.function->version}});
  };
  auto began = clock_.steady();
  auto since = [&](base::SteadyTime start) {
    return std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady() - start);
  };
  std::chrono::microseconds init{0};
  bool first = !initialized_;
  if (first) {
    auto failure = initialize("init", started_at_, kInitTimeout);
    bool twice = failure.has_value();
    if (!twice) init = since(started_at_);
    began = clock_.steady();
    if (twice) {
      // As AWS does: once more, as a part of this invocation.
      auto again = launch_again();
      failure = again ? initialize("invoke", began, timeout)
                      : Failure{.error_type = "Runtime.Unknown", .text = again.error().message};
    }
    if (failure) {
      start_line();
      broken_ = true;
      Outcome outcome = failed(request, std::move(*failure));
      outcome.duration = since(began);
      return outcome;
    }
    initialized_ = true;
    if (twice) timeout -= std::chrono::duration_cast<std::chrono::milliseconds>(since(began));
  }
  start_line();
  auto waited = api_.invoke(request, std::max(timeout, std::chrono::milliseconds{1}));
  Outcome outcome;
  if (waited == RuntimeApi::Wait::done) {
    auto reported = api_.take_report();
    outcome.end = reported->error ? Outcome::End::reported_error : Outcome::End::answered;
    outcome.error_type = std::move(reported->error_type);
    outcome.payload = std::move(reported->payload);
  } else if (waited == RuntimeApi::Wait::timed_out) {
    child_->kill();
    broken_ = true;
    outcome = failed(request, timeout_failure());
  } else if (!first && !api_.taken()) {
    broken_ = true;
    return {.end = Outcome::End::stale, .error_type = "Runtime.ExitError"};
  } else {
    broken_ = true;
    outcome = failed(request, exit_failure());
  }
  outcome.duration = since(began);
  outcome.init_duration = init;
  return outcome;
}

/// Waits for the process to become ready; nullopt if it did. What went wrong is reported as AWS
/// does, and the process is gone then.
std::optional<Environment::Failure> Environment::initialize(std::string_view phase,
                                                            base::SteadyTime since,
                                                            std::chrono::milliseconds limit) {
  Failure failure;
  if (!child_) {
    failure = {.error_type = "Runtime.InvalidEntrypoint", .text = start_failure_};
  } else {
    auto waited = api_.wait_initialized(since + limit);
    if (waited == RuntimeApi::Wait::done && api_.initialized()) return std::nullopt;
    if (waited == RuntimeApi::Wait::done) {
      auto reported = api_.take_report();
      failure.end = Outcome::End::reported_error;
      failure.error_type = reported ? reported->error_type : "Runtime.InitError";
      failure.payload = reported ? std::move(reported->payload) : "{}";
    } else if (waited == RuntimeApi::Wait::timed_out) {
      failure = timeout_failure();
    } else {
      failure = exit_failure();
    }
    child_->kill();
    child_->drain();
  }
  double duration_ms =
      to_ms(std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady() - since));
  bool late = failure.end == Outcome::End::timed_out;
  std::string text = fmt::format("INIT_REPORT Init Duration: {:.2f} ms\tPhase: {}\tStatus: {}",
                                 duration_ms, phase, late ? "timeout" : "error");
  base::json::object record{{"initializationType", "on-demand"},
                            {"phase", phase},
                            {"status", late ? "timeout" : "error"},
                            {"metrics", base::json::object{{"durationMs", duration_ms}}}};
  if (!late) {
    text += fmt::format("\tError Type: {}", failure.error_type);
    record["errorType"] = failure.error_type;
  }
  emit_platform(Level::warn, "platform.initReport", text, std::move(record));
  return failure;
}

Environment::Failure Environment::exit_failure() {
  std::lock_guard guard(mutex_);
  return {.error_type = exit_.out_of_memory ? "Runtime.OutOfMemory" : "Runtime.ExitError",
          .text = exit_.signal == 0 && exit_.status == 0
                      ? "Runtime exited without providing a reason"
                      : fmt::format("Runtime exited with error: {}", exit_.describe())};
}

/// Logs what AWS logs of it, and makes the document that the caller gets.
Outcome Environment::failed(const InvocationRequest& request, Failure failure) {
  Outcome outcome{
      .end = failure.end, .error_type = failure.error_type, .payload = std::move(failure.payload)};
  if (failure.text.empty()) return outcome;
  std::string message = fmt::format("RequestId: {} Error: {}", request.request_id, failure.text);
  outcome.payload = error_document(failure.error_type, message);
  // The time in front, as AWS writes it.
  if (failure.end == Outcome::End::timed_out)
    emit(fmt::format("{} {} {}", base::to_iso8601(clock_.now()), request.request_id, failure.text));
  else
    emit(fmt::format("{}\n{}", message, failure.error_type));
  return outcome;
}

void Environment::report(const InvocationRequest& request, const Outcome& outcome) {
  const FunctionSettings& settings = options_.function->settings;
  bool timed_out = outcome.end == Outcome::End::timed_out;
  // A failed initialization too, whoever reported it.
  bool exited = outcome.end == Outcome::End::exited || (broken_ && outcome.failed() && !timed_out);
  std::string_view done = timed_out          ? "timeout"
                          : exited           ? "error"
                          : outcome.failed() ? "failure"
                                             : "success";
  base::json::object runtime_done{{"requestId", request.request_id}, {"status", done}};
  if (outcome.failed()) runtime_done["errorType"] = outcome.error_type;
  emit_platform(outcome.failed() ? Level::warn : Level::debug, "platform.runtimeDone",
                fmt::format("END RequestId: {}", request.request_id), std::move(runtime_done));
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
  base::json::object record{{"requestId", request.request_id},
                            {"metrics", std::move(metrics)},
                            {"status", timed_out ? "timeout"
                                       : exited  ? "error"
                                                 : "success"}};
  if (timed_out) {
    text += "Status: timeout";
  } else if (exited) {
    text += fmt::format("Status: error\tError Type: {}", outcome.error_type);
    record["errorType"] = outcome.error_type;
  }
  emit_platform(timed_out || exited ? Level::warn : Level::info, "platform.report", text,
                std::move(record));
}

}  // namespace imgproc::localcloud::lambda
