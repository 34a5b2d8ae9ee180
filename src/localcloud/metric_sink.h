#pragma once
#include <map>
#include <string>
#include <string_view>

namespace imgproc::localcloud {

using Dimensions = std::map<std::string, std::string>;

/// Takes the measurements that AWS services publish about themselves (AWS/Lambda, AWS/SQS …).
/// CloudWatch implements it. Never fails its caller: a measurement that cannot be kept is dropped.
class MetricSink {
 public:
  virtual ~MetricSink() = default;
  virtual void put(std::string_view name_space, std::string_view name, const Dimensions& dimensions,
                   double value) = 0;
};

}  // namespace imgproc::localcloud
