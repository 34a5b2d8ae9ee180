// The operations on event source mappings, and the invocations that they cause.

#include <fmt/format.h>

#include "base/random.h"
#include "localcloud/lambda/event_source_mappings.h"
#include "localcloud/lambda/service.h"

namespace imgproc::localcloud::lambda {

base::Result<EventSourceMappings*> LambdaService::mappings() {
  if (mappings_) return mappings_.get();
  return lambda_error("NotImplemented",
                      "event source mappings need queues, which are not served here", 501);
}

/// The ARN that a mapping keeps for the FunctionName of `input`; "" if there is none.
base::Result<std::string> LambdaService::mapped_function(const base::json::object& input) {
  auto name = base::json_string(input, "FunctionName");
  if (!name) return std::string();
  IMGPROC_TRY(auto reference, FunctionReference::parse(*name));
  IMGPROC_TRY(auto version, registry_->resolve(reference));
  return reference.qualifier.empty() ? version->arn()
                                     : fmt::format("{}:{}", version->arn(), reference.qualifier);
}

LambdaService::Answer LambdaService::create_event_source_mapping(Call& call) {
  IMGPROC_TRY(EventSourceMappings * known, mappings());
  IMGPROC_TRY(std::string function, mapped_function(call.input));
  if (function.empty()) return invalid_parameter("FunctionName is required.");
  IMGPROC_CHECK(check_source(
      function, std::string(base::json_string(call.input, "EventSourceArn").value_or("*"))));
  IMGPROC_TRY(auto mapping, known->create_mapping(call.input, function, call.caller.region));
  return json_response(202, mapping);
}

LambdaService::Answer LambdaService::get_event_source_mapping(Call& call) {
  IMGPROC_TRY(EventSourceMappings * known, mappings());
  IMGPROC_TRY(auto mapping, known->get_mapping(call.path.back()));
  return json_response(200, mapping);
}

LambdaService::Answer LambdaService::list_event_source_mappings(Call& call) {
  IMGPROC_TRY(EventSourceMappings * known, mappings());
  std::string function;
  if (auto name = call.query.get("FunctionName")) {
    IMGPROC_TRY(function, mapped_function({{"FunctionName", *name}}));
  }
  IMGPROC_TRY(auto list,
              known->list_mappings(function, call.query.get("EventSourceArn").value_or("")));
  return json_response(200, list);
}

LambdaService::Answer LambdaService::update_event_source_mapping(Call& call) {
  IMGPROC_TRY(EventSourceMappings * known, mappings());
  IMGPROC_TRY(std::string function, mapped_function(call.input));
  IMGPROC_TRY(auto mapping, known->update_mapping(call.path.back(), call.input, function));
  return json_response(202, mapping);
}

LambdaService::Answer LambdaService::delete_event_source_mapping(Call& call) {
  IMGPROC_TRY(EventSourceMappings * known, mappings());
  IMGPROC_TRY(auto mapping, known->delete_mapping(call.path.back()));
  return json_response(202, mapping);
}

base::Result<Outcome> LambdaService::invoke_for_queue(const std::string& function_arn,
                                                      std::string payload) {
  IMGPROC_TRY(auto reference, FunctionReference::parse(function_arn));
  IMGPROC_TRY(auto function, registry_->get(reference.name));
  IMGPROC_TRY(auto version, registry_->resolve(reference));
  auto admission =
      pool_->acquire_within(reference.name, function->reserved_concurrency, kSlotWaitMax);
  if (admission != EnvironmentPool::Admission::granted) {
    metrics_.count_throttle(reference.name);
    auto error = lambda_error("TooManyRequestsException", "no slot is free for a batch", 429);
    error.error().retryable = true;
    return error;
  }
  InvocationRequest request;
  request.request_id = base::random_uuid();
  request.function_arn = version->arn();
  request.trace_id = new_trace_id(context_.clock.now());
  request.payload = std::move(payload);
  Outcome outcome = pool_->invoke(version, request);
  pool_->release(reference.name);
  metrics_.count_invocation(reference.name, outcome);
  return outcome;
}

}  // namespace imgproc::localcloud::lambda
