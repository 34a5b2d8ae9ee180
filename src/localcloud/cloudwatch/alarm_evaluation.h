#pragma once
// The state of a metric alarm from its datapoints; pure.
// Source: "Evaluating an alarm" and "Configuring how CloudWatch alarms treat missing data", AWS
// documentation.

#include <boost/json.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "localcloud/cloudwatch/metric_store.h"

namespace imgproc::localcloud::cloudwatch {

struct AlarmState {
  std::string value;  ///< OK, ALARM or INSUFFICIENT_DATA
  std::string reason;
};

/// Reads the datapoints of one metric in [from, to) with a period.
using ReadMetric = std::function<base::Result<std::vector<Datapoint>>(
    const Metric&, base::SystemTime from, base::SystemTime to, std::chrono::seconds period)>;

/// `alarm` holds PutMetricAlarm's members: one metric, or Metrics with arithmetic over them.
/// `current` is the state that "ignore" keeps. What cannot be evaluated here (percentiles,
/// functions of metric math) is INSUFFICIENT_DATA, and the reason says so.
[[nodiscard]] base::Result<AlarmState> evaluate_alarm(const boost::json::object& alarm,
                                                      std::string_view current,
                                                      base::SystemTime now, const ReadMetric& read);

}  // namespace imgproc::localcloud::cloudwatch
