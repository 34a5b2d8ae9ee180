#include "app/bootstrap/spend_brake.h"

#include <utility>

#include "base/json.h"
#include "base/log.h"

namespace imgproc::bootstrap {
namespace {

struct Alarm {
  std::string name;
  std::string state;
  std::string reason;
};

/// Source: the event in "Using a CloudWatch alarm to invoke a Lambda function", AWS documentation.
base::Result<Alarm> parse_alarm(std::string_view payload) {
  IMGPROC_TRY(auto event, base::parse_json(payload));
  const auto* root = event.if_object();
  const auto* data = root == nullptr ? nullptr : base::json_object(*root, "alarmData");
  const auto* state = data == nullptr ? nullptr : base::json_object(*data, "state");
  auto value = state == nullptr ? std::nullopt : base::json_string(*state, "value");
  if (!value)
    return base::permanent("INVALID_EVENT", "the event has no alarmData.state.value",
                           "only a CloudWatch alarm should call this function");
  return Alarm{std::string(base::json_string(*data, "alarmName").value_or("")), std::string(*value),
               std::string(base::json_string(*state, "reason").value_or(""))};
}

}  // namespace

base::Result<BrakeSettings> read_brake_settings(const aws::Environment& environment) {
  BrakeSettings settings;
  IMGPROC_TRY(settings.function_name,
              required(environment, "BRAKED_FUNCTION_NAME", "the function that is to be stopped"));
  IMGPROC_TRY(settings.region, aws::region_from(environment));
  IMGPROC_TRY(settings.credentials, aws::credentials_from(environment));
  IMGPROC_TRY(settings.lambda, aws::endpoint_of("lambda", settings.region, environment));
  settings.ca_bundle = aws::value_of(environment, "AWS_CA_BUNDLE");
  return settings;
}

SpendBrake::SpendBrake(BrakeSettings settings, base::Clock& clock, const Dial& dial)
    : settings_(std::move(settings)),
      clock_(clock),
      lambda_(settings_.lambda, make_exchange(dial(settings_.lambda.origin),
                                              {settings_.credentials, settings_.region, "lambda"},
                                              clock, current_)) {}

base::Result<std::string> SpendBrake::handle(const runtime::Invocation& invocation) {
  current_.begin(invocation, clock_);
  IMGPROC_TRY(Alarm alarm, parse_alarm(invocation.payload));
  boost::json::object fields{{"request_id", invocation.request_id},
                             {"alarm", alarm.name},
                             {"state", alarm.state},
                             {"reason", alarm.reason},
                             {"function", settings_.function_name}};
  bool rings = alarm.state == "ALARM";
  if (rings) {
    auto stopped = lambda_.put_function_concurrency(settings_.function_name, 0);
    if (!stopped) {
      fields["code"] = stopped.error().code;
      fields["error"] = stopped.error().message;
      base::log_error("the function could not be stopped", fields);
      return std::unexpected(std::move(stopped).error());
    }
    base::log_warn("the function is stopped: terraform apply releases it", fields);
  } else {
    base::log_info("nothing to do in this state", fields);
  }
  return boost::json::serialize(
      boost::json::object{{"function", settings_.function_name}, {"stopped", rings}});
}

}  // namespace imgproc::bootstrap
