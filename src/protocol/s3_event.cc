#include "protocol/s3_event.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/time.h"

namespace imgproc::protocol {
namespace {

namespace json = boost::json;
using base::Result;
using base::Status;
using Envelope = ParsedEvents::Envelope;

constexpr std::size_t kKeyBytesMax = 1024;
constexpr std::size_t kBucketBytesMax = 255;

std::unexpected<base::Error> malformed(std::string_view pointer, std::string_view what) {
  return base::permanent("MALFORMED_EVENT",
                         fmt::format("{}: {}", pointer.empty() ? "/" : pointer, what),
                         "the event is none that S3, SNS, SQS, EventBridge or S3 Batch Operations "
                         "sends; see the list of events in the documentation");
}

/// A JSON object together with where it stands, so that errors can say it.
struct Node {
  const json::object& object;
  std::string pointer;

  [[nodiscard]] std::string at(std::string_view name) const {
    return fmt::format("{}/{}", pointer, name);
  }
  [[nodiscard]] Result<Node> child(std::string_view name) const {
    const json::object* found = base::json_object(object, name);
    if (found == nullptr) return malformed(at(name), "an object is expected here");
    return Node{*found, at(name)};
  }
  [[nodiscard]] Result<std::string> text(std::string_view name) const {
    const auto found = base::json_string(object, name);
    if (!found) return malformed(at(name), "a string is expected here");
    return std::string(*found);
  }
  [[nodiscard]] std::string optional_text(std::string_view name) const {
    return std::string(base::json_string(object, name).value_or(""));
  }
};

Status check_names(const ObjectEvent& event, const Node& bucket_at, std::string_view bucket_name,
                   const Node& key_at, std::string_view key_name) {
  if (event.bucket.empty() || event.bucket.size() > kBucketBytesMax)
    return malformed(bucket_at.at(bucket_name), "the name of a bucket is expected here");
  if (event.key.empty() || event.key.size() > kKeyBytesMax)
    return malformed(key_at.at(key_name), "a key of 1 to 1024 bytes is expected here");
  return {};
}

Result<std::optional<std::uint64_t>> size_of(const Node& object) {
  const json::value* value = object.object.if_contains("size");
  if (value == nullptr || value->is_null()) return std::optional<std::uint64_t>{};
  const auto size = base::json_int(object.object, "size");
  if (!size || *size < 0) return malformed(object.at("size"), "a size in bytes is expected here");
  return std::optional<std::uint64_t>{static_cast<std::uint64_t>(*size)};
}

Result<std::string> sequencer_of(const Node& object) {
  std::string sequencer = object.optional_text("sequencer");
  if (sequencer.size() > 32 ||
      sequencer.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)
    return malformed(object.at("sequencer"), "at most 32 hexadecimal digits are expected here");
  return sequencer;
}

Result<base::SystemTime> time_of(const Node& node, std::string_view name) {
  const auto text = base::json_string(node.object, name);
  if (!text) return base::SystemTime{};
  const auto time = base::from_iso8601(*text);
  if (!time) return malformed(node.at(name), "an ISO 8601 time is expected here");
  return *time;
}

/// Gathers the events of one document, through all envelopes.
class Parser {
 public:
  ParsedEvents parsed;

  Status document(const Node& node, const FailureTarget& target, int depth) {
    if (depth > kEventNestingMax) return malformed(node.pointer, "too many envelopes in another");
    const bool outermost = depth == 0;
    if (node.object.contains("Records")) return records(node, target, depth);
    if (node.object.contains("tasks") && outermost) return batch_operations(node);
    if (node.object.contains("detail-type")) {
      if (outermost) parsed.envelope = Envelope::event_bridge;
      return event_bridge(node, target);
    }
    // Sent once when a notification is configured; it concerns no object.
    if (base::json_string(node.object, "Event") == "s3:TestEvent") return {};
    // SNS as SQS and HTTP subscribers get it, unless raw delivery is on.
    if (base::json_string(node.object, "Type") == "Notification")
      return nested(node, "Message", target, depth);
    if (node.object.contains("bucket") || node.object.contains("key")) {
      if (outermost) parsed.envelope = Envelope::direct;
      return direct(node, target);
    }
    return malformed(node.pointer, "no event that is known");
  }

 private:
  Status records(const Node& node, const FailureTarget& target, int depth) {
    const json::array* array = base::json_array(node.object, "Records");
    if (array == nullptr) return malformed(node.at("Records"), "an array is expected here");
    for (std::size_t i = 0; i < array->size(); ++i) {
      const std::string pointer = fmt::format("{}/Records/{}", node.pointer, i);
      const json::object* object = (*array)[i].if_object();
      if (object == nullptr) return malformed(pointer, "an object is expected here");
      IMGPROC_CHECK(record(Node{*object, pointer}, target, depth));
    }
    return {};
  }

  Status record(const Node& node, const FailureTarget& target, int depth) {
    // SNS alone writes its member names with a capital.
    std::string source = node.optional_text("eventSource");
    if (source.empty()) source = node.optional_text("EventSource");
    if (source == "aws:sqs") {
      if (depth != 0) return malformed(node.pointer, "a message of SQS within another envelope");
      parsed.envelope = Envelope::sqs;
      return sqs_message(node);
    }
    if (source == "aws:sns") {
      if (depth == 0) parsed.envelope = Envelope::sns;
      IMGPROC_TRY(const Node sns, node.child("Sns"));
      return nested(sns, "Message", target, depth);
    }
    if (source == "aws:s3" || node.object.contains("s3")) return s3_record(node, target);
    return malformed(node.at("eventSource"),
                     fmt::format("'{}' is no source of object events", source));
  }

  /// A malformed message is reported alone, so that its siblings are worked on.
  Status sqs_message(const Node& node) {
    IMGPROC_TRY(const std::string id, node.text("messageId"));
    const FailureTarget target{.kind = FailureTarget::Kind::sqs_message, .id = id};
    parsed.targets.push_back(target);
    const std::size_t events_before = parsed.events.size();
    if (auto status = nested(node, "body", target, 0); !status) {
      parsed.events.resize(events_before);
      parsed.errors.push_back({.error = status.error(), .target = target});
    }
    return {};
  }

  /// A JSON document within a string.
  Status nested(const Node& node, std::string_view name, const FailureTarget& target, int depth) {
    IMGPROC_TRY(const std::string text, node.text(name));
    auto value = base::parse_json(text);
    if (!value) return malformed(node.at(name), value.error().message);
    const json::object* object = value->if_object();
    if (object == nullptr) return malformed(node.at(name), "an object is expected here");
    return document(Node{*object, node.at(name)}, target, depth + 1);
  }

  Status s3_record(const Node& node, const FailureTarget& target) {
    const std::string version = node.optional_text("eventVersion");
    if (!version.empty() && !version.starts_with("2."))
      return malformed(node.at("eventVersion"),
                       fmt::format("version {} is not known, only 2.x", version));
    ObjectEvent event;
    IMGPROC_TRY(event.event_name, node.text("eventName"));
    if (event.event_name.starts_with("s3:")) event.event_name.erase(0, 3);
    if (event.event_name.starts_with("ObjectCreated:"))
      event.type = ObjectEvent::Type::created;
    else if (event.event_name.starts_with("ObjectRemoved:") ||
             event.event_name.starts_with("LifecycleExpiration:"))
      event.type = ObjectEvent::Type::removed;
    else
      return {};
    event.delete_marker = event.event_name.ends_with(":DeleteMarkerCreated");
    IMGPROC_TRY(event.event_time, time_of(node, "eventTime"));
    IMGPROC_TRY(const Node s3, node.child("s3"));
    IMGPROC_TRY(const Node bucket, s3.child("bucket"));
    IMGPROC_TRY(const Node object, s3.child("object"));
    IMGPROC_TRY(event.bucket, bucket.text("name"));
    IMGPROC_TRY(const std::string key, object.text("key"));
    event.key = base::percent_decode(key, /*plus_is_space=*/true);
    event.etag = object.optional_text("eTag");
    event.version_id = object.optional_text("versionId");
    IMGPROC_TRY(event.size, size_of(object));
    IMGPROC_TRY(event.sequencer, sequencer_of(object));
    IMGPROC_CHECK(check_names(event, bucket, "name", object, "key"));
    return add(std::move(event), target, node);
  }

  /// Keys are not form-encoded here.
  Status event_bridge(const Node& node, const FailureTarget& target) {
    ObjectEvent event;
    IMGPROC_TRY(event.event_name, node.text("detail-type"));
    if (node.optional_text("source") != "aws.s3")
      return malformed(node.at("source"), "only events of aws.s3 concern objects");
    if (event.event_name == "Object Created")
      event.type = ObjectEvent::Type::created;
    else if (event.event_name == "Object Deleted")
      event.type = ObjectEvent::Type::removed;
    else
      return {};
    IMGPROC_TRY(event.event_time, time_of(node, "time"));
    IMGPROC_TRY(const Node detail, node.child("detail"));
    IMGPROC_TRY(const Node bucket, detail.child("bucket"));
    IMGPROC_TRY(const Node object, detail.child("object"));
    event.delete_marker = detail.optional_text("deletion-type") == "Delete Marker Created";
    IMGPROC_TRY(event.bucket, bucket.text("name"));
    IMGPROC_TRY(event.key, object.text("key"));
    event.etag = object.optional_text("etag");
    event.version_id = object.optional_text("version-id");
    IMGPROC_TRY(event.size, size_of(object));
    IMGPROC_TRY(event.sequencer, sequencer_of(object));
    IMGPROC_CHECK(check_names(event, bucket, "name", object, "key"));
    return add(std::move(event), target, node);
  }

  Status direct(const Node& node, const FailureTarget& target) {
    ObjectEvent event;
    event.event_name = "DirectInvocation";
    IMGPROC_TRY(event.bucket, node.text("bucket"));
    IMGPROC_TRY(event.key, node.text("key"));
    event.version_id = node.optional_text("version_id");
    IMGPROC_CHECK(check_names(event, node, "bucket", node, "key"));
    return add(std::move(event), target, node);
  }

  Status batch_operations(const Node& node) {
    parsed.envelope = Envelope::batch_operations;
    IMGPROC_TRY(parsed.invocation_id, node.text("invocationId"));
    IMGPROC_TRY(parsed.invocation_schema_version, node.text("invocationSchemaVersion"));
    if (parsed.invocation_schema_version != "1.0" && parsed.invocation_schema_version != "2.0")
      return malformed(node.at("invocationSchemaVersion"), "only 1.0 and 2.0 are known");
    const json::array* tasks = base::json_array(node.object, "tasks");
    if (tasks == nullptr) return malformed(node.at("tasks"), "an array is expected here");
    for (std::size_t i = 0; i < tasks->size(); ++i) {
      const std::string pointer = fmt::format("{}/tasks/{}", node.pointer, i);
      const json::object* object = (*tasks)[i].if_object();
      if (object == nullptr) return malformed(pointer, "an object is expected here");
      const Node task{*object, pointer};
      IMGPROC_TRY(const std::string id, task.text("taskId"));
      const FailureTarget target{.kind = FailureTarget::Kind::batch_task, .id = id};
      parsed.targets.push_back(target);
      if (auto status = batch_task(task, target); !status)
        parsed.errors.push_back({.error = status.error(), .target = target});
    }
    return {};
  }

  /// Schema 1.0 names the bucket by ARN, 2.0 by name; keys are form-encoded in both.
  Status batch_task(const Node& task, const FailureTarget& target) {
    ObjectEvent event;
    event.event_name = "BatchOperations";
    IMGPROC_TRY(const std::string key, task.text("s3Key"));
    event.key = base::percent_decode(key, /*plus_is_space=*/true);
    event.version_id = task.optional_text("s3VersionId");
    std::string_view bucket_member = "s3Bucket";
    if (task.object.contains("s3Bucket")) {
      IMGPROC_TRY(event.bucket, task.text("s3Bucket"));
    } else {
      bucket_member = "s3BucketArn";
      IMGPROC_TRY(const std::string arn, task.text("s3BucketArn"));
      event.bucket = arn.substr(arn.find_last_of(":/") + 1);
    }
    IMGPROC_CHECK(check_names(event, task, bucket_member, task, "s3Key"));
    return add(std::move(event), target, task);
  }

  Status add(ObjectEvent event, const FailureTarget& target, const Node& node) {
    if (parsed.events.size() >= kEventObjectsMax)
      return malformed(node.pointer, fmt::format("more than {} objects", kEventObjectsMax));
    parsed.events.push_back({.event = std::move(event), .target = target});
    return {};
  }
};

bool is_bare(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '*' || c == '/';
}

std::string_view code_word(BatchTaskResult::Code code) {
  switch (code) {
    case BatchTaskResult::Code::succeeded:
      return "Succeeded";
    case BatchTaskResult::Code::temporary_failure:
      return "TemporaryFailure";
    case BatchTaskResult::Code::permanent_failure:
      return "PermanentFailure";
  }
  return "PermanentFailure";
}

}  // namespace

Result<ParsedEvents> parse_events(std::string_view text) {
  if (text.size() > kEventBytesMax)
    return malformed("", fmt::format("{} bytes are more than the {} that Lambda hands over",
                                     text.size(), kEventBytesMax));
  auto value = base::parse_json(text);
  if (!value) return malformed("", value.error().message);
  const json::object* object = value->if_object();
  if (object == nullptr) return malformed("", "an object is expected here");
  Parser parser;
  IMGPROC_CHECK(parser.document(Node{*object, ""}, FailureTarget{}, 0));
  return std::move(parser.parsed);
}

std::string build_batch_item_failures(const std::vector<std::string>& message_ids) {
  json::array failures;
  for (const auto& id : message_ids) failures.push_back(json::object{{"itemIdentifier", id}});
  return json::serialize(json::object{{"batchItemFailures", std::move(failures)}});
}

std::string build_batch_operations_response(const ParsedEvents& request,
                                            const std::vector<BatchTaskResult>& results) {
  json::array answers;
  for (const auto& result : results) {
    const std::string_view code = code_word(result.code);
    answers.push_back(json::object{{"taskId", result.task_id},
                                   {"resultCode", json::string_view(code.data(), code.size())},
                                   {"resultString", result.text}});
  }
  return json::serialize(
      json::object{{"invocationSchemaVersion", request.invocation_schema_version},
                   {"treatMissingKeysAs", "TemporaryFailure"},
                   {"invocationId", request.invocation_id},
                   {"results", std::move(answers)}});
}

std::string encode_event_key(std::string_view key) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(key.size());
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == ' ') {
      encoded += '+';
    } else if (is_bare(c)) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kDigits[byte >> 4];
      encoded += kDigits[byte & 15];
    }
  }
  return encoded;
}

std::string build_s3_event(const S3EventRecord& record) {
  json::object object{{"key", encode_event_key(record.key)}};
  if (record.size) object["size"] = *record.size;
  if (!record.etag.empty()) object["eTag"] = record.etag;
  if (!record.version_id.empty()) object["versionId"] = record.version_id;
  object["sequencer"] = record.sequencer;
  json::object event{{"eventVersion", "2.1"},
                     {"eventSource", "aws:s3"},
                     {"awsRegion", record.region},
                     {"eventTime", base::to_iso8601(record.event_time)},
                     {"eventName", record.event_name},
                     {"userIdentity", {{"principalId", record.principal_id}}},
                     {"requestParameters", {{"sourceIPAddress", record.source_ip}}},
                     {"responseElements",
                      {{"x-amz-request-id", record.request_id}, {"x-amz-id-2", record.host_id}}},
                     {"s3",
                      {{"s3SchemaVersion", "1.0"},
                       {"configurationId", record.configuration_id},
                       {"bucket",
                        {{"name", record.bucket},
                         {"ownerIdentity", {{"principalId", record.bucket_owner_id}}},
                         {"arn", "arn:aws:s3:::" + record.bucket}}},
                       {"object", std::move(object)}}}};
  json::array records;
  records.push_back(std::move(event));
  return json::serialize(json::object{{"Records", std::move(records)}});
}

std::string build_s3_test_event(std::string_view bucket, base::SystemTime time,
                                std::string_view request_id, std::string_view host_id) {
  const auto text = [](std::string_view view) { return json::string(view.data(), view.size()); };
  return json::serialize(json::object{{"Service", "Amazon S3"},
                                      {"Event", "s3:TestEvent"},
                                      {"Time", base::to_iso8601(time)},
                                      {"Bucket", text(bucket)},
                                      {"RequestId", text(request_id)},
                                      {"HostId", text(host_id)}});
}

}  // namespace imgproc::protocol
