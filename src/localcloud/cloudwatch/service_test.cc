#include "localcloud/cloudwatch/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/bytes.h"
#include "base/json.h"
#include "base/random.h"
#include "base/time.h"

namespace imgproc::localcloud::cloudwatch {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::Not;

class RecordingTopics final : public Topics {
 public:
  bool has_topic(std::string_view arn) override { return arn == "arn:topic"; }
  base::Status publish(std::string_view, std::string_view subject,
                       std::string_view message) override {
    subjects.emplace_back(subject);
    messages.emplace_back(message);
    return {};
  }
  std::vector<std::string> subjects;
  std::vector<std::string> messages;
};

class RecordingFunctions final : public EventSink {
 public:
  base::Status enqueue(Connection&, std::string_view arn, std::string_view payload) override {
    std::lock_guard guard(mutex);
    arns.emplace_back(arn);
    payloads.emplace_back(payload);
    called.notify_all();
    return {};
  }
  void wake() override { ++wakes; }
  bool has_function(std::string_view arn) override { return arn.ends_with(":function:brake"); }
  bool lets_invoke(std::string_view, std::string_view, std::string_view) override { return true; }

  std::mutex mutex;
  std::condition_variable called;
  std::vector<std::string> arns;
  std::vector<std::string> payloads;
  std::atomic<int> wakes{0};
};

class CloudWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::temp_directory_path() / ("imgproc-cloudwatch-" + base::random_hex(8));
    std::filesystem::create_directories(folder_);
    database_ = std::move(*Database::open(folder_ / "state.db"));
    context_ = std::make_unique<Context>(Context{*database_, clock_, folder_});
    service_ = std::move(*CloudWatchService::create(*context_, &topics_, &functions_));
  }
  void TearDown() override {
    service_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }
  json::object call(std::string_view operation, const json::object& input) {
    http::Request request{.method = "POST"};
    request.headers.set("X-Amz-Target", "GraniteServiceVersion20100801." + std::string(operation));
    request.body = json::serialize(input);
    auto body = base::parse_json(service_->handle(caller_, std::move(request)).body.text);
    return body && body->is_object() ? body->get_object() : json::object{};
  }
  std::string query(const std::string& form) {
    http::Request request{.method = "POST"};
    request.body = form;
    return service_->handle(caller_, std::move(request)).body.text;
  }
  std::string state() {
    return std::string(
        call("DescribeAlarms", {}).at("MetricAlarms").at(0).at("StateValue").get_string());
  }
  json::object alarm() {
    return {{"AlarmName", "errors"},
            {"Namespace", "AWS/Lambda"},
            {"MetricName", "Errors"},
            {"Statistic", "Sum"},
            {"Period", 60},
            {"EvaluationPeriods", 1},
            {"Threshold", 0},
            {"ComparisonOperator", "GreaterThanThreshold"},
            {"Dimensions", json::array{{{"Name", "FunctionName"}, {"Value", "fn"}}}},
            {"TreatMissingData", "notBreaching"},
            {"AlarmActions", json::array{"arn:topic"}},
            {"OKActions", json::array{"arn:topic"}}};
  }

  Caller caller_{.access_key_id = "test", .region = "eu-west-1", .request_id = "r"};
  std::filesystem::path folder_;
  base::ManualClock clock_;
  RecordingTopics topics_;
  RecordingFunctions functions_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Context> context_;
  std::unique_ptr<CloudWatchService> service_;
};

TEST_F(CloudWatchTest, AnAlarmRisesFallsAndNotifies) {
  call("PutMetricAlarm", alarm());
  EXPECT_EQ(state(), "OK");
  service_->put("AWS/Lambda", "Errors", {{"FunctionName", "fn"}}, 1);
  service_->put("AWS/Lambda", "Errors", {{"FunctionName", "other"}}, 1);
  EXPECT_EQ(state(), "ALARM");
  EXPECT_EQ(topics_.subjects.back(), "ALARM: \"errors\"");
  EXPECT_THAT(topics_.messages.back(), HasSubstr("\"NewStateValue\":\"ALARM\""));
  clock_.advance(std::chrono::minutes(2));
  EXPECT_EQ(state(), "OK");
  EXPECT_EQ(topics_.subjects.back(), "OK: \"errors\"");
}

constexpr const char* kBrake = "arn:aws:lambda:eu-west-1:000000000000:function:brake";

TEST_F(CloudWatchTest, AlarmsAreEvaluatedWithoutAnybodyAsking) {
  json::object input = alarm();
  input["AlarmActions"] = json::array{kBrake};
  call("PutMetricAlarm", input);
  int measured = 0;
  service_->before_evaluation([&] { ++measured; });
  service_->start();
  service_->put("AWS/Lambda", "Errors", {{"FunctionName", "fn"}}, 1);
  while (clock_.waiters() == 0) std::this_thread::yield();
  clock_.advance(kEvaluationInterval - std::chrono::milliseconds(1));
  while (clock_.waiters() == 0) std::this_thread::yield();
  EXPECT_TRUE(functions_.payloads.empty());
  clock_.advance(std::chrono::milliseconds(1));
  std::unique_lock lock(functions_.mutex);
  ASSERT_TRUE(functions_.called.wait_for(lock, std::chrono::seconds(20),
                                         [&] { return !functions_.payloads.empty(); }));
  lock.unlock();
  service_->stop();
  EXPECT_EQ(measured, 1);
}

TEST_F(CloudWatchTest, AFunctionGetsTheAlarmsEvent) {
  json::object input = alarm();
  input["AlarmActions"] = json::array{kBrake, "arn:topic"};
  input["AlarmDescription"] = "too many";
  call("PutMetricAlarm", input);
  EXPECT_EQ(state(), "OK");
  service_->put("AWS/Lambda", "Errors", {{"FunctionName", "fn"}}, 1);
  EXPECT_EQ(state(), "ALARM");
  ASSERT_EQ(functions_.payloads.size(), 1U);
  EXPECT_EQ(functions_.arns[0], kBrake);
  EXPECT_EQ(functions_.wakes, 1);
  json::object event = base::parse_json(functions_.payloads[0]).value().get_object();
  EXPECT_EQ(event.at("source"), "aws.cloudwatch");
  EXPECT_EQ(event.at("alarmArn"), "arn:aws:cloudwatch:eu-west-1:000000000000:alarm:errors");
  EXPECT_EQ(event.at("region"), "eu-west-1");
  EXPECT_EQ(event.at("accountId"), "000000000000");
  const json::object& data = event.at("alarmData").get_object();
  EXPECT_EQ(data.at("alarmName"), "errors");
  EXPECT_EQ(data.at("state").at("value"), "ALARM");
  EXPECT_EQ(data.at("previousState").at("value"), "OK");
  EXPECT_EQ(data.at("configuration").at("description"), "too many");
  EXPECT_EQ(data.at("configuration").at("metrics").at(0).at("metricStat").at("metric"),
            (json::value{{"namespace", "AWS/Lambda"},
                         {"name", "Errors"},
                         {"dimensions", {{"FunctionName", "fn"}}}}));
  EXPECT_EQ(topics_.subjects.back(), "ALARM: \"errors\"") << "the other action runs as well";
  EXPECT_EQ(state(), "ALARM");
  EXPECT_EQ(functions_.payloads.size(), 1U) << "once for each change";
}

TEST_F(CloudWatchTest, AnAlarmOnMetricMathSumsItsPeriod) {
  // As Terraform sends it: the query protocol, all numbers as text.
  std::string form =
      "Action=PutMetricAlarm&Version=2010-08-01&AlarmName=spend&Threshold=1.5&EvaluationPeriods=1"
      "&ComparisonOperator=GreaterThanThreshold&TreatMissingData=notBreaching&ActionsEnabled=true"
      "&Metrics.member.1.Id=usd&Metrics.member.1.Expression=duration%20*%200.001%20%2B%"
      "20invocations"
      "%20*%200.1&Metrics.member.1.ReturnData=true";
  int member = 2;
  for (auto [id, name] : {std::pair{"duration", "Duration"}, {"invocations", "Invocations"}}) {
    std::string prefix = "&Metrics.member." + std::to_string(member++);
    std::string metric = prefix + ".MetricStat.Metric";
    form += prefix + ".Id=" + id + prefix + ".ReturnData=false" + prefix +
            ".MetricStat.Period=3600" + prefix + ".MetricStat.Stat=Sum" + metric +
            ".Namespace=AWS%2FLambda" + metric + ".MetricName=" + name + metric +
            ".Dimensions.member.1.Name=FunctionName" + metric + ".Dimensions.member.1.Value=fn";
  }
  EXPECT_THAT(query(form), Not(HasSubstr("Error")));
  EXPECT_EQ(state(), "OK");
  auto work = [&] {
    service_->put("AWS/Lambda", "Duration", {{"FunctionName", "fn"}}, 300);
    service_->put("AWS/Lambda", "Invocations", {{"FunctionName", "fn"}}, 1);
  };
  for (int i = 0; i < 3; ++i) {
    work();
    clock_.advance(std::chrono::minutes(10));
  }
  EXPECT_EQ(state(), "OK") << "0.9 + 0.3 in this hour";
  work();
  EXPECT_EQ(state(), "ALARM") << "1.2 + 0.4 in this hour";
  clock_.advance(std::chrono::minutes(31));
  EXPECT_EQ(state(), "OK") << "the first is over an hour old";
}

TEST_F(CloudWatchTest, WhatCannotBeComputedSaysWhy) {
  call("PutMetricAlarm",
       {{"AlarmName", "math"},
        {"EvaluationPeriods", 1},
        {"Threshold", 1},
        {"ComparisonOperator", "GreaterThanThreshold"},
        {"Metrics", json::array{{{"Id", "e"}, {"Expression", "SUM(m)"}, {"ReturnData", true}},
                                {{"Id", "m"},
                                 {"ReturnData", false},
                                 {"MetricStat",
                                  {{"Period", 60},
                                   {"Stat", "Sum"},
                                   {"Metric", {{"Namespace", "N"}, {"MetricName", "M"}}}}}}}}});
  service_->put("N", "M", {}, 5);
  auto shown = call("DescribeAlarms", {}).at("MetricAlarms").at(0);
  EXPECT_EQ(shown.at("StateValue"), "INSUFFICIENT_DATA");
}

TEST_F(CloudWatchTest, MissingDataIsTreatedAsAsked) {
  for (auto [treatment, expected] : {std::pair{"missing", "INSUFFICIENT_DATA"},
                                     {"breaching", "ALARM"},
                                     {"notBreaching", "OK"}}) {
    json::object input = alarm();
    input["TreatMissingData"] = treatment;
    call("PutMetricAlarm", input);
    EXPECT_EQ(state(), expected) << treatment;
  }
}

TEST_F(CloudWatchTest, MOutOfN) {
  json::object input = alarm();
  input["EvaluationPeriods"] = 3;
  input["DatapointsToAlarm"] = 2;
  call("PutMetricAlarm", input);
  service_->put("AWS/Lambda", "Errors", {{"FunctionName", "fn"}}, 1);
  EXPECT_EQ(state(), "OK");
  clock_.advance(std::chrono::minutes(2));
  service_->put("AWS/Lambda", "Errors", {{"FunctionName", "fn"}}, 1);
  EXPECT_EQ(state(), "ALARM");
}

TEST_F(CloudWatchTest, BothProtocolsReachTheSameAlarm) {
  EXPECT_THAT(query("Action=PutMetricAlarm&Version=2010-08-01&AlarmName=q&Namespace=N&MetricName=M&"
                    "Statistic=Sum&Period=60"
                    "&EvaluationPeriods=1&Threshold=5&ComparisonOperator=GreaterThanThreshold&"
                    "ActionsEnabled=true"
                    "&Dimensions.member.1.Name=d&Dimensions.member.1.Value=v&Tags.member.1.Key=k&"
                    "Tags.member.1.Value=w"),
              Not(HasSubstr("Error")));
  auto shown = call("DescribeAlarms", {{"AlarmNames", json::array{"q"}}}).at("MetricAlarms").at(0);
  EXPECT_EQ(shown.at("Threshold"), 5);
  EXPECT_EQ(shown.at("ActionsEnabled"), true);
  EXPECT_TRUE(shown.at("AlarmConfigurationUpdatedTimestamp").is_double());
  std::string xml = query("Action=DescribeAlarms&Version=2010-08-01&AlarmNames.member.1=q");
  EXPECT_THAT(xml, HasSubstr("<Threshold>5</Threshold>"));
  EXPECT_THAT(xml, HasSubstr("<AlarmConfigurationUpdatedTimestamp>2026-01-01T00:00:00.000Z</"
                             "AlarmConfigurationUpdatedTimestamp>"));
  EXPECT_THAT(query("Action=ListTagsForResource&ResourceARN=" +
                    base::percent_encode(std::string(shown.at("AlarmArn").get_string()))),
              HasSubstr("<Key>k</Key><Value>w</Value>"));
  query("Action=DeleteAlarms&AlarmNames.member.1=q");
  EXPECT_TRUE(call("DescribeAlarms", {}).at("MetricAlarms").as_array().empty());
}

TEST_F(CloudWatchTest, ASetStateHoldsForOnePeriod) {
  call("PutMetricAlarm", alarm());
  EXPECT_EQ(state(), "OK");
  call("SetAlarmState",
       {{"AlarmName", "errors"}, {"StateValue", "ALARM"}, {"StateReason", "testing"}});
  EXPECT_EQ(state(), "ALARM");
  clock_.advance(std::chrono::minutes(2));
  EXPECT_EQ(state(), "OK");
}

TEST_F(CloudWatchTest, StatisticsAreSummedByPeriod) {
  call("PutMetricData",
       {{"Namespace", "N"},
        {"MetricData",
         json::array{
             {{"MetricName", "M"}, {"Value", 2}},
             {{"MetricName", "M"}, {"Values", json::array{1, 5}}, {"Counts", json::array{2, 1}}},
             {{"MetricName", "M"},
              {"StatisticValues",
               {{"Sum", 10}, {"SampleCount", 2}, {"Minimum", 4}, {"Maximum", 6}}}}}}});
  double now = static_cast<double>(clock_.now().time_since_epoch().count()) / 1000;
  auto output = call("GetMetricStatistics",
                     {{"Namespace", "N"},
                      {"MetricName", "M"},
                      {"StartTime", now - 60},
                      {"EndTime", now + 60},
                      {"Period", 300},
                      {"Statistics", json::array{"Sum", "Average", "Maximum", "SampleCount"}}});
  const auto& point = output.at("Datapoints").at(0);
  EXPECT_EQ(point.at("Sum").to_number<double>(), 19);
  EXPECT_EQ(point.at("SampleCount").to_number<double>(), 6);
  EXPECT_EQ(point.at("Maximum").to_number<double>(), 6);
  EXPECT_EQ(
      call("ListMetrics", {{"Namespace", "N"}}).at("Metrics").at(0).at("MetricName").get_string(),
      "M");
}

TEST_F(CloudWatchTest, DashboardsAreKeptWordForWord) {
  std::string body = "{ \"widgets\": [ ] }";
  call("PutDashboard", {{"DashboardName", "d"}, {"DashboardBody", body}});
  EXPECT_EQ(call("GetDashboard", {{"DashboardName", "d"}}).at("DashboardBody").get_string(), body);
  EXPECT_EQ(call("PutDashboard", {{"DashboardName", "d"}, {"DashboardBody", "no"}})
                .at("__type")
                .get_string(),
            "InvalidParameterInput");
  call("DeleteDashboards", {{"DashboardNames", json::array{"d"}}});
  EXPECT_EQ(call("GetDashboard", {{"DashboardName", "d"}}).at("__type").get_string(),
            "ResourceNotFound");
}

}  // namespace
}  // namespace imgproc::localcloud::cloudwatch
