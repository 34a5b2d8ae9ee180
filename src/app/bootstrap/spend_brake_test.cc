#include "app/bootstrap/spend_brake.h"

#include <gtest/gtest.h>

#include "http/fake_exchange_test.h"
#include "protocol/sigv4_verify.h"

namespace imgproc::bootstrap {
namespace {

const aws::Environment kEnvironment{{"BRAKED_FUNCTION_NAME", "images"},
                                    {"AWS_REGION", "eu-west-1"},
                                    {"AWS_ACCESS_KEY_ID", "a"},
                                    {"AWS_SECRET_ACCESS_KEY", "s"},
                                    {"AWS_SESSION_TOKEN", "t"}};

class Brake : public testing::Test {
 protected:
  base::Result<std::string> handle(std::string payload) {
    SpendBrake brake(read_brake_settings(kEnvironment).value(), clock_,
                     [this](const http::Origin& origin) {
                       dialed_ = origin.host_header();
                       return std::make_unique<http::BorrowedExchange>(fake_);
                     });
    return brake.handle({.request_id = "r-1",
                         .deadline = clock_.now() + std::chrono::seconds{30},
                         .trace_id = "Root=1-2-3",
                         .payload = std::move(payload)});
  }
  static std::string alarm(const std::string& state) {
    return R"({"source":"aws.cloudwatch","alarmData":{"alarmName":"spend","state":{"value":")" +
           state + R"(","reason":"over"}}})";
  }

  base::ManualClock clock_;
  http::FakeExchange fake_;
  std::string dialed_;
};

TEST_F(Brake, StopsTheFunctionWhenTheAlarmRings) {
  fake_.then(200, {}, R"({"ReservedConcurrentExecutions":0})");
  auto answer = handle(alarm("ALARM"));
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(*answer, R"({"function":"images","stopped":true})");
  EXPECT_EQ(dialed_, "lambda.eu-west-1.amazonaws.com");
  ASSERT_EQ(fake_.sent().size(), 1U);
  const auto& sent = fake_.sent()[0];
  EXPECT_EQ(sent.method + " " + sent.target, "PUT /2017-10-31/functions/images/concurrency");
  EXPECT_EQ(sent.body, R"({"ReservedConcurrentExecutions":0})");
  EXPECT_EQ(sent.headers.get("X-Amzn-Trace-Id"), "Root=1-2-3");
  http::Request request{sent.method, sent.target, sent.headers, sent.body};
  auto claim = protocol::parse_authorization(request);
  ASSERT_TRUE(claim);
  EXPECT_TRUE(protocol::verify(request, *claim, {"a", "s", "t"}, clock_.now()));
}

TEST_F(Brake, LeavesTheFunctionAloneInOtherStates) {
  for (const char* state : {"OK", "INSUFFICIENT_DATA"})
    EXPECT_EQ(handle(alarm(state)).value(), R"({"function":"images","stopped":false})");
  EXPECT_TRUE(fake_.sent().empty());
}

TEST_F(Brake, RaisesWhatLambdaRefuses) {
  fake_.then(403, {{"X-Amzn-ErrorType", "AccessDeniedException"}}, R"({"Message":"no"})");
  EXPECT_EQ(handle(alarm("ALARM")).error().code, "AccessDeniedException");
}

TEST_F(Brake, RefusesWhatIsNoAlarm) {
  for (const char* payload : {"{}", "[]", R"({"alarmData":{}})", R"({"alarmData":{"state":{}}})"})
    EXPECT_EQ(handle(payload).error().code, "INVALID_EVENT") << payload;
  EXPECT_EQ(handle("no json").error().code, "INVALID_JSON");
  EXPECT_TRUE(fake_.sent().empty());
}

TEST_F(Brake, NeedsToKnowWhatItStops) {
  auto environment = kEnvironment;
  environment.erase("BRAKED_FUNCTION_NAME");
  EXPECT_EQ(read_brake_settings(environment).error().code, "MISSING_SETTING");
}

}  // namespace
}  // namespace imgproc::bootstrap
