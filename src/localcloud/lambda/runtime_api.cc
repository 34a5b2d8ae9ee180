#include "localcloud/lambda/runtime_api.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace imgproc::localcloud::lambda {
namespace {

constexpr std::string_view kVersion = "/2018-06-01/runtime/";

http::Response json_response(int status, boost::json::object body) {
  http::Response response;
  response.status = status;
  response.headers.set("Content-Type", "application/json");
  response.body = boost::json::serialize(body);
  return response;
}

http::Response refuse(int status, std::string_view type, std::string_view message) {
  return json_response(status, {{"errorMessage", message}, {"errorType", type}});
}

http::Response accepted() {
  return json_response(202, {{"status", "OK"}});
}

http::Response wrong_state(std::string_view what) {
  return refuse(403, "InvalidStateTransition",
                fmt::format("{} is not allowed in this state", what));
}

/// The error type a runtime reports, kept to what a log line can carry.
std::string error_type_of(const http::Request& request) {
  auto type = request.headers.get("Lambda-Runtime-Function-Error-Type");
  if (!type || type->empty() || type->size() > 256) return "Runtime.Unknown";
  return std::string(*type);
}

}  // namespace

base::Result<http::Response> RuntimeApi::send(http::Request request) {
  std::string_view path = request.path();
  if (!path.starts_with(kVersion)) return refuse(404, "InvalidPath", "no such resource");
  path.remove_prefix(kVersion.size());
  if (path == "invocation/next") {
    if (request.method != "GET") return refuse(405, "MethodNotAllowed", "use GET");
    return next();
  }
  if (request.method != "POST") return refuse(405, "MethodNotAllowed", "use POST");
  if (path == "init/error") return init_error(request);
  if (path.starts_with("invocation/")) {
    path.remove_prefix(std::string_view("invocation/").size());
    std::size_t slash = path.find('/');
    std::string id(path.substr(0, slash));
    std::string_view what = slash == std::string_view::npos ? "" : path.substr(slash + 1);
    if (what == "response") return finish(id, false, request);
    if (what == "error") return finish(id, true, request);
  }
  return refuse(404, "InvalidPath", "no such resource");
}

http::Response RuntimeApi::next() {
  std::unique_lock lock(mutex_);
  if (state_ == State::running)
    return wrong_state("/next before the answer to the current invocation");
  if (state_ == State::failed) return wrong_state("/next after /init/error");
  if (state_ == State::starting) {
    state_ = State::idle;
    wake_.notify_all();
  }
  // The long poll has no time-out of its own: it ends with an invocation or with the environment.
  wake_.wait(lock, [&] { return stopped_ || state_ == State::offered; });
  if (stopped_) return refuse(500, "Runtime.Stopped", "the execution environment is being stopped");
  state_ = State::running;
  http::Response response;
  response.headers.set("Content-Type", "application/json");
  response.headers.set("Lambda-Runtime-Aws-Request-Id", current_.request_id);
  response.headers.set("Lambda-Runtime-Deadline-Ms",
                       fmt::format("{}", deadline_.time_since_epoch().count()));
  response.headers.set("Lambda-Runtime-Invoked-Function-Arn", current_.function_arn);
  response.headers.set("Lambda-Runtime-Trace-Id", current_.trace_id);
  if (!current_.client_context.empty())
    response.headers.set("Lambda-Runtime-Client-Context", current_.client_context);
  response.body = std::move(current_.payload);
  return response;
}

http::Response RuntimeApi::finish(std::string_view request_id, bool error, http::Request& request) {
  {
    std::lock_guard guard(mutex_);
    if (request_id != current_.request_id || request_id.empty())
      return refuse(400, "InvalidRequestID", "Invalid request ID");
    if (state_ != State::running) return wrong_state("a second answer to an invocation");
  }
  RuntimeReport report;
  report.error = error;
  if (error) report.error_type = error_type_of(request);
  // Read outside the lock: a slow body must not hold up a time-out.
  auto body = http::read_all(request.body, error ? kErrorBytesMax : kResponseBytesMax);
  bool too_large = !body && body.error().code == "BODY_TOO_LARGE";
  if (!body && !too_large) return refuse(400, "InvalidRequest", body.error().message);
  if (too_large) {
    report.error = true;
    report.error_type = "Function.ResponseSizeTooLarge";
    std::size_t bytes_max = error ? kErrorBytesMax : kResponseBytesMax;
    report.payload = boost::json::serialize(boost::json::object{
        {"errorMessage",
         fmt::format("Response payload size exceeded maximum allowed payload size ({} bytes).",
                     bytes_max)},
        {"errorType", report.error_type}});
  } else {
    report.payload = std::move(*body);
  }
  std::lock_guard guard(mutex_);
  if (state_ != State::running || request_id != current_.request_id)
    return wrong_state("an answer after the invocation ended");
  state_ = State::idle;
  report_ = std::move(report);
  wake_.notify_all();
  if (too_large)
    return refuse(
        413, "RequestEntityTooLarge",
        fmt::format("Exceeded maximum allowed payload size ({} bytes).", kResponseBytesMax));
  return accepted();
}

http::Response RuntimeApi::init_error(http::Request& request) {
  RuntimeReport report;
  report.error = true;
  report.error_type = error_type_of(request);
  auto body = http::read_all(request.body, kErrorBytesMax);
  if (!body) return refuse(413, "RequestEntityTooLarge", body.error().message);
  report.payload = std::move(*body);
  std::lock_guard guard(mutex_);
  if (state_ != State::starting) return wrong_state("/init/error after initialization");
  state_ = State::failed;
  report_ = std::move(report);
  wake_.notify_all();
  return accepted();
}

RuntimeApi::Wait RuntimeApi::wait_initialized(base::SteadyTime deadline) {
  std::unique_lock lock(mutex_);
  bool ready = clock_.wait_until(lock, wake_, deadline,
                                 [&] { return stopped_ || state_ != State::starting; });
  if (ready && state_ == State::starting) return Wait::stopped;
  return ready ? Wait::done : Wait::timed_out;
}

RuntimeApi::Wait RuntimeApi::invoke(const InvocationRequest& request,
                                    std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  if (stopped_ || state_ != State::idle) return Wait::stopped;
  current_ = request;
  report_.reset();
  deadline_ = clock_.now() + timeout;
  state_ = State::offered;
  wake_.notify_all();
  bool ready = clock_.wait_until(lock, wake_, clock_.steady() + timeout,
                                 [&] { return stopped_ || report_.has_value(); });
  if (report_) return Wait::done;
  return ready ? Wait::stopped : Wait::timed_out;
}

std::optional<RuntimeReport> RuntimeApi::take_report() {
  std::lock_guard guard(mutex_);
  return std::exchange(report_, std::nullopt);
}

bool RuntimeApi::taken() const {
  std::lock_guard guard(mutex_);
  return state_ == State::running || report_.has_value();
}

bool RuntimeApi::initialized() const {
  std::lock_guard guard(mutex_);
  return state_ != State::starting && state_ != State::failed;
}

void RuntimeApi::stop() {
  std::lock_guard guard(mutex_);
  stopped_ = true;
  wake_.notify_all();
}

void RuntimeApi::reset() {
  std::lock_guard guard(mutex_);
  state_ = State::starting;
  stopped_ = false;
  current_ = {};
  report_.reset();
}

}  // namespace imgproc::localcloud::lambda
