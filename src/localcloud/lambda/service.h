#pragma once
// AWS Lambda as the local cloud answers it: functions that run as processes of this machine, and
// the durable queue of their events. REST-JSON, API 2015-03-31 and its later paths.
//
// Differences from AWS: the CPU share does not follow the memory size; ephemeral storage is a
// private TMPDIR whose size is not limited; environments are not frozen between invocations.

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/exchange.h"
#include "localcloud/context.h"
#include "localcloud/event_sink.h"
#include "localcloud/lambda/architecture.h"
#include "localcloud/lambda/code_store.h"
#include "localcloud/lambda/dispatcher.h"
#include "localcloud/lambda/environment_pool.h"
#include "localcloud/lambda/event_source_mappings.h"
#include "localcloud/lambda/invocation_queue.h"
#include "localcloud/lambda/metrics.h"
#include "localcloud/lambda/registry.h"
#include "localcloud/queue_sink.h"

namespace imgproc::localcloud::lambda {

/// A synchronous invocation waits this long for a free slot of the machine, which AWS would always
/// have; a function's own reserved concurrency refuses at once, as there.
inline constexpr std::chrono::seconds kSlotWaitMax{10};
/// Request bodies: a package in base64 with its JSON around it.
inline constexpr std::size_t kControlBodyBytesMax = 72 * 1024 * 1024;
/// Code.S3Bucket of a function that runs from a folder of this machine; Code.S3Key is its path. No
/// bucket can have this name.
inline constexpr std::string_view kLocalDirectoryBucket = "$local";

struct LambdaOptions {
  /// Invocations at once; 0 = one for each core.
  std::size_t concurrency = 0;
  /// Wait before the first retry of an event; the second waits twice as long.
  std::chrono::milliseconds retry_base_delay = kRetryBaseDelay;
  /// Takes the lines of functions for CloudWatch Logs.
  LineSink log;
  /// Called after each invocation, when its lines are complete.
  std::function<void()> flush_log;
  /// Credentials of a function's role.
  std::function<base::Result<FunctionCredentials>(const FunctionVersion&)> issue_credentials;
  /// Whether a role can be given to a function; empty = every role can.
  std::function<bool(std::string_view role_arn)> has_role;
  /// Whether a role's policies allow what Lambda does in its name (logs, queues, traces),
  /// AccessDenied naming all three if not; empty = they do. `session` is the function's name.
  std::function<base::Status(std::string_view role_arn, std::string_view session,
                             std::string_view action, std::string_view resource)>
      authorize;
  /// See Metrics::publish.
  std::function<void(std::string_view metric, const std::string& function, double value)>
      publish_metric;
  /// Whether functions for an architecture run here.
  std::function<bool(std::string_view architecture)> can_run = lambda::can_run;
  /// Dead-letter queues and failure destinations; may be null.
  Queues* queues = nullptr;
};

/// Thread-safe.
class LambdaService final : public EventSink {
 public:
  [[nodiscard]] static base::Result<std::unique_ptr<LambdaService>> create(const Context& context,
                                                                           LambdaOptions options);
  ~LambdaService() override;

  /// From now on events run. `endpoint_url` is this cloud's own address; `objects` reads packages
  /// from S3 (unsigned requests), null if there is no S3.
  void start(std::string endpoint_url, http::Exchange* objects);
  /// Ends every invocation within kTerminateGrace; events that were under way stay in the queue.
  void stop();

  [[nodiscard]] http::Response handle(const Caller& caller, http::Request request);

  base::Status enqueue(Connection& transaction, std::string_view function_arn,
                       std::string_view payload) override;
  void wake() override;
  bool has_function(std::string_view function_arn) override;
  bool lets_invoke(std::string_view function_arn, std::string_view service,
                   std::string_view source_arn) override;

  [[nodiscard]] const Metrics& metrics() const { return metrics_; }
  [[nodiscard]] InvocationQueue& queue() { return *queue_; }
  [[nodiscard]] EnvironmentPool::Stats environments() const { return pool_->stats(); }

 private:
  /// One request, taken apart.
  struct Call {
    const Caller& caller;
    http::Request& request;
    /// Decoded segments of the path behind the API's date.
    std::vector<std::string> path;
    http::QueryParams query;
    FunctionReference function;
    base::json::object input;
  };
  using Answer = base::Result<http::Response>;
  using Operation = Answer (LambdaService::*)(Call&);
  struct Route {
    std::string_view method;
    /// API date, then segments; {} takes any, {fn} a function's name or ARN.
    std::string_view path;
    Operation operation;
    bool has_json_body;
  };
  static const Route kRoutes[];

  LambdaService(const Context& context, LambdaOptions options);
  Answer dispatch(const Caller& caller, http::Request& request);

  // invoke.cc
  Answer invoke(Call& call);
  Answer invoke_event(Call& call, const FunctionVersion& version, std::string payload);
  // functions.cc
  Answer create_function(Call& call);
  Answer get_function(Call& call);
  Answer get_function_configuration(Call& call);
  Answer list_functions(Call& call);
  Answer delete_function(Call& call);
  Answer update_function_code(Call& call);
  Answer update_function_configuration(Call& call);
  Answer publish_version(Call& call);
  Answer list_versions(Call& call);
  base::Result<FunctionCode> read_code(const base::json::object& code);
  base::Status check_architecture(const FunctionSettings& settings) const;
  // attributes.cc
  Answer get_policy(Call& call);
  Answer add_permission(Call& call);
  Answer remove_permission(Call& call);
  Answer put_concurrency(Call& call);
  Answer get_concurrency(Call& call);
  Answer delete_concurrency(Call& call);
  Answer put_event_invoke_config(Call& call);
  Answer get_event_invoke_config(Call& call);
  Answer delete_event_invoke_config(Call& call);
  Answer get_code_signing_config(Call& call);
  Answer get_account_settings(Call& call);
  // tags.cc
  Answer list_tags(Call& call);
  Answer tag_resource(Call& call);
  Answer untag_resource(Call& call);
  base::Result<Tags> tags_of(const std::string& arn);
  base::Status change_tags(const std::string& arn, const std::function<void(Tags&)>& change);
  // event_sources.cc
  Answer create_event_source_mapping(Call& call);
  Answer get_event_source_mapping(Call& call);
  Answer list_event_source_mappings(Call& call);
  Answer update_event_source_mapping(Call& call);
  Answer delete_event_source_mapping(Call& call);
  base::Result<EventSourceMappings*> mappings();
  base::Result<std::string> mapped_function(const base::json::object& input);
  base::Result<Outcome> invoke_for_queue(const std::string& function_arn, std::string payload);
  base::Status deliver_dead_letter(Connection& transaction, const DeadLetter& letter);
  // permissions.cc
  base::Status may(const FunctionVersion& function, std::string_view action,
                   std::string_view resource) const;
  bool may_log(const FunctionVersion& function, std::string_view stream) const;
  base::Status check_settings(const FunctionVersion& function) const;
  base::Status check_destination(const FunctionVersion& function, const std::string& arn) const;
  base::Status check_source(const std::string& function_arn, const std::string& queue_arn) const;

  Context context_;
  LambdaOptions options_;
  http::Exchange* objects_ = nullptr;
  Metrics metrics_;
  std::unique_ptr<CodeStore> code_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<InvocationQueue> queue_;
  std::unique_ptr<EnvironmentPool> pool_;
  std::unique_ptr<Dispatcher> dispatcher_;
  /// Null without queues.
  std::unique_ptr<EventSourceMappings> mappings_;
};

/// A JSON answer.
[[nodiscard]] http::Response json_response(int status, const base::json::object& body);
[[nodiscard]] http::Response empty_response(int status);
/// "Root=1-TIME-RANDOM;Parent=RANDOM;Sampled=0" as X-Ray writes it.
[[nodiscard]] std::string new_trace_id(base::SystemTime now);

}  // namespace imgproc::localcloud::lambda
