#pragma once
#include <string>
#include <string_view>

#include "base/error.h"

namespace imgproc::localcloud {

/// Topics as other services use them: alarm actions and bucket notifications. SNS implements it.
class Topics {
 public:
  virtual ~Topics() = default;
  [[nodiscard]] virtual bool has_topic(std::string_view topic_arn) = 0;
  /// Delivers to every confirmed subscription (SQS and Lambda). Error NotFound.
  [[nodiscard]] virtual base::Status publish(std::string_view topic_arn, std::string_view subject,
                                             std::string_view message) = 0;
};

}  // namespace imgproc::localcloud
