#pragma once
// EventBridge: rules on the default bus with SQS and Lambda targets. Schedules, other buses,
// archives and input transformers say NotImplemented.

#include <boost/json.hpp>
#include <memory>

#include "localcloud/context.h"
#include "localcloud/event_bus.h"
#include "localcloud/event_sink.h"
#include "localcloud/queue_sink.h"
#include "localcloud/rpc/rpc.h"
#include "localcloud/store/documents.h"

namespace imgproc::localcloud::eventbridge {

class EventBridgeService final : public EventBus {
 public:
  [[nodiscard]] static base::Result<std::unique_ptr<EventBridgeService>> create(
      Context& context, Queues& queues, EventSink& functions);
  [[nodiscard]] http::Response handle(const Caller& caller, http::Request request);

  base::Status put_event(Connection& transaction, boost::json::object event) override;
  void wake() override;

 private:
  using Output = base::Result<boost::json::object>;
  EventBridgeService(Context& context, Documents documents, Queues& queues, EventSink& functions);
  void register_operations();

  Output put_rule(const rpc::Call& call);
  Output describe_rule(const rpc::Call& call);
  Output list_rules(const rpc::Call& call);
  Output delete_rule(const rpc::Call& call);
  Output set_state(const rpc::Call& call, const char* state);
  Output put_targets(const rpc::Call& call);
  Output remove_targets(const rpc::Call& call);
  Output list_targets_by_rule(const rpc::Call& call);
  Output list_rule_names_by_target(const rpc::Call& call);
  Output put_events(const rpc::Call& call);
  Output list_tags_for_resource(const rpc::Call& call);
  Output tag_resource(const rpc::Call& call);
  Output untag_resource(const rpc::Call& call);

  base::Status change_rule(const std::string& name,
                           const std::function<base::Status(boost::json::object&)>& change);
  base::Status deliver(Connection& transaction, const boost::json::object& target,
                       const boost::json::object& event);

  Context& context_;
  Documents documents_;
  Queues& queues_;
  EventSink& functions_;
  rpc::ServiceDescription description_;
};

}  // namespace imgproc::localcloud::eventbridge
