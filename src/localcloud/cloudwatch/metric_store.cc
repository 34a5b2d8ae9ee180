#include "localcloud/cloudwatch/metric_store.h"

#include <algorithm>

#include "base/json.h"

namespace imgproc::localcloud::cloudwatch {
namespace json = boost::json;
namespace {

constexpr std::int64_t kMinuteMs = 60'000;

std::int64_t to_ms(base::SystemTime time) {
  return time.time_since_epoch().count();
}

/// One text for one set of dimensions: a std::map is in order of names.
std::string key_of(const Dimensions& dimensions) {
  return json::serialize(to_list(dimensions));
}

}  // namespace

std::optional<double> Datapoint::statistic(std::string_view name) const {
  if (name == "Sum") return sum;
  if (name == "SampleCount") return count;
  if (name == "Average") return count > 0 ? sum / count : 0;
  if (name == "Minimum") return minimum;
  if (name == "Maximum") return maximum;
  return std::nullopt;
}

Dimensions dimensions_of(const json::array& list) {
  Dimensions dimensions;
  for (const json::value& value : list)
    if (const auto* object = value.if_object())
      if (auto name = base::json_string(*object, "Name"))
        dimensions[std::string(*name)] = base::json_string(*object, "Value").value_or("");
  return dimensions;
}

json::array to_list(const Dimensions& dimensions) {
  json::array list;
  for (const auto& [name, value] : dimensions)
    list.push_back(json::object{{"Name", name}, {"Value", value}});
  return list;
}

base::Status MetricStore::create_schema(Database& database) {
  return database.create_schema(
      "CREATE TABLE IF NOT EXISTS cloudwatch_metrics (namespace TEXT, name TEXT, dimensions TEXT, "
      "minute INTEGER,"
      " sum REAL, count REAL, least REAL, most REAL, PRIMARY KEY (namespace, name, dimensions, "
      "minute)) WITHOUT ROWID;"
      "CREATE INDEX IF NOT EXISTS cloudwatch_minutes ON cloudwatch_metrics (minute)");
}

base::Status MetricStore::put(Connection& connection, const Metric& metric, base::SystemTime time,
                              const Datapoint& values) {
  IMGPROC_TRY(auto statement,
              connection.prepare(
                  "INSERT INTO cloudwatch_metrics VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
                  " ON CONFLICT DO UPDATE SET sum=sum+excluded.sum, count=count+excluded.count,"
                  " least=min(least, excluded.least), most=max(most, excluded.most)"));
  return statement.bind(1, metric.name_space)
      .bind(2, metric.name)
      .bind(3, key_of(metric.dimensions))
      .bind(4, to_ms(time) / kMinuteMs)
      .bind(5, values.sum)
      .bind(6, values.count)
      .bind(7, values.minimum)
      .bind(8, values.maximum)
      .run();
}

base::Result<std::vector<Datapoint>> MetricStore::read(Connection& connection, const Metric& metric,
                                                       base::SystemTime from, base::SystemTime to,
                                                       std::chrono::seconds period) {
  IMGPROC_TRY(auto statement,
              connection.prepare(
                  "SELECT minute, sum, count, least, most FROM cloudwatch_metrics"
                  " WHERE namespace=?1 AND name=?2 AND dimensions=?3 AND minute>=?4 AND minute<?5"
                  " ORDER BY minute"));
  std::int64_t period_ms =
      std::max<std::int64_t>(std::chrono::milliseconds(period).count(), kMinuteMs);
  statement.bind(1, metric.name_space)
      .bind(2, metric.name)
      .bind(3, key_of(metric.dimensions))
      .bind(4, to_ms(from) / kMinuteMs)
      .bind(5, (to_ms(to) + kMinuteMs - 1) / kMinuteMs);
  std::vector<Datapoint> points;
  for (;;) {
    IMGPROC_TRY(bool more, statement.step());
    if (!more) return points;
    std::int64_t at = statement.column_int(0) * kMinuteMs;
    base::SystemTime start{
        std::chrono::milliseconds{to_ms(from) + (at - to_ms(from)) / period_ms * period_ms}};
    Datapoint minute{start, statement.column_double(1), statement.column_double(2),
                     statement.column_double(3), statement.column_double(4)};
    if (points.empty() || points.back().start != start) {
      points.push_back(minute);
      continue;
    }
    Datapoint& last = points.back();
    last.sum += minute.sum;
    last.count += minute.count;
    last.minimum = std::min(last.minimum, minute.minimum);
    last.maximum = std::max(last.maximum, minute.maximum);
  }
}

base::Result<std::vector<Metric>> MetricStore::list(Connection& connection,
                                                    std::string_view name_space) {
  IMGPROC_TRY(
      auto statement,
      connection.prepare("SELECT DISTINCT namespace, name, dimensions FROM cloudwatch_metrics"
                         " WHERE ?1='' OR namespace=?1 ORDER BY 1, 2, 3"));
  statement.bind(1, name_space);
  std::vector<Metric> metrics;
  for (;;) {
    IMGPROC_TRY(bool more, statement.step());
    if (!more) return metrics;
    IMGPROC_TRY(json::value dimensions, base::parse_json(statement.column_text(2)));
    metrics.push_back({std::string(statement.column_text(0)), std::string(statement.column_text(1)),
                       dimensions_of(dimensions.as_array())});
  }
}

base::Status MetricStore::expire(Connection& connection, base::SystemTime now) {
  IMGPROC_TRY(auto statement, connection.prepare("DELETE FROM cloudwatch_metrics WHERE minute<?1"));
  return statement.bind(1, to_ms(now - kRetention) / kMinuteMs).run();
}

}  // namespace imgproc::localcloud::cloudwatch
