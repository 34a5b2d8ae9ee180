#pragma once
// CloudWatch: metrics, alarms with their actions, dashboards. Terraform speaks awsQuery to it, the
// AWS CLI and boto3 awsJson: both reach the same operations.

#include <boost/json.hpp>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "localcloud/cloudwatch/metric_store.h"
#include "localcloud/context.h"
#include "localcloud/event_sink.h"
#include "localcloud/metric_sink.h"
#include "localcloud/rpc/rpc.h"
#include "localcloud/store/documents.h"
#include "localcloud/topics.h"

namespace imgproc::localcloud::cloudwatch {

/// How often alarms are looked at without anybody asking.
inline constexpr std::chrono::seconds kEvaluationInterval{10};

class CloudWatchService final : public MetricSink {
 public:
  /// `topics` and `functions` receive alarm actions; each may be null.
  [[nodiscard]] static base::Result<std::unique_ptr<CloudWatchService>> create(
      Context& context, Topics* topics, EventSink* functions);
  ~CloudWatchService() override;

  /// Called before alarms are evaluated, for measurements that are made only then. Set before
  /// start().
  void before_evaluation(std::function<void()> measure) { before_evaluation_ = std::move(measure); }
  /// From now on alarms are evaluated every kEvaluationInterval of the clock.
  void start();
  /// Waits for the evaluation under way. Functions and topics must live until then.
  void stop();

  [[nodiscard]] http::Response handle(const Caller& caller, http::Request request);

  void put(std::string_view name_space, std::string_view name, const Dimensions& dimensions,
           double value) override;

  /// Computes every alarm's state anew and runs the actions of those that changed. Also done before
  /// alarms are described.
  [[nodiscard]] base::Status evaluate_alarms();

 private:
  using Output = base::Result<boost::json::object>;
  CloudWatchService(Context& context, Documents documents, Topics* topics, EventSink* functions);
  void register_alarm_operations();
  void register_metric_operations();
  void register_dashboard_operations();

  // alarms.cc
  Output put_metric_alarm(const rpc::Call& call);
  Output describe_alarms(const rpc::Call& call);
  Output delete_alarms(const rpc::Call& call);
  Output set_alarm_state(const rpc::Call& call);
  Output enable_alarm_actions(const rpc::Call& call, bool enabled);
  Output list_tags_for_resource(const rpc::Call& call);
  Output tag_resource(const rpc::Call& call);
  Output untag_resource(const rpc::Call& call);

  // alarm_states.cc
  base::Status enter_state(const std::string& name, const std::string& value,
                           const std::string& reason);

  void run_alarms();
  /// Once an hour.
  base::Status expire_metrics();

  // metrics.cc
  Output put_metric_data(const rpc::Call& call);
  Output get_metric_statistics(const rpc::Call& call);
  Output get_metric_data(const rpc::Call& call);
  Output list_metrics(const rpc::Call& call);

  // dashboards.cc
  Output put_dashboard(const rpc::Call& call);
  Output get_dashboard(const rpc::Call& call);
  Output list_dashboards(const rpc::Call& call);
  Output delete_dashboards(const rpc::Call& call);

  Context& context_;
  Documents documents_;
  Topics* topics_;
  EventSink* functions_;
  rpc::ServiceDescription description_;
  std::function<void()> before_evaluation_;

  std::mutex mutex_;
  std::condition_variable stop_wanted_;
  bool stopping_ = false;
  std::chrono::sys_time<std::chrono::hours> expired_{};
  std::thread thread_;
};

[[nodiscard]] std::unexpected<base::Error> no_such_alarm(std::string_view name);

/// Query clients send numbers and booleans as text: gives them their kinds.
[[nodiscard]] boost::json::value with_kind(std::string_view member,
                                           const boost::json::value& value);

}  // namespace imgproc::localcloud::cloudwatch
