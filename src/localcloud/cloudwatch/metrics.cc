#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "base/log.h"
#include "localcloud/cloudwatch/service.h"

namespace imgproc::localcloud::cloudwatch {
namespace json = boost::json;
namespace {

constexpr std::size_t kDatumsMax = 1000;
constexpr std::size_t kDatapointsMax = 1440;

Metric metric_of(const rpc::Call& call) {
  return {call.text("Namespace"), call.text("MetricName"), dimensions_of(call.list("Dimensions"))};
}

/// One MetricDatum as a Datapoint: a value, a list of values with counts, or a statistic set.
base::Result<Datapoint> datapoint_of(const rpc::Call& datum) {
  Datapoint point;
  auto add = [&](double value, double count) {
    point.minimum = point.count == 0 ? value : std::min(point.minimum, value);
    point.maximum = point.count == 0 ? value : std::max(point.maximum, value);
    point.sum += value * count;
    point.count += count;
  };
  rpc::Call set{datum.caller, datum.host, datum.object("StatisticValues"), datum.is_json};
  if (!set.input.empty()) {
    point.sum = set.number("Sum").value_or(0);
    point.count = set.number("SampleCount").value_or(0);
    point.minimum = set.number("Minimum").value_or(0);
    point.maximum = set.number("Maximum").value_or(0);
  } else if (json::array values = datum.list("Values"); !values.empty()) {
    json::array counts = datum.list("Counts");
    for (std::size_t i = 0; i < values.size(); ++i) {
      json::object pair{{"v", values[i]}, {"c", i < counts.size() ? counts[i] : json::value(1)}};
      rpc::Call one{datum.caller, datum.host, pair, datum.is_json};
      add(one.number("v").value_or(0), one.number("c").value_or(1));
    }
  } else if (auto value = datum.number("Value")) {
    add(*value, 1);
  } else {
    return base::permanent("MissingParameter",
                           "A metric datum needs Value, Values or StatisticValues.");
  }
  if (!std::isfinite(point.sum))
    return base::permanent("InvalidParameterValue", "A metric value must be a finite number.");
  return point;
}

}  // namespace

void CloudWatchService::register_metric_operations() {
  auto& operations = description_.operations;
  operations["PutMetricData"] = [this](const rpc::Call& call) { return put_metric_data(call); };
  operations["GetMetricStatistics"] = [this](const rpc::Call& call) {
    return get_metric_statistics(call);
  };
  operations["GetMetricData"] = [this](const rpc::Call& call) { return get_metric_data(call); };
  operations["ListMetrics"] = [this](const rpc::Call& call) { return list_metrics(call); };
}

void CloudWatchService::put(std::string_view name_space, std::string_view name,
                            const Dimensions& dimensions, double value) {
  Metric metric{std::string(name_space), std::string(name), dimensions};
  base::SystemTime now = context_.clock.now();
  auto status = context_.database.write([&](Connection& connection) {
    return MetricStore::put(connection, metric, now, Datapoint{now, value, 1, value, value});
  });
  if (!status)
    base::log_warn("a measurement was dropped",
                   {{"metric", name}, {"error", status.error().describe()}});
}

CloudWatchService::Output CloudWatchService::put_metric_data(const rpc::Call& call) {
  IMGPROC_TRY(std::string name_space, call.require("Namespace"));
  json::array data = call.list("MetricData");
  if (data.size() > kDatumsMax)
    return base::permanent("InvalidParameterValue",
                           fmt::format("At most {} metrics per request.", kDatumsMax));
  IMGPROC_CHECK(context_.database.write([&](Connection& connection) -> base::Status {
    for (const json::value& value : data) {
      if (!value.is_object())
        return base::permanent("InvalidParameterValue", "MetricData must hold structures.");
      rpc::Call datum{call.caller, call.host, value.get_object(), call.is_json};
      IMGPROC_TRY(std::string name, datum.require("MetricName"));
      IMGPROC_TRY(Datapoint point, datapoint_of(datum));
      Metric metric{name_space, name, dimensions_of(datum.list("Dimensions"))};
      IMGPROC_CHECK(MetricStore::put(
          connection, metric, datum.time("Timestamp").value_or(context_.clock.now()), point));
    }
    return MetricStore::expire(connection, context_.clock.now());
  }));
  return json::object{};
}

CloudWatchService::Output CloudWatchService::get_metric_statistics(const rpc::Call& call) {
  auto from = call.time("StartTime");
  auto to = call.time("EndTime");
  if (!from || !to || *from >= *to)
    return base::permanent("InvalidParameterValue", "StartTime must be before EndTime.");
  std::chrono::seconds period{static_cast<std::int64_t>(call.number("Period").value_or(60))};
  if (period.count() < 1)
    return base::permanent("InvalidParameterValue", "Period must be at least 1 second.");
  if ((*to - *from) / period > static_cast<std::int64_t>(kDatapointsMax))
    return base::permanent(
        "InvalidParameterCombination",
        fmt::format("You have requested more than the {} datapoints of the limit.",
                    kDatapointsMax));
  std::vector<Datapoint> points;
  IMGPROC_CHECK(context_.database.read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(points, MetricStore::read(connection, metric_of(call), *from, *to, period));
    return {};
  }));
  json::array shown;
  for (const Datapoint& point : points) {
    json::object item{{"Timestamp", call.to_time(point.start)},
                      {"Unit", call.text("Unit", "None")}};
    for (const json::value& name : call.list("Statistics"))
      if (name.is_string())
        if (auto value = point.statistic(name.get_string())) item[name.get_string()] = *value;
    shown.push_back(std::move(item));
  }
  return json::object{{"Label", call.text("MetricName")}, {"Datapoints", shown}};
}

CloudWatchService::Output CloudWatchService::get_metric_data(const rpc::Call& call) {
  auto from = call.time("StartTime");
  auto to = call.time("EndTime");
  if (!from || !to || *from >= *to)
    return base::permanent("InvalidParameterValue", "StartTime must be before EndTime.");
  json::array results;
  for (const json::value& value : call.list("MetricDataQueries")) {
    if (!value.is_object()) continue;
    rpc::Call query{call.caller, call.host, value.get_object(), call.is_json};
    if (query.input.contains("Expression"))
      return std::unexpected(base::Error{.code = "NotImplemented",
                                         .message = "Metric math is not implemented.",
                                         .http_status = 501});
    rpc::Call stat{call.caller, call.host, query.object("MetricStat"), call.is_json};
    rpc::Call metric{call.caller, call.host, stat.object("Metric"), call.is_json};
    std::chrono::seconds period{static_cast<std::int64_t>(stat.number("Period").value_or(60))};
    std::vector<Datapoint> points;
    IMGPROC_CHECK(context_.database.read([&](Connection& connection) -> base::Status {
      IMGPROC_TRY(points, MetricStore::read(connection, metric_of(metric), *from, *to, period));
      return {};
    }));
    json::array times;
    json::array values;
    // Newest first, which is CloudWatch's default order here.
    for (auto point = points.rbegin(); point != points.rend(); ++point) {
      auto number = point->statistic(stat.text("Stat"));
      if (!number) continue;
      times.push_back(call.to_time(point->start));
      values.push_back(*number);
    }
    results.push_back(json::object{{"Id", query.text("Id")},
                                   {"Label", query.text("Label", metric.text("MetricName"))},
                                   {"Timestamps", times},
                                   {"Values", values},
                                   {"StatusCode", "Complete"}});
  }
  return json::object{{"MetricDataResults", results}, {"Messages", json::array{}}};
}

CloudWatchService::Output CloudWatchService::list_metrics(const rpc::Call& call) {
  std::vector<Metric> metrics;
  IMGPROC_CHECK(context_.database.read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(metrics, MetricStore::list(connection, call.text("Namespace")));
    return {};
  }));
  std::string name = call.text("MetricName");
  Dimensions wanted = dimensions_of(call.list("Dimensions"));
  json::array shown;
  for (const Metric& metric : metrics) {
    if (!name.empty() && metric.name != name) continue;
    bool has_all = std::ranges::all_of(wanted, [&](const auto& pair) {
      auto found = metric.dimensions.find(pair.first);
      return found != metric.dimensions.end() &&
             (pair.second.empty() || found->second == pair.second);
    });
    if (has_all)
      shown.push_back(json::object{{"Namespace", metric.name_space},
                                   {"MetricName", metric.name},
                                   {"Dimensions", to_list(metric.dimensions)}});
  }
  return json::object{{"Metrics", shown}};
}

}  // namespace imgproc::localcloud::cloudwatch
