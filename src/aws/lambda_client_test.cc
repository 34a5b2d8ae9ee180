#include "aws/lambda_client.h"

#include <gtest/gtest.h>

#include "http/fake_exchange_test.h"

namespace imgproc::aws {
namespace {

class LambdaClientTest : public testing::Test {
 protected:
  base::Status put(std::string_view function, int reserved) {
    Endpoint endpoint{
        .origin = {.tls = true, .host = "lambda.eu-west-1.amazonaws.com", .port = 443}};
    LambdaClient client(endpoint, std::make_unique<http::BorrowedExchange>(fake_));
    return client.put_function_concurrency(function, reserved);
  }
  http::FakeExchange fake_;
};

TEST_F(LambdaClientTest, SetsTheConcurrency) {
  fake_.then(200, {}, R"({"ReservedConcurrentExecutions":0})");
  EXPECT_TRUE(put("a-function", 0));
  ASSERT_EQ(fake_.sent().size(), 1U);
  const auto& sent = fake_.sent()[0];
  EXPECT_EQ(sent.method, "PUT");
  EXPECT_EQ(sent.target, "/2017-10-31/functions/a-function/concurrency");
  EXPECT_EQ(sent.headers.get("Host"), "lambda.eu-west-1.amazonaws.com");
  EXPECT_EQ(sent.body, R"({"ReservedConcurrentExecutions":0})");
}

TEST_F(LambdaClientTest, AnArnIsOneSegmentOfThePath) {
  fake_.then(200);
  EXPECT_TRUE(put("arn:aws:lambda:eu-west-1:1:function:f", 7));
  EXPECT_EQ(fake_.sent()[0].target,
            "/2017-10-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A1%3Afunction%3Af/concurrency");
  EXPECT_EQ(fake_.sent()[0].body, R"({"ReservedConcurrentExecutions":7})");
}

TEST_F(LambdaClientTest, PassesLambdasErrorOn) {
  fake_.then(403, {{"X-Amzn-ErrorType", "AccessDeniedException"}},
             R"({"Message":"not authorized to perform: lambda:PutFunctionConcurrency"})");
  auto status = put("f", 0);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, "AccessDeniedException");
  EXPECT_NE(status.error().message.find("lambda:PutFunctionConcurrency"), std::string::npos);
  EXPECT_FALSE(status.error().retryable);
  fake_.then(429, {{"X-Amzn-ErrorType", "TooManyRequestsException"}}, "{}");
  EXPECT_TRUE(put("f", 0).error().retryable);
}

}  // namespace
}  // namespace imgproc::aws
