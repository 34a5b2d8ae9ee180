// What hangs on a function's name: policy, concurrency, event invoke configuration.

#include <fmt/format.h>

#include <limits>

#include "base/random.h"
#include "base/wildcard.h"
#include "localcloud/lambda/service.h"

namespace imgproc::localcloud::lambda {

namespace json = base::json;

namespace {

constexpr std::size_t kPolicyBytesMax = 20 * 1024;
constexpr int kConcurrencyMax = 1000;
constexpr int kEventAgeSecondsMin = 60;

std::unexpected<base::Error> missing(std::string_view what) {
  return lambda_error("ResourceNotFoundException", std::string(what), 404);
}

json::value principal_of(std::string_view principal) {
  if (principal == "*") return "*";
  if (principal.ends_with(".amazonaws.com")) return json::object{{"Service", principal}};
  if (principal.find(':') == std::string_view::npos)
    return json::object{{"AWS", fmt::format("arn:aws:iam::{}:root", principal)}};
  return json::object{{"AWS", principal}};
}

/// One condition as add_permission() writes it; one that is not there holds.
bool condition_holds(const json::object& statement, std::string_view op, std::string_view key,
                     std::string_view value) {
  const auto* conditions = base::json_object(statement, "Condition");
  const auto* values = conditions == nullptr ? nullptr : base::json_object(*conditions, op);
  auto pattern = values == nullptr ? std::nullopt : base::json_string(*values, key);
  return !pattern || base::matches_wildcard(*pattern, value, {.question_mark = true});
}

bool names_service(const json::object& statement, std::string_view service) {
  if (base::json_string(statement, "Principal") == "*") return true;
  const auto* principal = base::json_object(statement, "Principal");
  return principal != nullptr && base::json_string(*principal, "Service") == service;
}

json::object event_invoke_json(const Function& function) {
  const EventInvokeConfig& config = *function.event_invoke;
  json::object destinations;
  if (!config.on_success.empty())
    destinations["OnSuccess"] = json::object{{"Destination", config.on_success}};
  if (!config.on_failure.empty())
    destinations["OnFailure"] = json::object{{"Destination", config.on_failure}};
  json::object out{
      {"FunctionArn", function.latest->arn() + ":$LATEST"},
      {"LastModified", static_cast<double>(config.modified_at.time_since_epoch().count()) / 1000.0},
      {"DestinationConfig", std::move(destinations)}};
  if (config.retry_attempts_max) out["MaximumRetryAttempts"] = *config.retry_attempts_max;
  if (config.event_age_seconds_max) out["MaximumEventAgeInSeconds"] = *config.event_age_seconds_max;
  return out;
}

base::Result<std::optional<int>> read_limit(const json::object& input, std::string_view name,
                                            int least, int most) {
  const auto* value = input.if_contains(name);
  if (value == nullptr || value->is_null()) return std::nullopt;
  auto number = base::json_int(input, name);
  if (!number || *number < least || *number > most)
    return invalid_parameter(fmt::format("{} must be from {} to {}", name, least, most));
  return static_cast<int>(*number);
}

std::string destination_of(const json::object& input, std::string_view which) {
  const auto* config = base::json_object(input, "DestinationConfig");
  const auto* target = config == nullptr ? nullptr : base::json_object(*config, which);
  return target == nullptr ? ""
                           : std::string(base::json_string(*target, "Destination").value_or(""));
}

}  // namespace

LambdaService::Answer LambdaService::get_policy(Call& call) {
  IMGPROC_TRY(auto function, registry_->get(call.function.name));
  if (function->policy_statements.empty())
    return missing("The resource you requested does not exist.");
  json::array statements;
  for (const auto& [sid, statement] : function->policy_statements) statements.push_back(statement);
  json::object policy{
      {"Version", "2012-10-17"}, {"Id", "default"}, {"Statement", std::move(statements)}};
  return json_response(
      200, {{"Policy", json::serialize(policy)}, {"RevisionId", function->policy_revision_id}});
}

LambdaService::Answer LambdaService::add_permission(Call& call) {
  auto sid = base::json_string(call.input, "StatementId");
  auto action = base::json_string(call.input, "Action");
  auto principal = base::json_string(call.input, "Principal");
  if (!sid || sid->empty() || !action || !principal)
    return invalid_parameter("StatementId, Action and Principal are required");
  json::object statement;
  IMGPROC_TRY(
      [[maybe_unused]] auto updated,
      registry_->update_attributes(call.function.name, [&](Function& function) -> base::Status {
        if (function.policy_statements.contains(*sid))
          return lambda_error(
              "ResourceConflictException",
              fmt::format("The statement id ({}) provided already exists. Please provide a new "
                          "statement id, or remove the existing statement.",
                          *sid),
              409);
        statement = {{"Sid", *sid},
                     {"Effect", "Allow"},
                     {"Principal", principal_of(*principal)},
                     {"Action", *action}};
        std::string resource = function.latest->arn();
        if (!call.function.qualifier.empty()) resource += ":" + call.function.qualifier;
        statement["Resource"] = resource;
        json::object condition;
        if (auto account = base::json_string(call.input, "SourceAccount"))
          condition["StringEquals"] = json::object{{"AWS:SourceAccount", *account}};
        if (auto arn = base::json_string(call.input, "SourceArn"))
          condition["ArnLike"] = json::object{{"AWS:SourceArn", *arn}};
        if (!condition.empty()) statement["Condition"] = std::move(condition);
        function.policy_statements[*sid] = statement;
        function.policy_revision_id = base::random_uuid();
        if (json::serialize(function.policy_statements).size() > kPolicyBytesMax)
          return lambda_error("PolicyLengthExceededException",
                              fmt::format("the policy exceeds {} bytes", kPolicyBytesMax), 400);
        return {};
      }));
  return json_response(201, {{"Statement", json::serialize(statement)}});
}

bool LambdaService::lets_invoke(std::string_view function_arn, std::string_view service,
                                std::string_view source_arn) {
  auto reference = FunctionReference::parse(function_arn);
  auto function = reference ? registry_->find(reference->name) : nullptr;
  if (!function) return false;
  std::string resource = function->latest->arn();
  if (!reference->qualifier.empty()) resource += ":" + reference->qualifier;
  for (const auto& [sid, value] : function->policy_statements) {
    const json::object& statement = value.get_object();
    if (names_service(statement, service) && base::json_string(statement, "Resource") == resource &&
        base::matches_wildcard(base::json_string(statement, "Action").value_or(""),
                               "lambda:InvokeFunction", {.ignore_case = true}) &&
        condition_holds(statement, "StringEquals", "AWS:SourceAccount", kAccountId) &&
        condition_holds(statement, "ArnLike", "AWS:SourceArn", source_arn))
      return true;
  }
  return false;
}

LambdaService::Answer LambdaService::remove_permission(Call& call) {
  const std::string& sid = call.path.back();
  IMGPROC_TRY(
      [[maybe_unused]] auto updated,
      registry_->update_attributes(call.function.name, [&](Function& function) -> base::Status {
        if (function.policy_statements.erase(sid) == 0)
          return missing(fmt::format("Statement {} is not found in resource policy.", sid));
        function.policy_revision_id = base::random_uuid();
        return {};
      }));
  return empty_response(204);
}

LambdaService::Answer LambdaService::put_concurrency(Call& call) {
  IMGPROC_TRY(auto reserved,
              read_limit(call.input, "ReservedConcurrentExecutions", 0, kConcurrencyMax));
  if (!reserved) return invalid_parameter("ReservedConcurrentExecutions is required");
  IMGPROC_TRY(
      [[maybe_unused]] auto updated,
      registry_->update_attributes(call.function.name, [&](Function& function) -> base::Status {
        function.reserved_concurrency = *reserved;
        return {};
      }));
  dispatcher_->wake();
  return json_response(200, {{"ReservedConcurrentExecutions", *reserved}});
}

LambdaService::Answer LambdaService::get_concurrency(Call& call) {
  IMGPROC_TRY(auto function, registry_->get(call.function.name));
  json::object answer;
  if (function->reserved_concurrency)
    answer["ReservedConcurrentExecutions"] = *function->reserved_concurrency;
  return json_response(200, answer);
}

LambdaService::Answer LambdaService::delete_concurrency(Call& call) {
  IMGPROC_TRY(
      [[maybe_unused]] auto updated,
      registry_->update_attributes(call.function.name, [&](Function& function) -> base::Status {
        function.reserved_concurrency.reset();
        return {};
      }));
  dispatcher_->wake();
  return empty_response(204);
}

LambdaService::Answer LambdaService::put_event_invoke_config(Call& call) {
  if (!call.function.qualifier.empty() && call.function.qualifier != kLatest)
    return lambda_error(
        "NotImplemented",
        "an event invoke configuration of one version is not supported by the local cloud", 501);
  constexpr int kAgeMax = static_cast<int>(kEventAgeMax.count());
  IMGPROC_TRY(auto retries, read_limit(call.input, "MaximumRetryAttempts", 0, kRetryAttemptsMax));
  IMGPROC_TRY(auto age,
              read_limit(call.input, "MaximumEventAgeInSeconds", kEventAgeSecondsMin, kAgeMax));
  std::string on_success = destination_of(call.input, "OnSuccess");
  std::string on_failure = destination_of(call.input, "OnFailure");
  if (!on_success.empty())
    return lambda_error("NotImplemented",
                        "an OnSuccess destination is not supported by the local cloud", 501);
  if (!on_failure.empty() && !on_failure.starts_with("arn:aws:sqs:"))
    return lambda_error("NotImplemented",
                        "only SQS queues are supported as OnFailure destination by the local cloud",
                        501);
  if (!on_failure.empty()) {
    IMGPROC_TRY(auto function, registry_->get(call.function.name));
    IMGPROC_CHECK(check_destination(*function->latest, on_failure));
  }
  IMGPROC_TRY(
      auto updated,
      registry_->update_attributes(call.function.name, [&](Function& function) -> base::Status {
        // POST is UpdateFunctionEventInvokeConfig: it keeps what it does not name.
        EventInvokeConfig config;
        if (call.request.method == "POST") {
          if (!function.event_invoke)
            return missing("The function doesn't have an EventInvokeConfig");
          config = *function.event_invoke;
        }
        if (retries) config.retry_attempts_max = retries;
        if (age) config.event_age_seconds_max = age;
        if (call.request.method == "PUT" || call.input.contains("DestinationConfig"))
          config.on_failure = on_failure;
        config.modified_at = context_.clock.now();
        function.event_invoke = std::move(config);
        return {};
      }));
  return json_response(200, event_invoke_json(*updated));
}

LambdaService::Answer LambdaService::get_event_invoke_config(Call& call) {
  IMGPROC_TRY(auto function, registry_->get(call.function.name));
  if (!function->event_invoke)
    return missing(
        fmt::format("The function {} doesn't have an EventInvokeConfig", function->latest->arn()));
  return json_response(200, event_invoke_json(*function));
}

LambdaService::Answer LambdaService::delete_event_invoke_config(Call& call) {
  IMGPROC_TRY(
      [[maybe_unused]] auto updated,
      registry_->update_attributes(call.function.name, [&](Function& function) -> base::Status {
        if (!function.event_invoke)
          return missing("The function doesn't have an EventInvokeConfig");
        function.event_invoke.reset();
        return {};
      }));
  return empty_response(204);
}

LambdaService::Answer LambdaService::get_code_signing_config(Call& call) {
  IMGPROC_TRY(auto function, registry_->get(call.function.name));
  return json_response(200, {{"FunctionName", function->latest->name}});
}

LambdaService::Answer LambdaService::get_account_settings(Call&) {
  std::uint64_t code_bytes = 0;
  auto functions = registry_->all();
  for (const auto& function : functions) code_bytes += function->latest->code.bytes;
  auto concurrency = static_cast<std::int64_t>(options_.concurrency);
  return json_response(
      200, {{"AccountLimit", json::object{{"TotalCodeSize", 80'530'636'800},
                                          {"CodeSizeUnzipped", 262'144'000},
                                          {"CodeSizeZipped", 52'428'800},
                                          {"ConcurrentExecutions", concurrency},
                                          {"UnreservedConcurrentExecutions", concurrency}}},
            {"AccountUsage",
             json::object{{"TotalCodeSize", code_bytes}, {"FunctionCount", functions.size()}}}});
}

}  // namespace imgproc::localcloud::lambda
