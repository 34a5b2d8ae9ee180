#include "runtime/runtime_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "base/bytes.h"

namespace imgproc::runtime {
namespace {

constexpr std::string_view kRoot = "/2018-06-01/runtime/";
constexpr std::size_t kAnswerBytesMax = 64 * 1024;

base::Result<std::string> required(const http::Headers& headers, std::string_view name) {
  auto value = headers.get(name);
  if (!value || value->empty())
    return base::transient("BAD_INVOCATION", fmt::format("the Runtime API sent no {}", name));
  return std::string(*value);
}

std::string text_of(http::Response& response) {
  return http::read_all(response.body, kAnswerBytesMax).value_or("");
}

/// An error code as a header value: nothing that could end the line.
std::string error_type(const base::Error& error) {
  std::string type = error.code.empty() ? "Unknown" : error.code;
  std::ranges::replace_if(type, [](char c) { return c <= 0x20 || c >= 0x7f; }, '_');
  return type;
}

}  // namespace

std::string error_json(const base::Error& error) {
  std::string message = error.message;
  if (!error.hint.empty()) message += " (" + error.hint + ")";
  return boost::json::serialize(boost::json::object{{"errorMessage", message},
                                                    {"errorType", error_type(error)},
                                                    {"stackTrace", boost::json::array{}}});
}

base::Result<Invocation> RuntimeClient::next() {
  http::Request request;
  request.target = fmt::format("{}invocation/next", kRoot);
  IMGPROC_TRY(http::Response response, exchange_.send(std::move(request)));
  if (response.status == 403 || response.status == 410)
    return base::permanent(kEnvironmentGone,
                           fmt::format("the Runtime API answered {} to next", response.status));
  if (response.status != 200) {
    std::string why =
        fmt::format("the Runtime API answered {} to next: {}", response.status, text_of(response));
    return response.status >= 500 ? base::transient("RUNTIME_API_FAILED", std::move(why))
                                  : base::permanent("REQUEST_REJECTED", std::move(why));
  }
  Invocation invocation;
  IMGPROC_TRY(invocation.request_id, required(response.headers, "Lambda-Runtime-Aws-Request-Id"));
  IMGPROC_TRY(std::string deadline, required(response.headers, "Lambda-Runtime-Deadline-Ms"));
  auto deadline_ms = base::parse_unsigned(deadline);
  // Far enough for any date, near enough that sums with it do not overflow.
  constexpr unsigned long long kDeadlineMsMax = 1ULL << 53;
  if (!deadline_ms || *deadline_ms > kDeadlineMsMax)
    return base::transient("BAD_INVOCATION",
                           fmt::format("Lambda-Runtime-Deadline-Ms is `{}`", deadline));
  invocation.deadline =
      base::SystemTime{std::chrono::milliseconds{static_cast<long long>(*deadline_ms)}};
  auto optional = [&](std::string_view name) {
    return std::string(response.headers.get(name).value_or(""));
  };
  invocation.function_arn = optional("Lambda-Runtime-Invoked-Function-Arn");
  invocation.trace_id = optional("Lambda-Runtime-Trace-Id");
  invocation.client_context = optional("Lambda-Runtime-Client-Context");
  invocation.cognito_identity = optional("Lambda-Runtime-Cognito-Identity");
  auto payload = http::read_all(response.body, kPayloadBytesMax);
  if (!payload) {
    base::Error error = payload.error();
    error.retryable = true;
    error.message = fmt::format("event {}: {}", invocation.request_id, error.message);
    return std::unexpected(std::move(error));
  }
  invocation.payload = *std::move(payload);
  return invocation;
}

base::Status RuntimeClient::respond(std::string_view request_id, std::string_view json) {
  if (json.size() > kPayloadBytesMax)
    return base::permanent(
        "RESPONSE_TOO_LARGE",
        fmt::format("the response has {} bytes, Lambda takes {}", json.size(), kPayloadBytesMax));
  return post(fmt::format("{}invocation/{}/response", kRoot, base::percent_encode(request_id)),
              json, nullptr);
}

base::Status RuntimeClient::fail(std::string_view request_id, const base::Error& error) {
  return post(fmt::format("{}invocation/{}/error", kRoot, base::percent_encode(request_id)),
              error_json(error), &error);
}

base::Status RuntimeClient::fail_init(const base::Error& error) {
  return post(fmt::format("{}init/error", kRoot), error_json(error), &error);
}

base::Status RuntimeClient::post(std::string target, std::string_view body,
                                 const base::Error* error) {
  http::Request request;
  request.method = "POST";
  request.target = std::move(target);
  request.headers.set("Content-Type", "application/json");
  if (error != nullptr)
    request.headers.set("Lambda-Runtime-Function-Error-Type", error_type(*error));
  request.body = std::string(body);
  IMGPROC_TRY(http::Response response, exchange_.send(std::move(request)));
  std::string answer = text_of(response);
  if (response.status / 100 == 2) return {};
  if (response.status == 403 || response.status == 410)
    return base::permanent(kEnvironmentGone,
                           fmt::format("the Runtime API answered {}", response.status));
  std::string why = fmt::format("the Runtime API answered {}: {}", response.status, answer);
  if (response.status >= 500) return base::transient("RUNTIME_API_FAILED", std::move(why));
  return base::permanent("REQUEST_REJECTED", std::move(why));
}

}  // namespace imgproc::runtime
