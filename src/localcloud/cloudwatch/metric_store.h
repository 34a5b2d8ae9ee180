#pragma once
// Measurements, summed up by minute: what alarms and statistics are computed from.

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "localcloud/metric_sink.h"
#include "localcloud/store/database.h"

namespace imgproc::localcloud::cloudwatch {

/// Minutes that are kept (15 days, as CloudWatch keeps one-minute data).
inline constexpr std::chrono::hours kRetention{15 * 24};

/// Which series of measurements.
struct Metric {
  std::string name_space;
  std::string name;
  Dimensions dimensions;
};

struct Datapoint {
  base::SystemTime start;
  double sum = 0;
  double count = 0;
  double minimum = 0;
  double maximum = 0;

  /// "Sum", "Average", "Minimum", "Maximum", "SampleCount"; nullopt for others (percentiles).
  [[nodiscard]] std::optional<double> statistic(std::string_view name) const;
};

class MetricStore {
 public:
  static base::Status create_schema(Database& database);
  static base::Status put(Connection& connection, const Metric& metric, base::SystemTime time,
                          const Datapoint& values);
  /// Datapoints of `period` in [from, to), oldest first; empty periods are left out.
  static base::Result<std::vector<Datapoint>> read(Connection& connection, const Metric& metric,
                                                   base::SystemTime from, base::SystemTime to,
                                                   std::chrono::seconds period);
  static base::Result<std::vector<Metric>> list(Connection& connection,
                                                std::string_view name_space);
  static base::Status expire(Connection& connection, base::SystemTime now);
};

/// Dimensions as requests hold them ([{"Name":…,"Value":…}]), and back.
[[nodiscard]] Dimensions dimensions_of(const boost::json::array& list);
[[nodiscard]] boost::json::array to_list(const Dimensions& dimensions);

}  // namespace imgproc::localcloud::cloudwatch
