#include "localcloud/cloudwatch/alarm_evaluation.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"

namespace imgproc::localcloud::cloudwatch {
namespace json = boost::json;
namespace {

bool breaches(std::string_view comparison, double value, double threshold) {
  if (comparison == "GreaterThanThreshold") return value > threshold;
  if (comparison == "GreaterThanOrEqualToThreshold") return value >= threshold;
  if (comparison == "LessThanThreshold") return value < threshold;
  return value <= threshold;
}

}  // namespace

base::Result<AlarmState> evaluate_alarm(const json::object& alarm, std::string_view current,
                                        base::SystemTime now, const ReadMetric& read) {
  auto name = base::json_string(alarm, "MetricName");
  auto statistic = base::json_string(alarm, "Statistic");
  if (!name || !statistic)
    return AlarmState{"INSUFFICIENT_DATA",
                      "Metric math, percentiles and composite alarms are not evaluated here."};
  std::chrono::seconds period{base::json_int(alarm, "Period").value_or(60)};
  auto periods = static_cast<int>(base::json_int(alarm, "EvaluationPeriods").value_or(1));
  auto wanted = static_cast<int>(base::json_int(alarm, "DatapointsToAlarm").value_or(periods));
  double threshold = base::json_number(alarm, "Threshold").value_or(0);
  std::string_view comparison = base::json_string(alarm, "ComparisonOperator").value_or("");
  std::string_view missing = base::json_string(alarm, "TreatMissingData").value_or("missing");
  const json::array* dimensions = base::json_array(alarm, "Dimensions");

  // The running period counts already: on a laptop nobody waits a minute to see an alarm.
  base::SystemTime end{std::chrono::floor<std::chrono::minutes>(now) + std::chrono::minutes{1}};
  base::SystemTime start = end - period * periods;
  Metric metric{std::string(base::json_string(alarm, "Namespace").value_or("")), std::string(*name),
                dimensions ? dimensions_of(*dimensions) : Dimensions{}};
  IMGPROC_TRY(std::vector<Datapoint> points, read(metric, start, end, period));

  int breaching = 0;
  std::string seen;
  for (const Datapoint& point : points) {
    auto value = point.statistic(*statistic);
    if (!value) continue;
    if (breaches(comparison, *value, threshold)) ++breaching;
    seen += fmt::format("{}{}", seen.empty() ? "" : ", ", *value);
  }
  int absent = periods - static_cast<int>(points.size());
  if (missing == "breaching") breaching += absent;
  if (breaching >= wanted)
    return AlarmState{
        "ALARM",
        fmt::format(
            "Threshold Crossed: {} out of the last {} datapoints [{}] crossed the threshold ({}).",
            breaching, periods, seen, threshold)};
  if (!points.empty() || missing == "notBreaching" || missing == "breaching")
    return AlarmState{"OK", fmt::format("Threshold not crossed: datapoints [{}], threshold {}.",
                                        seen, threshold)};
  if (missing == "ignore")
    return AlarmState{std::string(current), "No datapoints were received; the state is kept."};
  return AlarmState{"INSUFFICIENT_DATA", "Insufficient Data: no datapoints were received."};
}

}  // namespace imgproc::localcloud::cloudwatch
