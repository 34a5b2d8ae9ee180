#include "localcloud/logs/service.h"

namespace imgproc::localcloud::logs {

base::Result<std::unique_ptr<LogsService>> LogsService::create(const Context& context) {
  IMGPROC_TRY(auto store, LogStore::open(context.database, context.clock));
  IMGPROC_TRY(Documents documents, Documents::open(context.database, "logs"));
  return std::unique_ptr<LogsService>(
      new LogsService(context, std::move(store), std::move(documents)));
}

LogsService::LogsService(const Context& context, std::unique_ptr<LogStore> store,
                         Documents documents)
    : context_(context), store_(std::move(store)), documents_(std::move(documents)) {
  description_.target_prefix = "Logs_20140328";
  description_.json_version = "1.1";
  auto add = [this](std::string_view name, Output (LogsService::*operation)(const rpc::Call&)) {
    description_.operations.emplace(
        name, [this, operation](const rpc::Call& call) { return (this->*operation)(call); });
  };
  add("CreateLogGroup", &LogsService::create_log_group);
  add("DeleteLogGroup", &LogsService::delete_log_group);
  add("DescribeLogGroups", &LogsService::describe_log_groups);
  add("PutRetentionPolicy", &LogsService::put_retention_policy);
  add("DeleteRetentionPolicy", &LogsService::delete_retention_policy);
  add("TagResource", &LogsService::tag_resource);
  add("UntagResource", &LogsService::untag_resource);
  add("ListTagsForResource", &LogsService::list_tags_for_resource);
  add("AssociateKmsKey", &LogsService::associate_kms_key);
  add("DisassociateKmsKey", &LogsService::disassociate_kms_key);
  add("CreateLogStream", &LogsService::create_log_stream);
  add("DeleteLogStream", &LogsService::delete_log_stream);
  add("DescribeLogStreams", &LogsService::describe_log_streams);
  add("PutLogEvents", &LogsService::put_log_events);
  add("GetLogEvents", &LogsService::get_log_events);
  add("FilterLogEvents", &LogsService::filter_log_events);
}

http::Response LogsService::handle(const Caller& caller, http::Request request) {
  return rpc::dispatch(description_, caller, std::move(request));
}

}  // namespace imgproc::localcloud::logs
