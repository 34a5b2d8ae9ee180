#pragma once
// SQS standard queues over awsJson 1.0. FIFO queues are refused with InvalidParameterValue.

#include <condition_variable>
#include <mutex>

#include "localcloud/context.h"
#include "localcloud/metric_sink.h"
#include "localcloud/queue_sink.h"
#include "localcloud/rpc/rpc.h"
#include "localcloud/sqs/message_store.h"
#include "localcloud/store/documents.h"

namespace imgproc::localcloud::sqs {

class SqsService final : public Queues {
 public:
  [[nodiscard]] static base::Result<std::unique_ptr<SqsService>> create(Context& context);

  [[nodiscard]] http::Response handle(const Caller& caller, http::Request request);
  /// Ends every long poll at once; for shutting down.
  void stop();
  /// Tells `sink` how many messages each queue holds and how old they are, under AWS/SQS's names.
  void measure(MetricSink& sink);

  bool has_queue(std::string_view queue_arn) override;
  base::Status send(Connection& transaction, std::string_view queue_arn, std::string_view body,
                    const boost::json::object& message_attributes) override;
  void wake() override;
  base::Result<std::vector<QueueMessage>> receive(std::string_view queue_arn, int count,
                                                  std::optional<std::chrono::seconds> visibility,
                                                  std::chrono::milliseconds wait) override;
  base::Status remove(std::string_view queue_arn, std::string_view receipt_handle) override;

 private:
  using Output = base::Result<boost::json::object>;
  SqsService(Context& context, Documents documents);
  void register_queue_operations();
  void register_message_operations();

  // queues.cc
  Output create_queue(const rpc::Call& call);
  Output get_queue_url(const rpc::Call& call);
  Output list_queues(const rpc::Call& call);
  Output delete_queue(const rpc::Call& call);
  Output purge_queue(const rpc::Call& call);
  Output get_queue_attributes(const rpc::Call& call);
  Output set_queue_attributes(const rpc::Call& call);
  Output tag_queue(const rpc::Call& call);
  Output untag_queue(const rpc::Call& call);
  Output list_queue_tags(const rpc::Call& call);
  Output list_dead_letter_source_queues(const rpc::Call& call);

  // messages.cc
  Output send_message(const rpc::Call& call);
  Output send_message_batch(const rpc::Call& call);
  Output receive_message(const rpc::Call& call);
  Output delete_message(const rpc::Call& call);
  Output delete_message_batch(const rpc::Call& call);
  Output change_message_visibility(const rpc::Call& call);
  Output change_message_visibility_batch(const rpc::Call& call);
  Output send_entry(const std::string& queue, const boost::json::object& attributes,
                    const boost::json::object& entry);

  /// Name and attributes of the queue that "QueueUrl" names, whatever host it holds.
  struct Queue {
    std::string name;
    boost::json::object attributes;
    boost::json::object tags;
  };
  base::Result<Queue> find_queue(const rpc::Call& call);
  base::Result<Queue> load_queue(std::string_view name);
  base::Result<std::vector<QueueMessage>> receive_from(const Queue& queue, int count,
                                                       std::chrono::seconds visibility,
                                                       std::chrono::milliseconds wait);

  Context& context_;
  Documents documents_;
  rpc::ServiceDescription description_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::uint64_t arrivals_ = 0;
  bool stopping_ = false;
};

/// Last part of "arn:aws:sqs:REGION:ACCOUNT:NAME"; empty if it is no such ARN.
[[nodiscard]] std::string_view queue_name_of_arn(std::string_view arn);
/// An attribute that holds a whole number, or `fallback`.
[[nodiscard]] int int_attribute(const boost::json::object& attributes, std::string_view name,
                                int fallback);

}  // namespace imgproc::localcloud::sqs
