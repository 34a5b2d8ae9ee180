#pragma once
// SNS standard topics: subscriptions of protocol sqs and lambda are delivered, e-mail and http stay
// pending, since nothing leaves the machine.

#include <boost/json.hpp>
#include <memory>

#include "localcloud/context.h"
#include "localcloud/event_sink.h"
#include "localcloud/queue_sink.h"
#include "localcloud/rpc/rpc.h"
#include "localcloud/store/documents.h"
#include "localcloud/topics.h"

namespace imgproc::localcloud::sns {

class SnsService final : public Topics {
 public:
  [[nodiscard]] static base::Result<std::unique_ptr<SnsService>> create(Context& context,
                                                                        Queues& queues,
                                                                        EventSink& functions);
  [[nodiscard]] http::Response handle(const Caller& caller, http::Request request);

  bool has_topic(std::string_view topic_arn) override;
  base::Status publish(std::string_view topic_arn, std::string_view subject,
                       std::string_view message) override;

 private:
  using Output = base::Result<boost::json::object>;
  SnsService(Context& context, Documents documents, Queues& queues, EventSink& functions);
  void register_topic_operations();
  void register_subscription_operations();

  // topics.cc
  Output create_topic(const rpc::Call& call);
  Output delete_topic(const rpc::Call& call);
  Output get_topic_attributes(const rpc::Call& call);
  Output set_topic_attributes(const rpc::Call& call);
  Output list_topics(const rpc::Call& call);
  Output list_tags_for_resource(const rpc::Call& call);
  Output tag_resource(const rpc::Call& call);
  Output untag_resource(const rpc::Call& call);

  // subscriptions.cc
  Output subscribe(const rpc::Call& call);
  Output unsubscribe(const rpc::Call& call);
  Output get_subscription_attributes(const rpc::Call& call);
  Output set_subscription_attributes(const rpc::Call& call);
  Output list_subscriptions(const rpc::Call& call);
  Output publish_call(const rpc::Call& call);
  base::Result<std::string> deliver(std::string_view topic_arn, std::string_view subject,
                                    std::string_view message,
                                    const boost::json::object& attributes);

  base::Status change_topic(const std::string& arn,
                            const std::function<base::Status(boost::json::object&)>& change);

  Context& context_;
  Documents documents_;
  Queues& queues_;
  EventSink& functions_;
  rpc::ServiceDescription description_;
};

[[nodiscard]] std::unexpected<base::Error> sns_not_found(std::string_view what);

}  // namespace imgproc::localcloud::sns
