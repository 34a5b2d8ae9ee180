// Invoke: RequestResponse, Event and DryRun.

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/random.h"
#include "localcloud/lambda/service.h"

namespace imgproc::localcloud::lambda {
namespace {

std::unexpected<base::Error> too_large(std::size_t bytes_max) {
  return lambda_error(
      "RequestTooLargeException",
      fmt::format("Request must be smaller than {} bytes for the InvokeFunction operation",
                  bytes_max),
      413);
}

std::unexpected<base::Error> throttled(std::string_view why) {
  auto error =
      lambda_error("TooManyRequestsException", fmt::format("Rate Exceeded. ({})", why), 429);
  error.error().retryable = true;
  return error;
}

}  // namespace

LambdaService::Answer LambdaService::invoke(Call& call) {
  std::string_view type =
      call.request.headers.get("X-Amz-Invocation-Type").value_or("RequestResponse");
  if (type != "RequestResponse" && type != "Event" && type != "DryRun")
    return invalid_parameter(
        fmt::format("X-Amz-Invocation-Type `{}` is none of RequestResponse, Event, DryRun", type));
  for (std::string_view unsupported : {"X-Amz-Durable-Execution-Name", "X-Amz-Tenant-Id"})
    if (call.request.headers.has(unsupported))
      return lambda_error("NotImplemented",
                          fmt::format("{} is not supported by the local cloud", unsupported), 501);
  IMGPROC_TRY(auto function, registry_->get(call.function.name));
  IMGPROC_TRY(auto version, registry_->resolve(call.function));
  std::size_t bytes_max = type == "Event" ? kAsyncPayloadBytesMax : kSyncPayloadBytesMax;
  auto payload = http::read_all(call.request.body, bytes_max);
  if (!payload && payload.error().code == "BODY_TOO_LARGE") return too_large(bytes_max);
  if (!payload) return std::unexpected(std::move(payload).error());
  if (!payload->empty())
    if (auto parsed = base::parse_json(*payload); !parsed)
      return lambda_error("InvalidRequestContentException",
                          "Could not parse request body into json: " + parsed.error().message, 400);
  if (type == "DryRun") return empty_response(204);
  if (payload->empty()) *payload = "{}";
  if (type == "Event") return invoke_event(call, *version, std::move(*payload));

  const std::string& name = function->latest->name;
  switch (pool_->acquire_within(name, function->reserved_concurrency, kSlotWaitMax)) {
    case EnvironmentPool::Admission::granted:
      break;
    case EnvironmentPool::Admission::function_full:
      metrics_.count_throttle(name);
      return throttled("the function's reserved concurrency is in use");
    case EnvironmentPool::Admission::machine_full:
      metrics_.count_throttle(name);
      return throttled("every slot of this machine is in use: see imgproc local --concurrency");
    case EnvironmentPool::Admission::stopped:
      return lambda_error("ServiceException", "the local cloud is being stopped", 503);
  }
  InvocationRequest request;
  request.request_id = call.caller.request_id;
  request.function_arn =
      call.function.qualifier.empty()
          ? version->arn()
          : fmt::format("{}:{}", function->latest->arn(), call.function.qualifier);
  request.trace_id = call.request.headers.get("X-Amzn-Trace-Id").value_or("");
  if (request.trace_id.empty()) request.trace_id = new_trace_id(context_.clock.now());
  request.client_context = call.request.headers.get("X-Amz-Client-Context").value_or("");
  request.payload = std::move(*payload);
  Outcome outcome = pool_->invoke(version, request);
  pool_->release(name);
  metrics_.count_invocation(name, outcome);

  http::Response response;
  response.headers.set("Content-Type", "application/json");
  response.headers.set("X-Amz-Executed-Version", version->version);
  response.headers.set("X-Amzn-Trace-Id", request.trace_id);
  if (outcome.failed()) response.headers.set("X-Amz-Function-Error", "Unhandled");
  if (call.request.headers.get("X-Amz-Log-Type") == "Tail")
    response.headers.set("X-Amz-Log-Result", base::to_base64(outcome.log_tail));
  response.body = std::move(outcome.payload);
  return response;
}

LambdaService::Answer LambdaService::invoke_event(Call& call, const FunctionVersion& version,
                                                  std::string payload) {
  QueuedEvent event;
  event.request_id = call.caller.request_id;
  event.function = version.name;
  event.qualifier = call.function.qualifier;
  event.payload = std::move(payload);
  event.trace_id = call.request.headers.get("X-Amzn-Trace-Id").value_or("");
  if (event.trace_id.empty()) event.trace_id = new_trace_id(context_.clock.now());
  IMGPROC_CHECK(context_.database.write(
      [&](Connection& connection) { return queue_->enqueue(connection, event); }));
  dispatcher_->wake();
  return empty_response(202);
}

}  // namespace imgproc::localcloud::lambda
