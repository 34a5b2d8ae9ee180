#pragma once
#include <string>
#include <string_view>

#include "base/error.h"
#include "localcloud/store/database.h"

namespace imgproc::localcloud {

/// Takes events for functions. The Lambda service implements it; S3 (and later SQS, EventBridge)
/// call it.
class EventSink {
 public:
  virtual ~EventSink() = default;
  /// Adds an asynchronous invocation of the function to its durable queue, inside the caller's
  /// transaction: the event exists if and only if the change that caused it is committed.
  [[nodiscard]] virtual base::Status enqueue(Connection& transaction, std::string_view function_arn,
                                             std::string_view payload) = 0;
  /// Call after the commit: whoever runs the queue looks at it now.
  virtual void wake() = 0;
  /// True if the ARN names a function that exists.
  [[nodiscard]] virtual bool has_function(std::string_view function_arn) = 0;
  /// True if the resource policy of an existing function lets `service` ("s3.amazonaws.com") invoke
  /// it for `source_arn`, which belongs to the one account.
  [[nodiscard]] virtual bool lets_invoke(std::string_view function_arn, std::string_view service,
                                         std::string_view source_arn) = 0;
};

}  // namespace imgproc::localcloud
