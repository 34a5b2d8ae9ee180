#pragma once
// Messages of all queues, durable: send, receive with a visibility time-out, delete, redrive.

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "localcloud/queue_sink.h"
#include "localcloud/store/database.h"

namespace imgproc::localcloud::sqs {

/// Where messages go that were received too often (RedrivePolicy).
struct Redrive {
  std::string dead_letter_queue;
  int receive_count_max = 0;
};

struct MessageCounts {
  std::int64_t visible = 0;
  std::int64_t in_flight = 0;
  std::int64_t delayed = 0;
  /// Of the oldest message that is still there; zero if there is none.
  std::chrono::milliseconds oldest_age{0};
};

/// Queues are named by their own name here. Every call that changes something takes the caller's
/// transaction, so that it commits with whatever belongs to it.
class MessageStore {
 public:
  static base::Status create_schema(Database& database);

  /// Returns the message's id.
  static base::Result<std::string> send(Connection& connection, std::string_view queue,
                                        std::string_view body,
                                        const boost::json::object& message_attributes,
                                        base::SystemTime now, std::chrono::seconds delay);
  /// Oldest first. Messages over the redrive limit move to the dead-letter queue instead, those
  /// over the retention time are dropped.
  static base::Result<std::vector<QueueMessage>> receive(
      Connection& connection, std::string_view queue, int count, std::chrono::seconds visibility,
      std::chrono::seconds retention, const std::optional<Redrive>& redrive, base::SystemTime now);
  /// False if the handle names no message (deleted already): no error in SQS either.
  static base::Result<bool> remove(Connection& connection, std::string_view queue,
                                   std::string_view receipt_handle);
  static base::Result<bool> change_visibility(Connection& connection, std::string_view queue,
                                              std::string_view receipt_handle,
                                              std::chrono::seconds visibility,
                                              base::SystemTime now);
  static base::Status purge(Connection& connection, std::string_view queue);
  static base::Result<MessageCounts> count(Connection& connection, std::string_view queue,
                                           base::SystemTime now);
};

}  // namespace imgproc::localcloud::sqs
