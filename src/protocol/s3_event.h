#pragma once
// Object events: the notification that S3 sends, and the one parser for every envelope it arrives
// in. Sources: Amazon S3 User Guide "Event message structure", "Amazon S3 EventBridge events"; AWS
// Lambda Developer Guide "Using Lambda with Amazon SQS / SNS"; S3 Batch Operations "Invoke AWS
// Lambda".

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace imgproc::protocol {

/// Lambda hands over at most 6 MB (synchronous); larger documents are refused unread.
inline constexpr std::size_t kEventBytesMax = 6 * 1024 * 1024;
/// Objects in one document; SQS batches of 10,000 messages are the largest that AWS sends.
inline constexpr std::size_t kEventObjectsMax = 20'000;
/// S3 bodies within SNS within SQS: a text within a text within a text.
inline constexpr int kEventNestingMax = 4;

/// What happened to one object.
struct ObjectEvent {
  enum class Type { created, removed };
  Type type = Type::created;
  std::string bucket;
  /// As the object is called: decoded.
  std::string key;
  std::string version_id;
  /// Without quotes. Empty for removals and where the envelope has none.
  std::string etag;
  std::optional<std::uint64_t> size;
  /// Hexadecimal as S3 sent it, not padded; empty for Batch Operations and direct invocations.
  std::string sequencer;
  /// Epoch if the envelope has none.
  base::SystemTime event_time;
  /// "ObjectCreated:Put", "ObjectRemoved:DeleteMarkerCreated", "Object Created",
  /// "BatchOperations", "DirectInvocation".
  std::string event_name;
  /// A delete marker was put on a versioned object: the object is gone, its versions are not.
  bool delete_marker = false;
};

/// Where a failure of one event must be reported.
struct FailureTarget {
  enum class Kind {
    invocation,   ///< fail the whole invocation
    sqs_message,  ///< batchItemFailures with the messageId
    batch_task,   ///< results[] with the taskId
  };
  Kind kind = Kind::invocation;
  std::string id;
  bool operator==(const FailureTarget&) const = default;
};

struct TargetedEvent {
  ObjectEvent event;
  FailureTarget target;
};

/// A part of a batch that could not be understood; the rest can still be worked on.
struct TargetedError {
  base::Error error;
  FailureTarget target;
};

struct ParsedEvents {
  enum class Envelope { s3, sns, sqs, event_bridge, batch_operations, direct };
  Envelope envelope = Envelope::s3;
  /// In the order of the document. Empty for s3:TestEvent and for event names that concern no
  /// object's content (tagging, restore, lifecycle transition …).
  std::vector<TargetedEvent> events;
  /// Messages of SQS and tasks of Batch Operations that are malformed; their siblings stand in
  /// `events`.
  std::vector<TargetedError> errors;
  /// Every messageId or taskId of the document, in order: Batch Operations wants an answer for
  /// each.
  std::vector<FailureTarget> targets;
  /// What a Batch Operations answer must repeat.
  std::string invocation_id;
  std::string invocation_schema_version;
};

/// Understands every envelope that ParsedEvents::Envelope names. Code of errors: "MALFORMED_EVENT"
/// (permanent), the message begins with the JSON pointer of what is wrong.
[[nodiscard]] base::Result<ParsedEvents> parse_events(std::string_view text);

/// {"batchItemFailures":[{"itemIdentifier":id}]}; an empty list means that all went well.
[[nodiscard]] std::string build_batch_item_failures(const std::vector<std::string>& message_ids);

/// One answer to one task of S3 Batch Operations.
struct BatchTaskResult {
  enum class Code { succeeded, temporary_failure, permanent_failure };
  std::string task_id;
  Code code = Code::succeeded;
  std::string text;
};
[[nodiscard]] std::string build_batch_operations_response(
    const ParsedEvents& request, const std::vector<BatchTaskResult>& results);

/// What S3 knows when it tells of one object.
struct S3EventRecord {
  std::string region = "us-east-1";
  base::SystemTime event_time;
  /// Without the "s3:" of the configuration: "ObjectCreated:Put".
  std::string event_name;
  std::string principal_id;
  std::string source_ip = "127.0.0.1";
  std::string request_id;
  std::string host_id;
  std::string configuration_id;
  std::string bucket;
  std::string bucket_owner_id;
  /// As the object is called; build_s3_event() encodes it.
  std::string key;
  /// Absent for removals.
  std::optional<std::uint64_t> size;
  std::string etag;
  std::string version_id;
  std::string sequencer;
};

/// {"Records":[…]} with one record, exactly in S3's shape (eventVersion 2.1).
[[nodiscard]] std::string build_s3_event(const S3EventRecord& record);
/// {"Service":"Amazon S3","Event":"s3:TestEvent",…}, sent when a notification is configured.
[[nodiscard]] std::string build_s3_test_event(std::string_view bucket, base::SystemTime time,
                                              std::string_view request_id,
                                              std::string_view host_id);
/// How S3 writes keys in events: space as '+', A-Z a-z 0-9 - _ . * ~ / bare, all else %XX.
[[nodiscard]] std::string encode_event_key(std::string_view key);

}  // namespace imgproc::protocol
