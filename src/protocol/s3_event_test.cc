#include "protocol/s3_event.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "base/time.h"

namespace imgproc::protocol {
namespace {

using Kind = FailureTarget::Kind;
using Type = ObjectEvent::Type;
using Envelope = ParsedEvents::Envelope;

S3EventRecord sample() {
  S3EventRecord record;
  record.region = "eu-central-1";
  record.event_time = *base::from_iso8601("2026-11-22T09:30:00.123Z");
  record.event_name = "ObjectCreated:Put";
  record.principal_id = "AWS:AIDAEXAMPLE";
  record.request_id = "C3D13FE58DE4C810";
  record.host_id = "FMyUVURIY8";
  record.configuration_id = "images";
  record.bucket = "source";
  record.bucket_owner_id = "A3NL1KOZZKExample";
  record.key = "red flower+é/a*b~(1).jpg";
  record.size = 1024;
  record.etag = "d41d8cd98f00b204e9800998ecf8427e";
  record.version_id = "096fKKXTRTtl3on89fVO.nfljtsv6qko";
  record.sequencer = "0055AED6DCD90281E5";
  return record;
}

std::string json_text(std::string_view text) {
  return boost::json::serialize(boost::json::string(text.data(), text.size()));
}

ParsedEvents parse(std::string_view text) {
  auto parsed = parse_events(text);
  EXPECT_TRUE(parsed) << parsed.error().describe() << "\n" << text;
  return parsed ? *parsed : ParsedEvents{};
}

void expect_sample(const ObjectEvent& event) {
  EXPECT_EQ(event.type, Type::created);
  EXPECT_EQ(event.bucket, "source");
  EXPECT_EQ(event.key, "red flower+é/a*b~(1).jpg");
  EXPECT_EQ(event.version_id, "096fKKXTRTtl3on89fVO.nfljtsv6qko");
  EXPECT_EQ(event.etag, "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(event.size, 1024U);
  EXPECT_EQ(event.sequencer, "0055AED6DCD90281E5");
  EXPECT_EQ(base::to_iso8601(event.event_time), "2026-11-22T09:30:00.123Z");
  EXPECT_EQ(event.event_name, "ObjectCreated:Put");
}

TEST(BuildS3EventTest, IsInTheShapeOfS3) {
  EXPECT_EQ(
      build_s3_event(sample()),
      R"({"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"eu-central-1",)"
      R"("eventTime":"2026-11-22T09:30:00.123Z","eventName":"ObjectCreated:Put",)"
      R"("userIdentity":{"principalId":"AWS:AIDAEXAMPLE"},)"
      R"("requestParameters":{"sourceIPAddress":"127.0.0.1"},)"
      R"("responseElements":{"x-amz-request-id":"C3D13FE58DE4C810","x-amz-id-2":"FMyUVURIY8"},)"
      R"("s3":{"s3SchemaVersion":"1.0","configurationId":"images",)"
      R"("bucket":{"name":"source","ownerIdentity":{"principalId":"A3NL1KOZZKExample"},)"
      R"("arn":"arn:aws:s3:::source"},)"
      R"("object":{"key":"red+flower%2B%C3%A9/a*b%7E%281%29.jpg","size":1024,)"
      R"("eTag":"d41d8cd98f00b204e9800998ecf8427e",)"
      R"("versionId":"096fKKXTRTtl3on89fVO.nfljtsv6qko","sequencer":"0055AED6DCD90281E5"}}}]})");
}

TEST(BuildS3EventTest, RemovalsHaveNeitherSizeNorETag) {
  S3EventRecord record = sample();
  record.event_name = "ObjectRemoved:Delete";
  record.size.reset();
  record.etag.clear();
  record.version_id.clear();
  const std::string text = build_s3_event(record);
  EXPECT_EQ(text.find("size"), std::string::npos);
  EXPECT_EQ(text.find("eTag"), std::string::npos);
  EXPECT_EQ(text.find("versionId"), std::string::npos);
  const auto parsed = parse(text);
  ASSERT_EQ(parsed.events.size(), 1U);
  EXPECT_EQ(parsed.events[0].event.type, Type::removed);
  EXPECT_FALSE(parsed.events[0].event.delete_marker);
}

TEST(ParseEventsTest, EveryByteOfAKeyComesBack) {
  S3EventRecord record = sample();
  for (int first = 1; first < 256; first += 51) {
    record.key.clear();
    for (int byte = first; byte < std::min(first + 51, 256); ++byte)
      record.key += static_cast<char>(byte);
    const auto parsed = parse(build_s3_event(record));
    ASSERT_EQ(parsed.events.size(), 1U);
    EXPECT_EQ(parsed.events[0].event.key, record.key);
  }
}

TEST(ParseEventsTest, S3) {
  const auto parsed = parse(build_s3_event(sample()));
  ASSERT_EQ(parsed.events.size(), 1U);
  EXPECT_EQ(parsed.envelope, Envelope::s3);
  EXPECT_EQ(parsed.events[0].target.kind, Kind::invocation);
  expect_sample(parsed.events[0].event);
}

TEST(ParseEventsTest, AllRecordsAndOnlyThoseThatConcernContent) {
  const auto record = [](std::string_view name, std::string_view version) {
    return fmt::format(
        R"({{"eventVersion":"{}","eventSource":"aws:s3","eventName":"{}","s3":{{"bucket":{{"name":"b"}},"object":{{"key":"k","sequencer":"01","versionId":null}}}}}})",
        version, name);
  };
  const auto parsed = parse(fmt::format(
      R"({{"Records":[{},{},{},{},{}]}})", record("ObjectCreated:Copy", "2.6"),
      record("ObjectRemoved:DeleteMarkerCreated", "2.1"), record("ObjectTagging:Put", "2.3"),
      record("LifecycleExpiration:Delete", "2.3"), record("s3:ObjectCreated:Post", "2.0")));
  ASSERT_EQ(parsed.events.size(), 4U);
  EXPECT_EQ(parsed.events[0].event.type, Type::created);
  EXPECT_EQ(parsed.events[1].event.type, Type::removed);
  EXPECT_TRUE(parsed.events[1].event.delete_marker);
  EXPECT_EQ(parsed.events[2].event.type, Type::removed);
  EXPECT_FALSE(parsed.events[2].event.delete_marker);
  EXPECT_EQ(parsed.events[3].event.event_name, "ObjectCreated:Post");
  EXPECT_FALSE(parsed.events[0].event.size);
}

TEST(ParseEventsTest, TheTestEventConcernsNoObject) {
  const std::string test_event = build_s3_test_event("source", sample().event_time, "r", "h");
  EXPECT_EQ(test_event,
            R"({"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-11-22T09:30:00.123Z",)"
            R"("Bucket":"source","RequestId":"r","HostId":"h"})");
  EXPECT_TRUE(parse(test_event).events.empty());
  const auto in_sqs =
      parse(fmt::format(R"({{"Records":[{{"messageId":"m","body":{},"eventSource":"aws:sqs"}}]}})",
                        json_text(test_event)));
  EXPECT_TRUE(in_sqs.events.empty());
  EXPECT_TRUE(in_sqs.errors.empty());
}

TEST(ParseEventsTest, S3InSns) {
  const auto parsed = parse(fmt::format(
      R"({{"Records":[{{"EventSource":"aws:sns","EventVersion":"1.0","Sns":{{"Type":"Notification","MessageId":"x","Message":{}}}}}]}})",
      json_text(build_s3_event(sample()))));
  EXPECT_EQ(parsed.envelope, Envelope::sns);
  ASSERT_EQ(parsed.events.size(), 1U);
  EXPECT_EQ(parsed.events[0].target.kind, Kind::invocation);
  expect_sample(parsed.events[0].event);
}

TEST(ParseEventsTest, S3InSqsRawAndThroughSns) {
  const std::string raw = build_s3_event(sample());
  const std::string wrapped =
      fmt::format(R"({{"Type":"Notification","TopicArn":"arn","Message":{}}})", json_text(raw));
  const auto parsed = parse(fmt::format(
      R"({{"Records":[{{"messageId":"m1","body":{},"eventSource":"aws:sqs"}},{{"messageId":"m2","body":{},"eventSource":"aws:sqs"}}]}})",
      json_text(raw), json_text(wrapped)));
  EXPECT_EQ(parsed.envelope, Envelope::sqs);
  ASSERT_EQ(parsed.events.size(), 2U);
  EXPECT_EQ(parsed.events[0].target, (FailureTarget{Kind::sqs_message, "m1"}));
  EXPECT_EQ(parsed.events[1].target, (FailureTarget{Kind::sqs_message, "m2"}));
  expect_sample(parsed.events[0].event);
  expect_sample(parsed.events[1].event);
}

TEST(ParseEventsTest, OnePoisonMessageDoesNotHarmItsSiblings) {
  const std::string good = json_text(build_s3_event(sample()));
  const auto parsed = parse(fmt::format(
      R"({{"Records":[{{"messageId":"m1","body":{},"eventSource":"aws:sqs"}},{{"messageId":"m2","body":"not json","eventSource":"aws:sqs"}},{{"messageId":"m3","body":{},"eventSource":"aws:sqs"}}]}})",
      good, good));
  ASSERT_EQ(parsed.events.size(), 2U);
  ASSERT_EQ(parsed.errors.size(), 1U);
  EXPECT_EQ(parsed.errors[0].target, (FailureTarget{Kind::sqs_message, "m2"}));
  EXPECT_EQ(parsed.errors[0].error.code, "MALFORMED_EVENT");
  EXPECT_TRUE(parsed.errors[0].error.message.starts_with("/Records/1/body: "))
      << parsed.errors[0].error.message;
  EXPECT_EQ(parsed.targets.size(), 3U);
}

TEST(ParseEventsTest, EventBridgeKeysAreNotEncoded) {
  const auto parsed = parse(
      R"({"version":"0","id":"17793124","detail-type":"Object Created","source":"aws.s3","account":"111122223333","time":"2021-11-12T00:00:00Z","region":"ca-central-1","resources":["arn:aws:s3:::b"],"detail":{"version":"0","bucket":{"name":"b"},"object":{"key":"a+b%20c","size":5,"etag":"b1946ac92492d2347c6235b4d2611184","version-id":"IYV3p45","sequencer":"617f08299329d189"},"request-id":"N4","requester":"1","source-ip-address":"1.2.3.4","reason":"PutObject"}})");
  EXPECT_EQ(parsed.envelope, Envelope::event_bridge);
  ASSERT_EQ(parsed.events.size(), 1U);
  const auto& event = parsed.events[0].event;
  EXPECT_EQ(event.type, Type::created);
  EXPECT_EQ(event.key, "a+b%20c");
  EXPECT_EQ(event.etag, "b1946ac92492d2347c6235b4d2611184");
  EXPECT_EQ(event.version_id, "IYV3p45");
  EXPECT_EQ(event.sequencer, "617f08299329d189");
  EXPECT_EQ(event.size, 5U);
}

TEST(ParseEventsTest, EventBridgeDeletionsAndOthers) {
  const auto event = [](std::string_view type, std::string_view detail) {
    return fmt::format(
        R"({{"detail-type":"{}","source":"aws.s3","time":"2021-11-12T00:00:00Z","detail":{{"bucket":{{"name":"b"}},"object":{{"key":"k","sequencer":"01"}}{}}}}})",
        type, detail);
  };
  const auto marker = parse(event("Object Deleted", R"(,"deletion-type":"Delete Marker Created")"));
  ASSERT_EQ(marker.events.size(), 1U);
  EXPECT_EQ(marker.events[0].event.type, Type::removed);
  EXPECT_TRUE(marker.events[0].event.delete_marker);
  const auto gone = parse(event("Object Deleted", R"(,"deletion-type":"Permanently Deleted")"));
  ASSERT_EQ(gone.events.size(), 1U);
  EXPECT_FALSE(gone.events[0].event.delete_marker);
  EXPECT_TRUE(parse(event("Object Tags Added", "")).events.empty());
}

TEST(ParseEventsTest, BatchOperationsOfBothSchemas) {
  const auto first = parse(
      R"({"invocationSchemaVersion":"1.0","invocationId":"YXNk","job":{"id":"f3cc"},"tasks":[{"taskId":"dGFz","s3Key":"customer+Image1%2B.jpg","s3VersionId":"1","s3BucketArn":"arn:aws:s3:::awsexamplebucket"}]})");
  EXPECT_EQ(first.envelope, Envelope::batch_operations);
  ASSERT_EQ(first.events.size(), 1U);
  EXPECT_EQ(first.events[0].event.bucket, "awsexamplebucket");
  EXPECT_EQ(first.events[0].event.key, "customer Image1+.jpg");
  EXPECT_EQ(first.events[0].event.version_id, "1");
  EXPECT_EQ(first.events[0].event.sequencer, "");
  EXPECT_EQ(first.events[0].target, (FailureTarget{Kind::batch_task, "dGFz"}));

  const auto second = parse(
      R"({"invocationSchemaVersion":"2.0","invocationId":"i","job":{"id":"f","userArguments":{"a":"b"}},"tasks":[{"taskId":"t1","s3Key":"k","s3VersionId":null,"s3Bucket":"plain"},{"taskId":"t2","s3Bucket":"plain"}]})");
  ASSERT_EQ(second.events.size(), 1U);
  EXPECT_EQ(second.events[0].event.bucket, "plain");
  ASSERT_EQ(second.errors.size(), 1U);
  EXPECT_EQ(second.errors[0].target.id, "t2");
  EXPECT_EQ(
      build_batch_operations_response(
          second,
          {{.task_id = "t1", .code = BatchTaskResult::Code::succeeded, .text = "ok"},
           {.task_id = "t2", .code = BatchTaskResult::Code::permanent_failure, .text = "no key"}}),
      R"({"invocationSchemaVersion":"2.0","treatMissingKeysAs":"TemporaryFailure",)"
      R"("invocationId":"i","results":[{"taskId":"t1","resultCode":"Succeeded",)"
      R"("resultString":"ok"},{"taskId":"t2","resultCode":"PermanentFailure",)"
      R"("resultString":"no key"}]})");
}

TEST(ParseEventsTest, DirectInvocation) {
  const auto parsed = parse(R"({"bucket":"b","key":"a+b c%20"})");
  EXPECT_EQ(parsed.envelope, Envelope::direct);
  ASSERT_EQ(parsed.events.size(), 1U);
  EXPECT_EQ(parsed.events[0].event.key, "a+b c%20");
  EXPECT_EQ(parsed.events[0].event.event_name, "DirectInvocation");
}

TEST(ParseEventsTest, SaysWhereAnEventIsMalformed) {
  const auto pointer_of = [](std::string_view text) {
    const auto parsed = parse_events(text);
    if (parsed) return std::string("(understood)");
    EXPECT_EQ(parsed.error().code, "MALFORMED_EVENT");
    EXPECT_FALSE(parsed.error().retryable);
    return parsed.error().message.substr(0, parsed.error().message.find(':'));
  };
  EXPECT_EQ(pointer_of(""), "/");
  EXPECT_EQ(pointer_of("[]"), "/");
  EXPECT_EQ(pointer_of("{}"), "/");
  EXPECT_EQ(pointer_of(R"({"Records":5})"), "/Records");
  EXPECT_EQ(pointer_of(R"({"Records":[5]})"), "/Records/0");
  EXPECT_EQ(pointer_of(R"({"Records":[{"eventSource":"aws:kinesis"}]})"), "/Records/0/eventSource");
  EXPECT_EQ(pointer_of(R"({"Records":[{"eventSource":"aws:s3"}]})"), "/Records/0/eventName");
  EXPECT_EQ(pointer_of(R"({"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put"}]})"),
            "/Records/0/s3");
  EXPECT_EQ(pointer_of(R"({"Records":[{"eventVersion":"3.0","eventName":"ObjectCreated:Put",)"
                       R"("s3":{"bucket":{"name":"b"},"object":{"key":"k"}}}]})"),
            "/Records/0/eventVersion");
  EXPECT_EQ(pointer_of(R"({"Records":[{"eventName":"ObjectCreated:Put",)"
                       R"("s3":{"bucket":{"name":"b"},"object":{"key":""}}}]})"),
            "/Records/0/s3/object/key");
  EXPECT_EQ(pointer_of(R"({"Records":[{"eventName":"ObjectCreated:Put",)"
                       R"("s3":{"bucket":{"name":"b"},"object":{"key":"k","size":-1}}}]})"),
            "/Records/0/s3/object/size");
  EXPECT_EQ(pointer_of(R"({"Records":[{"eventName":"ObjectCreated:Put",)"
                       R"("s3":{"bucket":{"name":"b"},"object":{"key":"k","sequencer":"xyz"}}}]})"),
            "/Records/0/s3/object/sequencer");
  EXPECT_EQ(pointer_of(R"({"bucket":"b"})"), "/key");
  EXPECT_EQ(pointer_of(std::string(kEventBytesMax + 1, ' ')), "/");
}

TEST(ParseEventsTest, EnvelopesDoNotNestForEver) {
  std::string text = build_s3_event(sample());
  for (int i = 0; i < kEventNestingMax + 1; ++i)
    text = fmt::format(R"({{"Type":"Notification","Message":{}}})", json_text(text));
  EXPECT_FALSE(parse_events(text));
  EXPECT_FALSE(parse_events(std::string(100'000, '[')));
  EXPECT_FALSE(parse_events(std::string(50'000, '{')));
}

TEST(BatchItemFailuresTest, AnEmptyListMeansThatAllWentWell) {
  EXPECT_EQ(build_batch_item_failures({}), R"({"batchItemFailures":[]})");
  EXPECT_EQ(build_batch_item_failures({"m2"}),
            R"({"batchItemFailures":[{"itemIdentifier":"m2"}]})");
}

}  // namespace
}  // namespace imgproc::protocol
