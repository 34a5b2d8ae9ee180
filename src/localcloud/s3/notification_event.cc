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

}  // namespace imgproc::localcloud::s3
