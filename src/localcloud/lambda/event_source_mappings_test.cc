#include "localcloud/lambda/event_source_mappings.h"

#include <gtest/gtest.h>

#include <deque>

#include "base/random.h"

namespace imgproc::localcloud::lambda {
namespace {

namespace json = base::json;
constexpr const char* kQueue = "arn:aws:sqs:eu-west-1:000000000000:work";

TEST(SqsEvent, HasLambdasShape) {
  QueueMessage message{.message_id = "m", .receipt_handle = "r", .body = "b", .md5_of_body = "5"};
  message.message_attributes = {{"Code", {{"DataType", "Number"}, {"StringValue", "1"}}}};
  auto event = base::parse_json(build_sqs_event({message}, kQueue));
  const auto& record = event->at("Records").at(0);
  EXPECT_EQ(record.at("eventSource").get_string(), "aws:sqs");
  EXPECT_EQ(record.at("eventSourceARN").get_string(), kQueue);
  EXPECT_EQ(record.at("awsRegion").get_string(), "eu-west-1");
  EXPECT_EQ(record.at("md5OfBody").get_string(), "5");
  EXPECT_EQ(record.at("messageAttributes").at("Code").at("stringValue").get_string(), "1");
}

TEST(FailedItems, FollowTheContractOfPartialBatchResponses) {
  std::vector<QueueMessage> messages{{.message_id = "a"}, {.message_id = "b"}};
  using Ids = std::vector<std::string>;
  EXPECT_EQ(failed_items("", messages), Ids{});
  EXPECT_EQ(failed_items("null", messages), Ids{});
  EXPECT_EQ(failed_items("{}", messages), Ids{});
  EXPECT_EQ(failed_items(R"({"batchItemFailures":[]})", messages), Ids{});
  EXPECT_EQ(failed_items(R"({"batchItemFailures":[{"itemIdentifier":"b"}]})", messages), Ids{"b"});
  Ids all{"a", "b"};
  for (const char* bad :
       {"no json", "7", R"({"batchItemFailures":"x"})",
        R"({"batchItemFailures":[{"itemIdentifier":"z"}]})",
        R"({"batchItemFailures":[{"itemIdentifier":""}]})", R"({"batchItemFailures":[{}]})"})
    EXPECT_EQ(failed_items(bad, messages), all) << bad;
}

/// A queue that gives what the test puts into it, and remembers what was deleted.
class FakeQueues final : public Queues {
 public:
  bool has_queue(std::string_view arn) override { return arn == kQueue; }
  base::Status send(Connection&, std::string_view, std::string_view, const json::object&) override {
    return {};
  }
  void wake() override {}
  base::Result<std::vector<QueueMessage>> receive(std::string_view, int count,
                                                  std::optional<std::chrono::seconds>,
                                                  std::chrono::milliseconds) override {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, std::chrono::milliseconds{20}, [&] { return !waiting.empty(); });
    std::vector<QueueMessage> messages;
    while (!waiting.empty() && static_cast<int>(messages.size()) < count) {
      messages.push_back(waiting.front());
      waiting.pop_front();
    }
    return messages;
  }
  base::Status remove(std::string_view, std::string_view receipt) override {
    std::lock_guard guard(mutex);
    removed.emplace_back(receipt);
    changed.notify_all();
    return {};
  }
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<QueueMessage> waiting;
  std::vector<std::string> removed;
};

class MappingsTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("imgproc-mappings-" + base::random_hex(8));
    std::filesystem::create_directories(folder_);
    database_ = std::move(*Database::open(folder_ / "state.db"));
    context_ = std::make_unique<Context>(Context{*database_, clock_, folder_});
    mappings_ = std::move(*EventSourceMappings::create(
        *context_, queues_,
        [this](const std::string&, std::string payload) {
          std::lock_guard guard(queues_.mutex);
          payloads_.push_back(std::move(payload));
          Outcome outcome;
          outcome.payload = answer_;
          queues_.changed.notify_all();
          return base::Result<Outcome>(outcome);
        },
        [this](const std::string&, const std::string&) -> base::Status {
          std::lock_guard guard(queues_.mutex);
          ++asked_;
          queues_.changed.notify_all();
          if (may_read_) return {};
          return base::permanent("AccessDenied", "not today");
        }));
    ASSERT_TRUE(mappings_->start().has_value());
  }
  void TearDown() override {
    mappings_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }
  base::Result<json::object> make(json::object extra = {}) {
    extra["EventSourceArn"] = kQueue;
    return mappings_->create_mapping(extra, "arn:fn", "eu-west-1");
  }
  std::filesystem::path folder_;
  base::RealClock clock_;
  FakeQueues queues_;
  std::string answer_ = "null";
  bool may_read_ = true;
  int asked_ = 0;
  std::vector<std::string> payloads_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Context> context_;
  std::unique_ptr<EventSourceMappings> mappings_;
};

TEST_F(MappingsTest, WhatSucceededIsDeletedAndWhatFailedStays) {
  answer_ = R"({"batchItemFailures":[{"itemIdentifier":"b"}]})";
  {
    std::lock_guard guard(queues_.mutex);
    for (const char* id : {"a", "b", "c"})
      queues_.waiting.push_back({.message_id = id, .receipt_handle = std::string("r-") + id});
  }
  ASSERT_TRUE(
      make({{"FunctionResponseTypes", json::array{"ReportBatchItemFailures"}}}).has_value());
  std::unique_lock lock(queues_.mutex);
  EXPECT_TRUE(queues_.changed.wait_for(lock, std::chrono::seconds{10},
                                       [&] { return queues_.removed.size() == 2; }));
  EXPECT_EQ(std::ranges::count(queues_.removed, "r-b"), 0);
}

TEST_F(MappingsTest, AQueueThatTheRoleMayNotReadKeepsItsMessages) {
  {
    std::lock_guard guard(queues_.mutex);
    may_read_ = false;
    queues_.waiting.push_back({.message_id = "a", .receipt_handle = "r-a"});
  }
  ASSERT_TRUE(make().has_value());
  std::unique_lock lock(queues_.mutex);
  EXPECT_TRUE(queues_.changed.wait_for(lock, std::chrono::seconds{10},
                                       [&] { return asked_ >= kPollersPerMapping; }));
  EXPECT_EQ(queues_.waiting.size(), 1U);
  may_read_ = true;
  EXPECT_TRUE(queues_.changed.wait_for(lock, std::chrono::seconds{10},
                                       [&] { return queues_.removed.size() == 1; }));
}

TEST_F(MappingsTest, AMappingIsCreatedShownChangedAndDeleted) {
  auto made = make({{"BatchSize", 5}, {"ScalingConfig", {{"MaximumConcurrency", 2}}}});
  ASSERT_TRUE(made.has_value()) << made.error().describe();
  std::string uuid(made->at("UUID").get_string());
  EXPECT_EQ(mappings_->get_mapping(uuid)->at("BatchSize"), 5);
  EXPECT_EQ(make().error().code, "ResourceConflictException");
  EXPECT_EQ(mappings_->list_mappings("arn:fn", "")->at("EventSourceMappings").as_array().size(),
            1U);
  EXPECT_EQ(mappings_->update_mapping(uuid, {{"Enabled", false}}, "")->at("State").get_string(),
            "Disabled");
  EXPECT_EQ(mappings_->delete_mapping(uuid)->at("State").get_string(), "Deleting");
  EXPECT_EQ(mappings_->get_mapping(uuid).error().code, "ResourceNotFoundException");
}

TEST_F(MappingsTest, TagsComeChangeAndGoWithTheMapping) {
  std::string uuid(make({{"Tags", {{"a", "1"}}}})->at("UUID").get_string());
  EXPECT_EQ(mappings_->tags(uuid).value(), (Tags{{"a", "1"}}));
  EXPECT_FALSE(mappings_->get_mapping(uuid)->contains("Tags"));
  EXPECT_TRUE(mappings_->change_tags(uuid, [](Tags& tags) -> base::Status {
    tags = {{"b", "2"}};
    return {};
  }));
  EXPECT_EQ(mappings_->tags(uuid).value(), (Tags{{"b", "2"}}));
  ASSERT_TRUE(mappings_->delete_mapping(uuid));
  EXPECT_EQ(mappings_->tags(uuid).error().code, "ResourceNotFoundException");
}

TEST_F(MappingsTest, BadSettingsAreRefused) {
  EXPECT_EQ(make({{"BatchSize", 0}}).error().code, "InvalidParameterValueException");
  EXPECT_EQ(make({{"BatchSize", 100}}).error().code, "InvalidParameterValueException");
  EXPECT_EQ(make({{"FilterCriteria", {{"Filters", json::array{}}}}}).error().code,
            "NotImplemented");
  EXPECT_EQ(mappings_
                ->create_mapping({{"EventSourceArn", "arn:aws:sqs:eu-west-1:000000000000:none"}},
                                 "arn:fn", "r")
                .error()
                .code,
            "InvalidParameterValueException");
}

}  // namespace
}  // namespace imgproc::localcloud::lambda
