#include "localcloud/sqs/service.h"

#include <gtest/gtest.h>

#include <map>

#include "base/hash.h"
#include "base/json.h"
#include "base/random.h"

namespace imgproc::localcloud::sqs {
namespace {

namespace json = boost::json;

class SqsTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("imgproc-sqs-" + base::random_hex(8));
    std::filesystem::create_directories(folder_);
    database_ = std::move(*Database::open(folder_ / "state.db"));
    context_ = std::make_unique<Context>(Context{*database_, clock_, folder_});
    service_ = std::move(*SqsService::create(*context_));
  }
  void TearDown() override {
    service_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }
  /// The answer's body, with "__status" beside it.
  json::object call(std::string_view operation, const json::object& input) {
    http::Request request{.method = "POST"};
    request.headers.set("X-Amz-Target", "AmazonSQS." + std::string(operation));
    request.headers.set("Host", "127.0.0.1:4566");
    request.body = json::serialize(input);
    http::Response response = service_->handle(
        {.access_key_id = "test", .region = "eu-west-1", .request_id = "r"}, std::move(request));
    auto body = base::parse_json(response.body.text);
    json::object output = body && body->is_object() ? body->get_object() : json::object{};
    output["__status"] = response.status;
    query_error_ = response.headers.get("x-amzn-query-error").value_or("");
    return output;
  }
  std::string make_queue(const std::string& name, const json::object& attributes = {}) {
    return std::string(call("CreateQueue", {{"QueueName", name}, {"Attributes", attributes}})
                           .at("QueueUrl")
                           .get_string());
  }
  std::string attribute(const std::string& url, const std::string& name) {
    auto output =
        call("GetQueueAttributes", {{"QueueUrl", url}, {"AttributeNames", json::array{"All"}}});
    return std::string(output.at("Attributes").at(name).get_string());
  }

  std::filesystem::path folder_;
  base::ManualClock clock_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Context> context_;
  std::unique_ptr<SqsService> service_;
  std::string query_error_;
};

TEST_F(SqsTest, TellsWhatEachQueueHoldsAndHowOldItIs) {
  class Sink final : public MetricSink {
   public:
    void put(std::string_view name_space, std::string_view name, const Dimensions& dimensions,
             double value) override {
      EXPECT_EQ(name_space, "AWS/SQS");
      values[dimensions.at("QueueName") + " " + std::string(name)] = value;
    }
    std::map<std::string, double> values;
  } sink;
  std::string url = make_queue("q");
  make_queue("empty");
  for (const char* body : {"a", "b"}) {
    call("SendMessage", {{"QueueUrl", url}, {"MessageBody", body}});
    clock_.advance(std::chrono::seconds(30));
  }
  call("ReceiveMessage", {{"QueueUrl", url}, {"MaxNumberOfMessages", 1}});
  service_->measure(sink);
  EXPECT_EQ(sink.values["q ApproximateNumberOfMessagesVisible"], 1);
  EXPECT_EQ(sink.values["q ApproximateNumberOfMessagesNotVisible"], 1);
  EXPECT_EQ(sink.values["q ApproximateAgeOfOldestMessage"], 60);
  EXPECT_EQ(sink.values.at("empty ApproximateNumberOfMessagesVisible"), 0);
  EXPECT_EQ(sink.values.at("empty ApproximateAgeOfOldestMessage"), 0);
}

TEST_F(SqsTest, AMessageIsSentReceivedHiddenAndDeleted) {
  std::string url = make_queue("q");
  EXPECT_EQ(url, "http://127.0.0.1:4566/000000000000/q");
  auto sent =
      call("SendMessage",
           {{"QueueUrl", url},
            {"MessageBody", "hello"},
            {"MessageAttributes", {{"Code", {{"DataType", "String"}, {"StringValue", "200"}}}}}});
  EXPECT_EQ(sent.at("MD5OfMessageBody").get_string(), "5d41402abc4b2a76b9719d911017c592");
  auto received = call("ReceiveMessage", {{"QueueUrl", url},
                                          {"AttributeNames", json::array{"All"}},
                                          {"MessageAttributeNames", json::array{"All"}}});
  const auto& message = received.at("Messages").at(0).get_object();
  EXPECT_EQ(message.at("Body").get_string(), "hello");
  EXPECT_EQ(message.at("Attributes").at("ApproximateReceiveCount").get_string(), "1");
  EXPECT_EQ(message.at("MessageAttributes").at("Code").at("StringValue").get_string(), "200");
  EXPECT_EQ(message.at("MD5OfMessageAttributes"), sent.at("MD5OfMessageAttributes"));
  EXPECT_FALSE(call("ReceiveMessage", {{"QueueUrl", url}}).contains("Messages"));
  EXPECT_EQ(attribute(url, "ApproximateNumberOfMessagesNotVisible"), "1");
  EXPECT_EQ(
      call("DeleteMessage", {{"QueueUrl", url}, {"ReceiptHandle", message.at("ReceiptHandle")}})
          .at("__status"),
      200);
  clock_.advance(std::chrono::hours(1));
  EXPECT_FALSE(call("ReceiveMessage", {{"QueueUrl", url}}).contains("Messages"));
}

TEST_F(SqsTest, AnUndeletedMessageComesBackAndAnOldReceiptNoLongerCounts) {
  std::string url = make_queue("q", {{"VisibilityTimeout", "10"}});
  call("SendMessage", {{"QueueUrl", url}, {"MessageBody", "x"}});
  auto first = call("ReceiveMessage", {{"QueueUrl", url}}).at("Messages").at(0).at("ReceiptHandle");
  clock_.advance(std::chrono::seconds(10));
  auto second =
      call("ReceiveMessage", {{"QueueUrl", url}}).at("Messages").at(0).at("ReceiptHandle");
  call("DeleteMessage", {{"QueueUrl", url}, {"ReceiptHandle", first}});
  EXPECT_EQ(attribute(url, "ApproximateNumberOfMessagesNotVisible"), "1");
  call("ChangeMessageVisibility",
       {{"QueueUrl", url}, {"ReceiptHandle", second}, {"VisibilityTimeout", 0}});
  EXPECT_TRUE(call("ReceiveMessage", {{"QueueUrl", url}}).contains("Messages"));
}

TEST_F(SqsTest, PoisonMovesToTheDeadLetterQueue) {
  std::string dead = make_queue("dead");
  std::string url = make_queue(
      "q",
      {{"VisibilityTimeout", "1"},
       {"RedrivePolicy",
        R"({"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:000000000000:dead","maxReceiveCount":2})"}});
  call("SendMessage", {{"QueueUrl", url}, {"MessageBody", "poison"}});
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(call("ReceiveMessage", {{"QueueUrl", url}}).contains("Messages"));
    clock_.advance(std::chrono::seconds(1));
  }
  EXPECT_FALSE(call("ReceiveMessage", {{"QueueUrl", url}}).contains("Messages"));
  EXPECT_EQ(
      call("ReceiveMessage", {{"QueueUrl", dead}}).at("Messages").at(0).at("Body").get_string(),
      "poison");
  EXPECT_EQ(
      call("ListDeadLetterSourceQueues", {{"QueueUrl", dead}}).at("queueUrls").at(0).get_string(),
      url);
}

TEST_F(SqsTest, AttributesAreEchoedByteForByte) {
  std::string policy =
      "{ \"maxReceiveCount\": 5,  "
      "\"deadLetterTargetArn\":\"arn:aws:sqs:eu-west-1:000000000000:dead\"}";
  std::string url = make_queue("q", {{"RedrivePolicy", policy}});
  EXPECT_EQ(attribute(url, "RedrivePolicy"), policy);
  EXPECT_EQ(attribute(url, "VisibilityTimeout"), "30");
  EXPECT_EQ(attribute(url, "SqsManagedSseEnabled"), "true");
  EXPECT_EQ(attribute(url, "QueueArn"), "arn:aws:sqs:eu-west-1:000000000000:q");
  call("SetQueueAttributes", {{"QueueUrl", url}, {"Attributes", {{"RedrivePolicy", ""}}}});
  auto output =
      call("GetQueueAttributes", {{"QueueUrl", url}, {"AttributeNames", json::array{"All"}}});
  EXPECT_FALSE(output.at("Attributes").get_object().contains("RedrivePolicy"));
}

TEST_F(SqsTest, ErrorsAreThoseOfSqs) {
  auto missing = call("GetQueueUrl", {{"QueueName", "none"}});
  EXPECT_EQ(missing.at("__type").get_string(), "QueueDoesNotExist");
  EXPECT_EQ(query_error_, "AWS.SimpleQueueService.NonExistentQueue;Sender");
  std::string url = make_queue("q");
  EXPECT_EQ(call("CreateQueue", {{"QueueName", "q"}, {"Attributes", {{"DelaySeconds", "5"}}}})
                .at("__type")
                .get_string(),
            "QueueNameExists");
  EXPECT_EQ(call("CreateQueue", {{"QueueName", "a.fifo"}}).at("__type").get_string(),
            "InvalidParameterValue");
  EXPECT_EQ(call("ReceiveMessage", {{"QueueUrl", url}, {"MaxNumberOfMessages", 11}})
                .at("__type")
                .get_string(),
            "InvalidParameterValue");
  EXPECT_EQ(
      call("DeleteMessage", {{"QueueUrl", url}, {"ReceiptHandle", "?"}}).at("__type").get_string(),
      "ReceiptHandleIsInvalid");
  EXPECT_EQ(call("SendMessageBatch", {{"QueueUrl", url}}).at("__type").get_string(),
            "EmptyBatchRequest");
  auto unknown = call("StartMessageMoveTask", {});
  EXPECT_EQ(unknown.at("__type").get_string(), "NotImplemented");
  EXPECT_EQ(unknown.at("__status"), 501);
}

TEST_F(SqsTest, ABatchAnswersForEachEntry) {
  std::string url = make_queue("q", {{"MaximumMessageSize", "1024"}});
  auto output =
      call("SendMessageBatch",
           {{"QueueUrl", url},
            {"Entries", json::array{{{"Id", "a"}, {"MessageBody", "x"}},
                                    {{"Id", "b"}, {"MessageBody", std::string(2000, 'x')}}}}});
  EXPECT_EQ(output.at("Successful").as_array().size(), 1U);
  EXPECT_EQ(output.at("Failed").at(0).at("Id").get_string(), "b");
  EXPECT_EQ(output.at("Failed").at(0).at("SenderFault"), true);
}

TEST_F(SqsTest, ADeletedQueueIsGoneWithItsMessages) {
  std::string url = make_queue("q");
  call("SendMessage", {{"QueueUrl", url}, {"MessageBody", "x"}});
  EXPECT_EQ(call("DeleteQueue", {{"QueueUrl", url}}).at("__status"), 200);
  EXPECT_EQ(call("GetQueueAttributes", {{"QueueUrl", url}}).at("__type").get_string(),
            "QueueDoesNotExist");
  make_queue("q");
  EXPECT_EQ(attribute(url, "ApproximateNumberOfMessages"), "0");
}

TEST_F(SqsTest, ALongPollEndsWhenAMessageArrives) {
  std::string url = make_queue("q");
  std::thread sender([&] {
    while (clock_.waiters() == 0) std::this_thread::yield();
    EXPECT_TRUE(database_
                    ->write([&](Connection& connection) {
                      return service_->send(connection, "arn:aws:sqs:eu-west-1:000000000000:q",
                                            "late", {});
                    })
                    .has_value());
    service_->wake();
  });
  auto received = call("ReceiveMessage", {{"QueueUrl", url}, {"WaitTimeSeconds", 20}});
  sender.join();
  EXPECT_EQ(received.at("Messages").at(0).at("Body").get_string(), "late");
}

}  // namespace
}  // namespace imgproc::localcloud::sqs
