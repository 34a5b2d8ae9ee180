#include <fmt/format.h>

#include "localcloud/s3/notification.h"
#include "protocol/s3_event.h"

namespace imgproc::localcloud::s3 {

std::string notification_event(const Bucket& bucket, const ObjectEvent& event,
                               std::string_view configuration_id, const Caller& caller,
                               base::SystemTime now) {
  std::string_view name = event.name;
  if (name.starts_with("s3:")) name.remove_prefix(3);
  protocol::S3EventRecord record{.region = bucket.region,
                                 .event_time = now,
                                 .event_name = std::string(name),
                                 .principal_id = "AWS:" + caller.access_key_id,
                                 .request_id = caller.request_id,
                                 .host_id = caller.request_id,
                                 .configuration_id = std::string(configuration_id),
                                 .bucket = bucket.name,
                                 .bucket_owner_id = kAccountId,
                                 .key = std::string(event.key),
                                 .etag = std::string(event.etag),
                                 .version_id = std::string(event.version_id),
                                 .sequencer = fmt::format("{:016X}", event.sequence)};
  if (name.starts_with("ObjectCreated:")) record.size = event.bytes;
  return protocol::build_s3_event(record);
}

std::optional<boost::json::object> bridge_event(const Bucket& bucket, const ObjectEvent& event,
                                                const Caller& caller) {
  bool created = event.name.starts_with("s3:ObjectCreated:");
  bool removed = event.name.starts_with("s3:ObjectRemoved:");
  if (!created && !removed) return std::nullopt;
  std::string_view how = event.name.substr(event.name.rfind(':') + 1);
  boost::json::object object{{"key", event.key},
                             {"sequencer", fmt::format("{:016X}", event.sequence)}};
  if (created) object["size"] = event.bytes;
  if (!event.etag.empty()) object["etag"] = event.etag;
  if (!event.version_id.empty()) object["version-id"] = event.version_id;
  boost::json::object detail{{"version", "0"},          {"bucket", {{"name", bucket.name}}},
                             {"object", object},        {"request-id", caller.request_id},
                             {"requester", kAccountId}, {"source-ip-address", "127.0.0.1"}};
  if (created) {
    std::string reason(how);
    if (reason == "Put" || reason == "Post" || reason == "Copy") reason += "Object";
    detail["reason"] = reason;
  } else {
    detail["reason"] = "DeleteObject";
    detail["deletion-type"] =
        how == "DeleteMarkerCreated" ? "Delete Marker Created" : "Permanently Deleted";
  }
  return boost::json::object{{"source", "aws.s3"},
                             {"detail-type", created ? "Object Created" : "Object Deleted"},
                             {"region", bucket.region},
                             {"resources", boost::json::array{"arn:aws:s3:::" + bucket.name}},
                             {"detail", detail}};
}

}  // namespace imgproc::localcloud::s3
