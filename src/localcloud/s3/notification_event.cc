#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/bytes.h"
#include "base/time.h"
#include "localcloud/s3/notification.h"

namespace imgproc::localcloud::s3 {
namespace {

/// Keys in events are encoded like form values: a space is "+", a slash stays.
std::string form_encoded(std::string_view key) {
  std::string encoded = base::percent_encode(key, true);
  std::string out;
  out.reserve(encoded.size());
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    if (encoded.compare(i, 3, "%20") == 0) {
      out += '+';
      i += 2;
    } else {
      out += encoded[i];
    }
  }
  return out;
}

}  // namespace

std::string notification_event(const Bucket& bucket, const ObjectEvent& event,
                               std::string_view configuration_id, const Caller& caller,
                               base::SystemTime now) {
  namespace json = boost::json;
  std::string_view name = event.name;
  if (name.starts_with("s3:")) name.remove_prefix(3);
  json::object object{{"key", form_encoded(event.key)}};
  if (event.name.starts_with("s3:ObjectCreated:")) object["size"] = event.bytes;
  if (!event.etag.empty()) object["eTag"] = event.etag;
  if (!event.version_id.empty()) object["versionId"] = event.version_id;
  object["sequencer"] = fmt::format("{:016X}", event.sequence);
  json::object record{
      {"eventVersion", "2.1"},
      {"eventSource", "aws:s3"},
      {"awsRegion", bucket.region},
      {"eventTime", base::to_iso8601(now)},
      {"eventName", name},
      {"userIdentity", {{"principalId", "AWS:" + caller.access_key_id}}},
      {"requestParameters", {{"sourceIPAddress", "127.0.0.1"}}},
      {"responseElements",
       {{"x-amz-request-id", caller.request_id}, {"x-amz-id-2", caller.request_id}}},
      {"s3",
       {{"s3SchemaVersion", "1.0"},
        {"configurationId", configuration_id},
        {"bucket",
         {{"name", bucket.name},
          {"ownerIdentity", {{"principalId", kAccountId}}},
          {"arn", "arn:aws:s3:::" + bucket.name}}},
        {"object", std::move(object)}}}};
  return json::serialize(json::object{{"Records", json::array{std::move(record)}}});
}

}  // namespace imgproc::localcloud::s3
