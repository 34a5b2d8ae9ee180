// How alarms change their state, and what they do then: messages to topics, calls of functions.

#include <fmt/format.h>

#include "base/json.h"
#include "base/log.h"
#include "base/time.h"
#include "localcloud/cloudwatch/alarm_evaluation.h"
#include "localcloud/cloudwatch/service.h"

namespace imgproc::localcloud::cloudwatch {
namespace json = boost::json;
namespace {

/// An alarm before and after it changed its state.
struct Change {
  json::object document;
  std::string state_before;
  std::string reason_before;
  std::string since_before;
};

std::string text_of(const json::object& object, std::string_view name) {
  return std::string(base::json_string(object, name).value_or(""));
}

/// What topics get. Source: "Amazon SNS notifications" of alarms, AWS documentation.
json::object notice_of(const std::string& name, const Change& change) {
  const json::object& document = change.document;
  return {{"AlarmName", name},
          {"AlarmArn", document.at("arn")},
          {"AWSAccountId", kAccountId},
          {"NewStateValue", document.at("state")},
          {"OldStateValue", change.state_before},
          {"NewStateReason", document.at("reason")},
          {"StateChangeTime", document.at("state_since")},
          {"Trigger", document.at("alarm")}};
}

json::object metric_stat_of(const json::object& metric, const json::value& period,
                            std::string_view statistic) {
  json::object dimensions;
  if (const json::array* list = base::json_array(metric, "Dimensions"))
    for (const auto& [dimension, value] : dimensions_of(*list)) dimensions[dimension] = value;
  return {{"metric", json::object{{"namespace", text_of(metric, "Namespace")},
                                  {"name", text_of(metric, "MetricName")},
                                  {"dimensions", std::move(dimensions)}}},
          {"period", period},
          {"stat", statistic}};
}

json::array metrics_of(const json::object& alarm) {
  json::array metrics;
  const json::array* queries = base::json_array(alarm, "Metrics");
  if (queries == nullptr) {
    const json::value* period = alarm.if_contains("Period");
    metrics.push_back(json::object{
        {"id", "m1"},
        {"metricStat",
         metric_stat_of(alarm, period ? *period : json::value(60), text_of(alarm, "Statistic"))},
        {"returnData", true}});
    return metrics;
  }
  for (const json::value& value : *queries) {
    const auto* query = value.if_object();
    if (query == nullptr) continue;
    json::object metric{{"id", text_of(*query, "Id")},
                        {"returnData", base::json_bool(*query, "ReturnData").value_or(true)}};
    if (auto expression = base::json_string(*query, "Expression")) {
      metric["expression"] = *expression;
      metric["label"] = text_of(*query, "Label");
    }
    if (const auto* stat = base::json_object(*query, "MetricStat"))
      if (const auto* named = base::json_object(*stat, "Metric")) {
        const json::value* period = stat->if_contains("Period");
        metric["metricStat"] =
            metric_stat_of(*named, period ? *period : json::value(60), text_of(*stat, "Stat"));
      }
    metrics.push_back(std::move(metric));
  }
  return metrics;
}

/// What functions get. Source: "Invoke a Lambda function from an alarm", AWS documentation.
json::object event_of(const std::string& name, const Change& change) {
  const json::object& document = change.document;
  const json::object& alarm = document.at("alarm").get_object();
  std::string arn = text_of(document, "arn");
  // arn:aws:cloudwatch:REGION:…
  std::string region = arn.substr(std::string_view("arn:aws:cloudwatch:").size());
  region = region.substr(0, region.find(':'));
  return {{"source", "aws.cloudwatch"},
          {"alarmArn", arn},
          {"accountId", kAccountId},
          {"time", document.at("state_since")},
          {"region", region},
          {"alarmData",
           json::object{
               {"alarmName", name},
               {"state", json::object{{"value", document.at("state")},
                                      {"reason", document.at("reason")},
                                      {"timestamp", document.at("state_since")}}},
               {"previousState", json::object{{"value", change.state_before},
                                              {"reason", change.reason_before},
                                              {"timestamp", change.since_before}}},
               {"configuration", json::object{{"description", text_of(alarm, "AlarmDescription")},
                                              {"metrics", metrics_of(alarm)}}}}}};
}

}  // namespace

base::Status CloudWatchService::enter_state(const std::string& name, const std::string& value,
                                            const std::string& reason) {
  Change change;
  std::vector<std::string> actions;
  IMGPROC_CHECK(
      documents_.update("alarm", name, [&](std::optional<json::object>& document) -> base::Status {
        if (!document) return no_such_alarm(name);
        change.state_before = text_of(*document, "state");
        change.reason_before = text_of(*document, "reason");
        change.since_before = text_of(*document, "state_since");
        document->at("reason") = reason;
        if (change.state_before == value) return {};
        document->at("state") = value;
        document->at("state_since") = base::to_iso8601(context_.clock.now());
        change.document = *document;
        const json::object& alarm = document->at("alarm").get_object();
        if (!base::json_bool(alarm, "ActionsEnabled").value_or(true)) return {};
        const char* member = value == "ALARM" ? "AlarmActions"
                             : value == "OK"  ? "OKActions"
                                              : "InsufficientDataActions";
        for (const json::value& action : alarm.at(member).get_array())
          if (action.is_string()) actions.emplace_back(action.get_string());
        return {};
      }));
  for (const std::string& action : actions) {
    base::Status done;
    if (topics_ != nullptr && topics_->has_topic(action)) {
      done = topics_->publish(action, fmt::format("{}: \"{}\"", value, name),
                              json::serialize(notice_of(name, change)));
    } else if (functions_ != nullptr && functions_->has_function(action)) {
      done = context_.database.write([&](Connection& transaction) {
        return functions_->enqueue(transaction, action, json::serialize(event_of(name, change)));
      });
      functions_->wake();
    } else {
      done = base::permanent("NotFound", fmt::format("{} is no topic or function here", action));
    }
    if (!done)
      base::log_warn("alarm action failed", {{"alarm", name}, {"error", done.error().describe()}});
  }
  return {};
}

base::Status CloudWatchService::evaluate_alarms() {
  if (before_evaluation_) before_evaluation_();
  IMGPROC_TRY(auto alarms, documents_.list("alarm"));
  base::SystemTime now = context_.clock.now();
  ReadMetric read = [&](const Metric& metric, base::SystemTime from, base::SystemTime to,
                        std::chrono::seconds period) {
    base::Result<std::vector<Datapoint>> points;
    auto status = context_.database.read([&](Connection& connection) -> base::Status {
      points = MetricStore::read(connection, metric, from, to, period);
      return {};
    });
    if (!status) points = std::unexpected(status.error());
    return points;
  };
  for (const auto& [name, document] : alarms) {
    std::string current(document.at("state").get_string());
    // A state set by hand lasts until the alarm's own period is over, so that tests can see it.
    if (auto held_until = base::json_string(document, "held_until"))
      if (auto until = base::from_iso8601(*held_until); until && *until > now) continue;
    IMGPROC_TRY(AlarmState state,
                evaluate_alarm(document.at("alarm").get_object(), current, now, read));
    if (state.value == current) continue;
    auto entered = enter_state(name, state.value, state.reason);
    // It may have been deleted meanwhile.
    if (!entered && entered.error().code != "ResourceNotFound") return entered;
  }
  return {};
}

}  // namespace imgproc::localcloud::cloudwatch
