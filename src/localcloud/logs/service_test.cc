#include "localcloud/logs/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/json.h"
#include "base/random.h"

namespace imgproc::localcloud::logs {
namespace {

using ::testing::HasSubstr;
namespace json = boost::json;

class LogsServiceTest : public ::testing::Test {
 protected:
  LogsServiceTest() {
    std::filesystem::create_directories(directory_);
    open();
  }
  ~LogsServiceTest() override {
    service_.reset();
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  void open() {
    service_.reset();
    database_.reset();
    database_ = Database::open(directory_ / "state.db").value();
    service_ = LogsService::create({*database_, clock_, directory_}).value();
  }
  http::Response send(const std::string& operation, const std::string& body) {
    return service_->handle({"test", "eu-west-1", "req"},
                            {"POST", "/", {{"X-Amz-Target", "Logs_20140328." + operation}}, body});
  }
  json::object ok(const std::string& operation, const std::string& body) {
    auto response = send(operation, body);
    EXPECT_EQ(response.status, 200) << operation << " " << response.body.text;
    auto value = base::parse_json(response.body.text.empty() ? "{}" : response.body.text);
    return value && value->is_object() ? value->get_object() : json::object{};
  }
  std::string refused(const std::string& operation, const std::string& body) {
    auto response = send(operation, body);
    EXPECT_EQ(response.status, 400) << response.body.text;
    return response.body.text;
  }
  void append(int count, const std::string& stream = "s") {
    for (int i = 0; i < count; ++i) {
      service_->store().append("/g", stream, clock_.now(), "line " + std::to_string(i));
      clock_.advance(std::chrono::milliseconds(1));
    }
  }

  std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() / ("imgproc-" + base::random_hex(8));
  base::ManualClock clock_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<LogsService> service_;
};

TEST_F(LogsServiceTest, GroupsLiveAsTerraformExpects) {
  ok("CreateLogGroup", R"({"logGroupName":"/aws/lambda/f","tags":{"a":"b"}})");
  EXPECT_THAT(refused("CreateLogGroup", R"({"logGroupName":"/aws/lambda/f"})"),
              HasSubstr("ResourceAlreadyExistsException"));
  ok("PutRetentionPolicy", R"({"logGroupName":"/aws/lambda/f","retentionInDays":14})");
  auto answer = ok("DescribeLogGroups", R"({"logGroupNamePrefix":"/aws/lambda/f"})");
  json::object group = answer.at("logGroups").at(0).get_object();
  EXPECT_EQ(group.at("arn"), "arn:aws:logs:eu-west-1:000000000000:log-group:/aws/lambda/f:*");
  EXPECT_EQ(group.at("retentionInDays"), 14);
  std::string arn =
      R"({"resourceArn":"arn:aws:logs:eu-west-1:000000000000:log-group:/aws/lambda/f")";
  ok("TagResource", arn + R"(,"tags":{"c":"d"}})");
  ok("UntagResource", arn + R"(,"tagKeys":["a"]})");
  EXPECT_EQ(ok("ListTagsForResource", arn + "}").at("tags"), (json::value{{"c", "d"}}));
  ok("DeleteLogGroup", R"({"logGroupName":"/aws/lambda/f"})");
  EXPECT_THAT(refused("DeleteLogGroup", R"({"logGroupName":"/aws/lambda/f"})"),
              HasSubstr("ResourceNotFoundException"));
  EXPECT_THAT(refused("PutRetentionPolicy", R"({"logGroupName":"/x","retentionInDays":2})"),
              HasSubstr("InvalidParameter"));
}

TEST_F(LogsServiceTest, AppendedLinesAreFoundAtOnceAndSurviveARestart) {
  append(3);
  auto check = [&] {
    auto answer = ok("FilterLogEvents", R"({"logGroupName":"/g","filterPattern":"\"line 1\""})");
    ASSERT_EQ(answer.at("events").get_array().size(), 1U);
    EXPECT_EQ(answer.at("events").at(0).at("message"), "line 1");
    EXPECT_EQ(answer.at("events").at(0).at("logStreamName"), "s");
  };
  check();
  open();
  check();
}

TEST_F(LogsServiceTest, TailingSeesEachEventOnceByItsId) {
  append(2);
  std::set<std::string> ids;
  auto collect = [&] {
    auto answer = ok("FilterLogEvents", R"({"logGroupName":"/g","interleaved":true})");
    for (const auto& event : answer.at("events").get_array())
      ids.insert(std::string(event.at("eventId").get_string()));
  };
  collect();
  collect();
  EXPECT_EQ(ids.size(), 2U);
  append(1);
  collect();
  EXPECT_EQ(ids.size(), 3U);
}

TEST_F(LogsServiceTest, PagesThroughAllEventsInOrder) {
  append(25, "a");
  append(25, "b");
  std::vector<std::string> messages;
  std::string token;
  for (int pages = 0; pages < 20; ++pages) {
    auto answer = ok("FilterLogEvents", R"({"logGroupName":"/g","limit":7)" + token + "}");
    for (const auto& event : answer.at("events").get_array())
      messages.emplace_back(event.at("message").get_string());
    if (!answer.contains("nextToken")) break;
    token = R"(,"nextToken":")" + std::string(answer.at("nextToken").get_string()) + "\"";
  }
  ASSERT_EQ(messages.size(), 50U);
  EXPECT_EQ(messages.front(), "line 0");
  EXPECT_EQ(messages.back(), "line 24");
}

TEST_F(LogsServiceTest, GetLogEventsGoesBothWays) {
  append(5);
  auto head = ok("GetLogEvents",
                 R"({"logGroupName":"/g","logStreamName":"s","startFromHead":true,"limit":2})");
  EXPECT_EQ(head.at("events").at(1).at("message"), "line 1");
  auto forward = [&](const json::object& answer) {
    return ok("GetLogEvents",
              R"({"logGroupName":"/g","logStreamName":"s","limit":10,"nextToken":")" +
                  std::string(answer.at("nextForwardToken").get_string()) + "\"}");
  };
  auto rest = forward(head);
  ASSERT_EQ(rest.at("events").get_array().size(), 3U);
  EXPECT_EQ(rest.at("events").at(0).at("message"), "line 2");
  auto end = forward(rest);
  EXPECT_TRUE(end.at("events").get_array().empty());
  EXPECT_EQ(end.at("nextForwardToken"), rest.at("nextForwardToken"))
      << "the end shows by the same token";
  auto tail = ok("GetLogEvents", R"({"logGroupName":"/g","logStreamName":"s","limit":2})");
  EXPECT_EQ(tail.at("events").at(0).at("message"), "line 3");
  EXPECT_EQ(tail.at("events").at(1).at("message"), "line 4");
}

TEST_F(LogsServiceTest, TakesEventsFromClients) {
  ok("CreateLogGroup", R"({"logGroupName":"/b"})");
  ok("CreateLogStream", R"({"logGroupName":"/b","logStreamName":"s"})");
  std::string now = std::to_string(clock_.now().time_since_epoch().count());
  ok("PutLogEvents", R"({"logGroupName":"/b","logStreamName":"s","logEvents":[{"timestamp":)" +
                         now + R"(,"message":"m"}]})");
  EXPECT_EQ(ok("FilterLogEvents",
               R"({"logGroupName":"/b","startTime":)" + now + R"(,"endTime":)" + now + "}")
                .at("events")
                .get_array()
                .size(),
            1U);
  auto old = ok(
      "PutLogEvents",
      R"({"logGroupName":"/b","logStreamName":"s","logEvents":[{"timestamp":1,"message":"m"}]})");
  EXPECT_EQ(old.at("rejectedLogEventsInfo").at("tooOldLogEventEndIndex"), 1);
  EXPECT_THAT(
      refused("PutLogEvents", R"({"logGroupName":"/b","logStreamName":"s","logEvents":[]})"),
      HasSubstr("InvalidParameter"));
  EXPECT_THAT(refused("PutLogEvents",
                      R"({"logGroupName":"/b","logStreamName":"none","logEvents":[{"timestamp":)" +
                          now + R"(,"message":"m"}]})"),
              HasSubstr("ResourceNotFoundException"));
  auto streams = ok("DescribeLogStreams",
                    R"({"logGroupName":"/b","orderBy":"LastEventTime","descending":true})");
  EXPECT_EQ(streams.at("logStreams").at(0).at("logStreamName"), "s");
}

TEST_F(LogsServiceTest, ForgetsByAgeAndBySize) {
  append(20);
  ok("PutRetentionPolicy", R"({"logGroupName":"/g","retentionInDays":1})");
  EXPECT_EQ(ok("FilterLogEvents", R"({"logGroupName":"/g"})").at("events").get_array().size(), 20U);
  ASSERT_TRUE(service_->store().apply_retention(100));
  EXPECT_EQ(ok("FilterLogEvents", R"({"logGroupName":"/g"})").at("events").get_array().size(), 17U)
      << "the oldest tenth and one";
  clock_.advance(std::chrono::hours(25));
  ASSERT_TRUE(service_->store().apply_retention());
  EXPECT_TRUE(ok("FilterLogEvents", R"({"logGroupName":"/g"})").at("events").get_array().empty());
  EXPECT_EQ(ok("DescribeLogGroups", "{}").at("logGroups").at(0).at("storedBytes"), 0);
}

TEST_F(LogsServiceTest, SaysWhatIsNotImplemented) {
  EXPECT_EQ(send("StartQuery", "{}").status, 501);
}

TEST_F(LogsServiceTest, AGroupsKeyIsShownChangedAndGoesWithIt) {
  auto key = [&] {
    auto group = ok("DescribeLogGroups", "{}").at("logGroups").at(0).get_object();
    return group.contains("kmsKeyId") ? std::string(group.at("kmsKeyId").get_string()) : "";
  };
  ok("CreateLogGroup", R"({"logGroupName":"g","kmsKeyId":"arn:one"})");
  EXPECT_EQ(key(), "arn:one");
  ok("AssociateKmsKey", R"({"logGroupName":"g","kmsKeyId":"arn:two"})");
  EXPECT_EQ(key(), "arn:two");
  ok("DeleteLogGroup", R"({"logGroupName":"g"})");
  ok("CreateLogGroup", R"({"logGroupName":"g"})");
  EXPECT_EQ(key(), "") << "of a group of the same name";
  ok("AssociateKmsKey", R"({"logGroupName":"g","kmsKeyId":"arn:two"})");
  ok("DisassociateKmsKey", R"({"logGroupName":"g"})");
  EXPECT_EQ(key(), "");
}

}  // namespace
}  // namespace imgproc::localcloud::logs
