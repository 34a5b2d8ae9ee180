#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/time.h"
#include "localcloud/cloudwatch/service.h"

namespace imgproc::localcloud::cloudwatch {
namespace json = boost::json;
namespace {

constexpr std::string_view kNumbers[] = {"Period", "EvaluationPeriods", "DatapointsToAlarm",
                                         "Threshold"};
constexpr std::string_view kComparisons[] = {"GreaterThanThreshold",
                                             "GreaterThanOrEqualToThreshold", "LessThanThreshold",
                                             "LessThanOrEqualToThreshold"};

std::string alarm_arn(std::string_view region, std::string_view name) {
  return fmt::format("arn:aws:cloudwatch:{}:{}:alarm:{}", region, kAccountId, name);
}

std::string name_of_arn(std::string_view arn) {
  auto at = arn.find(":alarm:");
  return at == std::string_view::npos ? std::string() : std::string(arn.substr(at + 7));
}

base::SystemTime time_of(const json::object& document, std::string_view name) {
  return base::from_iso8601(base::json_string(document, name).value_or(""))
      .value_or(base::SystemTime{});
}

}  // namespace

std::unexpected<base::Error> no_such_alarm(std::string_view name) {
  return std::unexpected(base::Error{.code = "ResourceNotFound",
                                     .message = fmt::format("The alarm {} does not exist.", name),
                                     .http_status = 404});
}

json::value with_kind(std::string_view member, const json::value& value) {
  if (const auto* object = value.if_object()) {
    json::object out;
    for (const auto& [name, inner] : *object) out[name] = with_kind(name, inner);
    return out;
  }
  if (const auto* list = value.if_array()) {
    json::array out;
    for (const json::value& inner : *list) out.push_back(with_kind(member, inner));
    return out;
  }
  const auto* text = value.if_string();
  if (text == nullptr) return value;
  if (member == "ActionsEnabled" || member == "ReturnData") return *text == "true";
  if (std::ranges::find(kNumbers, member) == std::end(kNumbers)) return value;
  auto number = base::parse_json({text->data(), text->size()});
  return number && number->is_number() ? *number : value;
}

void CloudWatchService::register_alarm_operations() {
  auto& operations = description_.operations;
  operations["PutMetricAlarm"] = [this](const rpc::Call& call) { return put_metric_alarm(call); };
  operations["DescribeAlarms"] = [this](const rpc::Call& call) { return describe_alarms(call); };
  operations["DeleteAlarms"] = [this](const rpc::Call& call) { return delete_alarms(call); };
  operations["SetAlarmState"] = [this](const rpc::Call& call) { return set_alarm_state(call); };
  operations["EnableAlarmActions"] = [this](const rpc::Call& call) {
    return enable_alarm_actions(call, true);
  };
  operations["DisableAlarmActions"] = [this](const rpc::Call& call) {
    return enable_alarm_actions(call, false);
  };
  operations["ListTagsForResource"] = [this](const rpc::Call& call) {
    return list_tags_for_resource(call);
  };
  operations["TagResource"] = [this](const rpc::Call& call) { return tag_resource(call); };
  operations["UntagResource"] = [this](const rpc::Call& call) { return untag_resource(call); };
}

CloudWatchService::Output CloudWatchService::put_metric_alarm(const rpc::Call& call) {
  IMGPROC_TRY(std::string name, call.require("AlarmName"));
  json::object alarm;
  for (const auto& [member, value] : call.input)
    if (member != "Action" && member != "Version" && member != "Tags")
      alarm[member] = with_kind(member, value);
  auto comparison = base::json_string(alarm, "ComparisonOperator");
  if (!comparison || std::ranges::find(kComparisons, *comparison) == std::end(kComparisons))
    return base::permanent("ValidationError",
                           "ComparisonOperator must be one of the four threshold comparisons.");
  if (base::json_int(alarm, "EvaluationPeriods").value_or(0) < 1)
    return base::permanent("ValidationError", "EvaluationPeriods must be at least 1.");
  if (!alarm.contains("MetricName") && !alarm.contains("Metrics"))
    return base::permanent("ValidationError", "Either MetricName or Metrics must be given.");
  if (!alarm.contains("ActionsEnabled")) alarm["ActionsEnabled"] = true;
  for (const char* actions : {"AlarmActions", "OKActions", "InsufficientDataActions", "Dimensions"})
    if (!alarm.contains(actions)) alarm[actions] = json::array{};
  std::string now = base::to_iso8601(context_.clock.now());
  IMGPROC_CHECK(
      documents_.update("alarm", name, [&](std::optional<json::object>& document) -> base::Status {
        json::object tags =
            document ? document->at("tags").get_object() : rpc::tags_to_map(call.list("Tags"));
        std::string state =
            document ? std::string(document->at("state").get_string()) : "INSUFFICIENT_DATA";
        std::string since = document ? std::string(document->at("state_since").get_string()) : now;
        document = json::object{{"alarm", alarm},
                                {"arn", alarm_arn(call.caller.region, name)},
                                {"tags", tags},
                                {"state", state},
                                {"reason", "Unchecked: Initial alarm creation"},
                                {"state_since", since},
                                {"updated", now}};
        return {};
      }));
  return json::object{};
}

CloudWatchService::Output CloudWatchService::describe_alarms(const rpc::Call& call) {
  IMGPROC_CHECK(evaluate_alarms());
  json::array names = call.list("AlarmNames");
  std::string state = call.text("StateValue");
  IMGPROC_TRY(auto alarms, documents_.list("alarm", call.text("AlarmNamePrefix")));
  json::array shown;
  for (const auto& [name, document] : alarms) {
    if (!names.empty() && std::ranges::find(names, json::value(name)) == names.end()) continue;
    if (!state.empty() && document.at("state") != json::value(state)) continue;
    json::object alarm = document.at("alarm").get_object();
    alarm["AlarmArn"] = document.at("arn");
    alarm["StateValue"] = document.at("state");
    alarm["StateReason"] = document.at("reason");
    alarm["StateUpdatedTimestamp"] = call.to_time(time_of(document, "state_since"));
    alarm["StateTransitionedTimestamp"] = call.to_time(time_of(document, "state_since"));
    alarm["AlarmConfigurationUpdatedTimestamp"] = call.to_time(time_of(document, "updated"));
    shown.push_back(std::move(alarm));
  }
  return json::object{{"MetricAlarms", shown}, {"CompositeAlarms", json::array{}}};
}

CloudWatchService::Output CloudWatchService::delete_alarms(const rpc::Call& call) {
  for (const json::value& name : call.list("AlarmNames")) {
    if (!name.is_string()) continue;
    IMGPROC_TRY(bool removed, documents_.remove("alarm", name.get_string()));
    static_cast<void>(removed);
  }
  return json::object{};
}

CloudWatchService::Output CloudWatchService::set_alarm_state(const rpc::Call& call) {
  IMGPROC_TRY(std::string name, call.require("AlarmName"));
  IMGPROC_TRY(std::string value, call.require("StateValue"));
  if (value != "OK" && value != "ALARM" && value != "INSUFFICIENT_DATA")
    return base::permanent("ValidationError", "StateValue must be OK, ALARM or INSUFFICIENT_DATA.");
  IMGPROC_CHECK(enter_state(name, value, call.text("StateReason")));
  IMGPROC_CHECK(
      documents_.update("alarm", name, [&](std::optional<json::object>& document) -> base::Status {
        if (!document) return no_such_alarm(name);
        std::chrono::seconds period{
            base::json_int(document->at("alarm").get_object(), "Period").value_or(60)};
        (*document)["held_until"] = base::to_iso8601(context_.clock.now() + period);
        return {};
      }));
  return json::object{};
}

CloudWatchService::Output CloudWatchService::enable_alarm_actions(const rpc::Call& call,
                                                                  bool enabled) {
  for (const json::value& name : call.list("AlarmNames")) {
    if (!name.is_string()) continue;
    IMGPROC_CHECK(documents_.update(
        "alarm", name.get_string(), [&](std::optional<json::object>& document) -> base::Status {
          if (document) document->at("alarm").get_object()["ActionsEnabled"] = enabled;
          return {};
        }));
  }
  return json::object{};
}

CloudWatchService::Output CloudWatchService::list_tags_for_resource(const rpc::Call& call) {
  IMGPROC_TRY(std::string arn, call.require("ResourceARN"));
  IMGPROC_TRY(auto document, documents_.get("alarm", name_of_arn(arn)));
  if (!document)
    return std::unexpected(base::Error{.code = "ResourceNotFoundException",
                                       .message = arn + " does not exist.",
                                       .http_status = 404});
  return json::object{{"Tags", rpc::map_to_tags(document->at("tags").get_object())}};
}

CloudWatchService::Output CloudWatchService::tag_resource(const rpc::Call& call) {
  IMGPROC_TRY(std::string arn, call.require("ResourceARN"));
  IMGPROC_CHECK(documents_.update(
      "alarm", name_of_arn(arn), [&](std::optional<json::object>& document) -> base::Status {
        if (!document) return no_such_alarm(arn);
        for (const auto& [key, value] : rpc::tags_to_map(call.list("Tags")))
          document->at("tags").get_object()[key] = value;
        return {};
      }));
  return json::object{};
}

CloudWatchService::Output CloudWatchService::untag_resource(const rpc::Call& call) {
  IMGPROC_TRY(std::string arn, call.require("ResourceARN"));
  IMGPROC_CHECK(documents_.update("alarm", name_of_arn(arn),
                                  [&](std::optional<json::object>& document) -> base::Status {
                                    if (!document) return no_such_alarm(arn);
                                    for (const json::value& key : call.list("TagKeys"))
                                      if (key.is_string())
                                        document->at("tags").get_object().erase(key.get_string());
                                    return {};
                                  }));
  return json::object{};
}

}  // namespace imgproc::localcloud::cloudwatch
