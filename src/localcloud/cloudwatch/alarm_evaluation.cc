#include "localcloud/cloudwatch/alarm_evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/json.h"
#include "localcloud/cloudwatch/metric_math.h"

namespace imgproc::localcloud::cloudwatch {
namespace json = boost::json;
namespace {

bool breaches(std::string_view comparison, double value, double threshold) {
  if (comparison == "GreaterThanThreshold") return value > threshold;
  if (comparison == "GreaterThanOrEqualToThreshold") return value >= threshold;
  if (comparison == "LessThanThreshold") return value < threshold;
  return value <= threshold;
}

/// Expressions that use expressions.
constexpr int kExpressionChainMax = 10;

std::string text_of(const json::object& object, std::string_view name) {
  return std::string(base::json_string(object, name).value_or(""));
}

/// The values of one series by the start of their period.
using Series = std::map<base::SystemTime, double>;

struct Window {
  base::SystemTime start;
  base::SystemTime end;
};

Window window_of(base::SystemTime now, std::chrono::seconds period, int periods) {
  // The running period counts already: on a laptop nobody waits a minute to see an alarm.
  base::SystemTime end{std::chrono::floor<std::chrono::minutes>(now) + std::chrono::minutes{1}};
  return {end - period * periods, end};
}

/// `metric` has Namespace, MetricName and Dimensions.
base::Result<Series> read_series(const json::object& metric, std::string_view statistic,
                                 std::chrono::seconds period, const Window& window,
                                 const ReadMetric& read) {
  const json::array* dimensions = base::json_array(metric, "Dimensions");
  IMGPROC_TRY(std::vector<Datapoint> points,
              read({text_of(metric, "Namespace"), text_of(metric, "MetricName"),
                    dimensions ? dimensions_of(*dimensions) : Dimensions{}},
                   window.start, window.end, period));
  Series series;
  for (const Datapoint& point : points)
    if (auto value = point.statistic(statistic)) series[point.start] = *value;
  return series;
}

/// Metrics with expressions over them; the one with ReturnData is compared.
class MathQueries {
 public:
  explicit MathQueries(const json::array& queries) {
    for (const json::value& value : queries)
      if (const auto* query = value.if_object()) {
        std::string id = text_of(*query, "Id");
        queries_[id] = query;
        if (base::json_bool(*query, "ReturnData").value_or(true)) returned_ = id;
        if (const auto* stat = base::json_object(*query, "MetricStat"))
          period_ =
              std::max(period_, std::chrono::seconds{base::json_int(*stat, "Period").value_or(60)});
      }
  }
  [[nodiscard]] std::chrono::seconds period() const { return period_; }

  base::Result<Series> evaluate(const Window& window, const ReadMetric& read) {
    std::set<base::SystemTime> times;
    for (const auto& [id, query] : queries_)
      if (const auto* stat = base::json_object(*query, "MetricStat"))
        if (const auto* metric = base::json_object(*stat, "Metric")) {
          IMGPROC_TRY(series_[id],
                      read_series(*metric, text_of(*stat, "Stat"), period_, window, read));
          for (const auto& [time, value] : series_[id]) times.insert(time);
        }
    Series result;
    for (base::SystemTime time : times) {
      IMGPROC_TRY(auto value, value_at(returned_, time, kExpressionChainMax));
      if (value) result[time] = *value;
    }
    return result;
  }

 private:
  base::Result<std::optional<double>> value_at(const std::string& id, base::SystemTime time,
                                               int chain) {
    if (auto series = series_.find(id); series != series_.end()) {
      auto value = series->second.find(time);
      if (value == series->second.end()) return std::nullopt;
      return value->second;
    }
    auto query = queries_.find(id);
    auto expression =
        query == queries_.end() ? std::nullopt : base::json_string(*query->second, "Expression");
    if (!expression || chain == 0)
      return base::permanent("ValidationError", fmt::format("The id {} has no value.", id));
    return evaluate_math(*expression, [&](std::string_view name) {
      return value_at(std::string(name), time, chain - 1);
    });
  }

  std::map<std::string, const json::object*> queries_;
  std::map<std::string, Series> series_;
  std::string returned_;
  std::chrono::seconds period_{60};
};

}  // namespace

base::Result<AlarmState> evaluate_alarm(const json::object& alarm, std::string_view current,
                                        base::SystemTime now, const ReadMetric& read) {
  auto periods = static_cast<int>(base::json_int(alarm, "EvaluationPeriods").value_or(1));
  auto wanted = static_cast<int>(base::json_int(alarm, "DatapointsToAlarm").value_or(periods));
  double threshold = base::json_number(alarm, "Threshold").value_or(0);
  std::string_view comparison = base::json_string(alarm, "ComparisonOperator").value_or("");
  std::string_view missing = base::json_string(alarm, "TreatMissingData").value_or("missing");

  Series points;
  if (const json::array* metrics = base::json_array(alarm, "Metrics")) {
    MathQueries queries(*metrics);
    auto computed = queries.evaluate(window_of(now, queries.period(), periods), read);
    if (!computed && computed.error().code != "NotImplemented" &&
        computed.error().code != "ValidationError")
      return std::unexpected(std::move(computed).error());
    if (!computed) return AlarmState{"INSUFFICIENT_DATA", computed.error().message};
    points = std::move(*computed);
  } else if (auto statistic = base::json_string(alarm, "Statistic")) {
    std::chrono::seconds period{base::json_int(alarm, "Period").value_or(60)};
    IMGPROC_TRY(points,
                read_series(alarm, *statistic, period, window_of(now, period, periods), read));
  } else {
    return AlarmState{"INSUFFICIENT_DATA", "Percentiles are not evaluated by the local cloud."};
  }

  int breaching = 0;
  std::string seen;
  for (const auto& [start, value] : points) {
    if (breaches(comparison, value, threshold)) ++breaching;
    seen += fmt::format("{}{}", seen.empty() ? "" : ", ", value);
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
