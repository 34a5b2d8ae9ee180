#pragma once
// SQS queues as event sources: their configuration, and the pollers that turn messages into
// invocations. Source: "Using Lambda with Amazon SQS", AWS documentation.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/json.h"
#include "localcloud/context.h"
#include "localcloud/lambda/environment.h"
#include "localcloud/queue_sink.h"
#include "localcloud/store/documents.h"

namespace imgproc::localcloud::lambda {

inline constexpr int kBatchSizeMax = 10000;
/// Larger batches than this need a batching window, as on AWS.
inline constexpr int kBatchSizeWithoutWindowMax = 10;
inline constexpr int kBatchingWindowSecondsMax = 300;
inline constexpr std::size_t kMappingsMax = 64;
/// Batches of one mapping that run at once, unless ScalingConfig asks for fewer.
inline constexpr int kPollersPerMapping = 2;
/// A poller looks at least this often whether it should stop.
inline constexpr std::chrono::seconds kPollWait{1};

using Tags = std::map<std::string, std::string>;

/// Thread-safe.
class EventSourceMappings {
 public:
  /// Runs the function and waits for its outcome; an error means that it could not be run
  /// (throttled, no such function): the messages come back after their visibility time-out.
  using Invoke =
      std::function<base::Result<Outcome>(const std::string& function_arn, std::string payload)>;
  /// Whether the function's role may read the queue; asked before each look at it.
  using MayRead =
      std::function<base::Status(const std::string& function_arn, const std::string& queue_arn)>;

  [[nodiscard]] static base::Result<std::unique_ptr<EventSourceMappings>> create(
      const Context& context, Queues& queues, Invoke invoke, MayRead may_read);
  ~EventSourceMappings();

  /// Pollers run from now on, for the mappings that exist already too.
  [[nodiscard]] base::Status start();
  /// Waits for the batches under way. Queues must have been told to stop waiting before.
  void stop();

  /// The Lambda API's operations, JSON to JSON. `function_arn` is the resolved FunctionName.
  [[nodiscard]] base::Result<base::json::object> create_mapping(const base::json::object& input,
                                                                const std::string& function_arn,
                                                                std::string_view region);
  [[nodiscard]] base::Result<base::json::object> get_mapping(const std::string& uuid) const;
  /// Empty arguments do not filter.
  [[nodiscard]] base::Result<base::json::object> list_mappings(std::string_view function_arn,
                                                               std::string_view queue_arn) const;
  [[nodiscard]] base::Result<base::json::object> update_mapping(const std::string& uuid,
                                                                const base::json::object& input,
                                                                const std::string& function_arn);
  [[nodiscard]] base::Result<base::json::object> delete_mapping(const std::string& uuid);

  [[nodiscard]] base::Result<Tags> tags(const std::string& uuid) const;
  [[nodiscard]] base::Status change_tags(const std::string& uuid,
                                         const std::function<base::Status(Tags&)>& change);

 private:
  struct Pollers {
    std::atomic<bool> stopping{false};
    std::vector<std::thread> threads;
  };
  EventSourceMappings(const Context& context, Queues& queues, Invoke invoke, MayRead may_read,
                      Documents documents);
  void start_pollers(const std::string& uuid, const base::json::object& mapping);
  /// Tells them to end, and hands them over to be joined.
  void stop_pollers(const std::string& uuid);
  void poll(const base::json::object& mapping, const std::atomic<bool>& stopping);
  void pause(const std::atomic<bool>& stopping);
  void run_batch(const base::json::object& mapping, std::vector<QueueMessage> messages);

  Context context_;
  Queues& queues_;
  Invoke invoke_;
  MayRead may_read_;
  Documents documents_;
  std::mutex mutex_;
  bool started_ = false;
  std::map<std::string, std::unique_ptr<Pollers>> pollers_;
  std::vector<std::unique_ptr<Pollers>> ending_;
  std::mutex tags_mutex_;
  std::mutex pause_mutex_;
  std::condition_variable pause_ended_;
};

/// The event that a function gets: {"Records":[…]}.
[[nodiscard]] std::string build_sqs_event(const std::vector<QueueMessage>& messages,
                                          std::string_view queue_arn);

/// Ids of the messages that must come back: those that the answer names in batchItemFailures, all
/// of them where the answer is not of that form.
[[nodiscard]] std::vector<std::string> failed_items(std::string_view answer,
                                                    const std::vector<QueueMessage>& messages);

}  // namespace imgproc::localcloud::lambda
