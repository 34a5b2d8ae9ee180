#pragma once
// CloudWatch Logs, JSON 1.1: groups, streams and events with search, as `aws logs tail` and
// Terraform use it. Metric filters and Insights queries answer NotImplemented.

#include <memory>

#include "localcloud/context.h"
#include "localcloud/logs/log_store.h"
#include "localcloud/rpc/rpc.h"
#include "localcloud/store/documents.h"

namespace imgproc::localcloud::logs {

/// Thread-safe.
class LogsService {
 public:
  [[nodiscard]] static base::Result<std::unique_ptr<LogsService>> create(const Context& context);
  [[nodiscard]] http::Response handle(const Caller& caller, http::Request request);
  /// Where the Lambda service's lines go.
  [[nodiscard]] LogStore& store() { return *store_; }

 private:
  using Output = base::Result<boost::json::object>;
  LogsService(const Context& context, std::unique_ptr<LogStore> store, Documents documents);
  // groups.cc
  Output create_log_group(const rpc::Call& call);
  Output delete_log_group(const rpc::Call& call);
  Output describe_log_groups(const rpc::Call& call);
  Output put_retention_policy(const rpc::Call& call);
  Output delete_retention_policy(const rpc::Call& call);
  Output tag_resource(const rpc::Call& call);
  Output untag_resource(const rpc::Call& call);
  Output list_tags_for_resource(const rpc::Call& call);
  Output associate_kms_key(const rpc::Call& call);
  Output disassociate_kms_key(const rpc::Call& call);
  // events.cc
  Output create_log_stream(const rpc::Call& call);
  Output delete_log_stream(const rpc::Call& call);
  Output describe_log_streams(const rpc::Call& call);
  Output put_log_events(const rpc::Call& call);
  Output get_log_events(const rpc::Call& call);
  Output filter_log_events(const rpc::Call& call);

  Context context_;
  std::unique_ptr<LogStore> store_;
  /// Kind "key": the KMS key of a group, a setting only.
  Documents documents_;
  rpc::ServiceDescription description_;
};

/// arn:aws:logs:REGION:ACCOUNT:log-group:NAME, without the ":*" that some answers add.
[[nodiscard]] std::string group_arn(const Caller& caller, std::string_view name);
/// The group that a name or an ARN (with or without ":*") means.
[[nodiscard]] std::string group_name_of(std::string_view name_or_arn);
/// logGroupName or logGroupIdentifier of a call. Error InvalidParameterException.
[[nodiscard]] base::Result<std::string> group_of(const rpc::Call& call);
[[nodiscard]] std::unexpected<base::Error> invalid_parameter(std::string message);

}  // namespace imgproc::localcloud::logs
