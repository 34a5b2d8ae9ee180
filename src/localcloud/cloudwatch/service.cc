#include "localcloud/cloudwatch/service.h"

#include "base/log.h"

namespace imgproc::localcloud::cloudwatch {

base::Result<std::unique_ptr<CloudWatchService>> CloudWatchService::create(Context& context,
                                                                           Topics* topics,
                                                                           EventSink* functions) {
  IMGPROC_CHECK(MetricStore::create_schema(context.database));
  IMGPROC_TRY(Documents documents, Documents::open(context.database, "cloudwatch"));
  return std::unique_ptr<CloudWatchService>(
      new CloudWatchService(context, std::move(documents), topics, functions));
}

CloudWatchService::CloudWatchService(Context& context, Documents documents, Topics* topics,
                                     EventSink* functions)
    : context_(context), documents_(std::move(documents)), topics_(topics), functions_(functions) {
  description_.target_prefix = "GraniteServiceVersion20100801";
  description_.xmlns = "http://monitoring.amazonaws.com/doc/2010-08-01/";
  register_alarm_operations();
  register_metric_operations();
  register_dashboard_operations();
}

CloudWatchService::~CloudWatchService() {
  stop();
}

http::Response CloudWatchService::handle(const Caller& caller, http::Request request) {
  return rpc::dispatch(description_, caller, std::move(request));
}

void CloudWatchService::run_alarms() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    context_.clock.wait_until(lock, stop_wanted_, context_.clock.steady() + kEvaluationInterval,
                              [&] { return stopping_; });
    if (stopping_) return;
    lock.unlock();
    auto status = evaluate_alarms();
    if (status) status = expire_metrics();
    if (!status)
      base::log_warn("alarms could not be evaluated", {{"error", status.error().describe()}});
    lock.lock();
  }
}

void CloudWatchService::start() {
  thread_ = std::thread([this] { run_alarms(); });
}

void CloudWatchService::stop() {
  {
    std::lock_guard guard(mutex_);
    stopping_ = true;
    stop_wanted_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

base::Status CloudWatchService::expire_metrics() {
  auto hour = std::chrono::floor<std::chrono::hours>(context_.clock.now());
  if (hour == expired_) return {};
  expired_ = hour;
  return context_.database.write([&](Connection& connection) {
    return MetricStore::expire(connection, context_.clock.now());
  });
}

}  // namespace imgproc::localcloud::cloudwatch
