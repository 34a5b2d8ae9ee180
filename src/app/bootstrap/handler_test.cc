#include "app/bootstrap/handler.h"

#include <gtest/gtest.h>

#include <map>

#include "base/json.h"

namespace imgproc::bootstrap {
namespace {

using pipeline::Outcome;

class HandlerTest : public testing::Test {
 protected:
  base::Result<std::string> handle(const std::string& payload,
                                   std::chrono::milliseconds left = std::chrono::seconds{60}) {
    return handler_.handle(
        {.request_id = "r-1", .deadline = clock_.now() + left, .payload = payload});
  }

  static std::string s3_record(const std::string& key, const std::string& bucket = "bucket") {
    return protocol::build_s3_event({.event_name = "ObjectCreated:Put",
                                     .bucket = bucket,
                                     .key = key,
                                     .size = 5,
                                     .etag = "e",
                                     .sequencer = "05"});
  }
  static std::string sqs_message(const std::string& id, const std::string& body) {
    return boost::json::serialize(boost::json::object{
        {"messageId", id}, {"eventSource", "aws:sqs"}, {"body", body}, {"receiptHandle", "h"}});
  }

  std::map<std::string, base::Error> errors_;
  std::vector<pipeline::SourceEvent> seen_;
  std::vector<pipeline::ProcessContext> contexts_;
  Outcome::Kind kind_ = Outcome::Kind::ready;
  std::chrono::milliseconds takes_{0};
  base::ManualClock clock_;
  Handler handler_{[this](const pipeline::SourceEvent& event,
                          const pipeline::ProcessContext& context) -> base::Result<Outcome> {
                     seen_.push_back(event);
                     contexts_.push_back(context);
                     clock_.advance(takes_);
                     if (auto found = errors_.find(event.key); found != errors_.end())
                       return std::unexpected(found->second);
                     return Outcome{.kind = kind_, .record = {}, .reason = "why"};
                   },
                   clock_};
};

TEST_F(HandlerTest, ProcessesAnS3Event) {
  auto answer = handle(s3_record("a b+c.jpg"));
  ASSERT_TRUE(answer) << answer.error().describe();
  ASSERT_EQ(seen_.size(), 1U);
  EXPECT_EQ(seen_[0].bucket, "bucket");
  EXPECT_EQ(seen_[0].key, "a b+c.jpg");
  EXPECT_EQ(seen_[0].sequencer, "05");
  EXPECT_EQ(seen_[0].size, 5U);
  EXPECT_EQ(contexts_[0].request_id, "r-1");
  EXPECT_EQ(
      *answer,
      R"({"results":[{"bucket":"bucket","key":"a b+c.jpg","outcome":"ready","reason":"why"}]})");
}

TEST_F(HandlerTest, LeavesAMarginBeforeTheDeadline) {
  ASSERT_TRUE(handle(s3_record("k"), std::chrono::seconds{10}));
  EXPECT_EQ(contexts_[0].deadline, clock_.steady() + std::chrono::seconds{10} - kDeadlineMargin);
}

TEST_F(HandlerTest, WhatIsWrongWithTheImageIsNoError) {
  kind_ = Outcome::Kind::failed;
  EXPECT_TRUE(handle(s3_record("k")));
}

TEST_F(HandlerTest, WhatFailedAroundTheImageIsRaised) {
  errors_["k"] = {.code = "SlowDown", .message = "busy", .retryable = true};
  auto answer = handle(s3_record("k"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "SlowDown");
  EXPECT_TRUE(answer.error().retryable);
}

TEST_F(HandlerTest, ForeignBucketsAreRefusedOnce) {
  errors_["k"] = {.code = "BUCKET_NOT_ALLOWED", .message = "not ours"};
  auto answer = handle(s3_record("k"));
  ASSERT_TRUE(answer);
  EXPECT_NE(answer->find("refused"), std::string::npos);
}

TEST_F(HandlerTest, TestEventsAndNonsense) {
  auto answer = handle(protocol::build_s3_test_event("bucket", clock_.now(), "r", "h"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(*answer, R"({"results":[]})");
  EXPECT_EQ(handle("{").error().code, "MALFORMED_EVENT");
  EXPECT_EQ(handle("[]").error().code, "MALFORMED_EVENT");
  EXPECT_TRUE(seen_.empty());
}

TEST_F(HandlerTest, DirectInvocation) {
  auto answer = handle(R"({"bucket":"bucket","key":"k"})");
  ASSERT_TRUE(answer);
  EXPECT_TRUE(seen_.at(0).sequencer.empty());
}

TEST_F(HandlerTest, SqsGetsTheMessagesThatFailed) {
  errors_["bad"] = {.code = "SlowDown", .message = "busy", .retryable = true};
  auto answer = handle(R"({"Records":[)" + sqs_message("m1", s3_record("good")) + "," +
                       sqs_message("m2", s3_record("bad")) + "," + sqs_message("m3", "nonsense") +
                       "," + sqs_message("m4", s3_record("good too")) + "]}");
  ASSERT_TRUE(answer) << answer.error().describe();
  auto json = base::parse_json(*answer);
  ASSERT_TRUE(json);
  std::vector<std::string> failed;
  for (const auto& item : *base::json_array(json->get_object(), "batchItemFailures"))
    failed.emplace_back(*base::json_string(item.get_object(), "itemIdentifier"));
  std::ranges::sort(failed);
  EXPECT_EQ(failed, (std::vector<std::string>{"m2", "m3"}));
  EXPECT_EQ(seen_.size(), 3U) << "the others are worked on all the same";
}

TEST_F(HandlerTest, SqsWithoutFailures) {
  auto answer = handle(R"({"Records":[)" + sqs_message("m1", s3_record("good")) + "]}");
  EXPECT_EQ(answer.value_or("failed"), R"({"batchItemFailures":[]})");
}

TEST_F(HandlerTest, TimeUsedUpLeavesTheRestForLater) {
  takes_ = std::chrono::seconds{5};
  auto answer = handle(R"({"Records":[)" + sqs_message("m1", s3_record("a")) + "," +
                           sqs_message("m2", s3_record("b")) + "]}",
                       std::chrono::seconds{5});
  ASSERT_TRUE(answer);
  EXPECT_EQ(*answer, R"({"batchItemFailures":[{"itemIdentifier":"m2"}]})");
  EXPECT_EQ(seen_.size(), 1U);
}

TEST_F(HandlerTest, S3BatchGetsAResultForEachTask) {
  errors_["later"] = {.code = "SlowDown", .message = "busy", .retryable = true};
  errors_["never"] = {.code = "AccessDenied", .message = "no"};
  auto task = [](const std::string& id, const std::string& key) {
    return R"({"taskId":")" + id + R"(","s3Key":")" + key +
           R"(","s3VersionId":null,"s3BucketArn":"arn:aws:s3:::bucket"})";
  };
  auto answer =
      handle(R"({"invocationSchemaVersion":"1.0","invocationId":"i-1","job":{"id":"j"},"tasks":[)" +
             task("t1", "good") + "," + task("t2", "later") + "," + task("t3", "never") + "]}");
  ASSERT_TRUE(answer) << answer.error().describe();
  auto json = base::parse_json(*answer);
  ASSERT_TRUE(json);
  EXPECT_EQ(base::json_string(json->get_object(), "invocationId"), "i-1");
  std::map<std::string, std::string> codes;
  for (const auto& item : *base::json_array(json->get_object(), "results"))
    codes[std::string(*base::json_string(item.get_object(), "taskId"))] =
        *base::json_string(item.get_object(), "resultCode");
  EXPECT_EQ(codes,
            (std::map<std::string, std::string>{
                {"t1", "Succeeded"}, {"t2", "TemporaryFailure"}, {"t3", "PermanentFailure"}}));
}

}  // namespace
}  // namespace imgproc::bootstrap
