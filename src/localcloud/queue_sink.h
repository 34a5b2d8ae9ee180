#pragma once
#include <boost/json.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "localcloud/store/database.h"

namespace imgproc::localcloud {

/// A message as a consumer receives it.
struct QueueMessage {
  std::string message_id;
  std::string receipt_handle;
  std::string body;
  std::string md5_of_body;
  /// SentTimestamp, ApproximateReceiveCount, ApproximateFirstReceiveTimestamp, SenderId.
  boost::json::object attributes;
  boost::json::object message_attributes;
};

/// Queues as other services use them: dead letters, notifications, event source mappings. SQS
/// implements it. Queues are named by ARN. Thread-safe.
class Queues {
 public:
  virtual ~Queues() = default;
  [[nodiscard]] virtual bool has_queue(std::string_view queue_arn) = 0;
  /// Sends inside the caller's transaction. `message_attributes` in SQS's own form
  /// ({"ErrorCode":{"DataType":"Number","StringValue":"200"}}). Error QueueDoesNotExist.
  [[nodiscard]] virtual base::Status send(Connection& transaction, std::string_view queue_arn,
                                          std::string_view body,
                                          const boost::json::object& message_attributes) = 0;
  /// Call after the commit: whoever waits in receive() looks again.
  virtual void wake() = 0;
  /// Up to `count` visible messages, each hidden for `visibility` (nullopt = the queue's own);
  /// waits up to `wait` for the first.
  [[nodiscard]] virtual base::Result<std::vector<QueueMessage>> receive(
      std::string_view queue_arn, int count, std::optional<std::chrono::seconds> visibility,
      std::chrono::milliseconds wait) = 0;
  [[nodiscard]] virtual base::Status remove(std::string_view queue_arn,
                                            std::string_view receipt_handle) = 0;
};

}  // namespace imgproc::localcloud
