#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <mutex>

#include "aws/retry_exchange.h"
#include "aws/service_error.h"
#include "aws/signing_exchange.h"
#include "aws/trace_exchange.h"
#include "http/fake_exchange_test.h"

namespace imgproc::aws {
namespace {

using http::BorrowedExchange;
using http::FakeExchange;

/// A clock on which every wait is over at once, and counted.
class SkippingClock final : public base::Clock {
 public:
  base::SystemTime now() const override { return {}; }
  base::SteadyTime steady() const override { return steady_; }
  bool wait_until(std::unique_lock<std::mutex>&, std::condition_variable&,
                  base::SteadyTime deadline, const std::function<bool()>& ready) override {
    if (deadline > steady_) {
      waited_ms +=
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - steady_).count();
      steady_ = deadline;
    }
    return ready();
  }
  std::int64_t waited_ms = 0;

 private:
  base::SteadyTime steady_ = base::SteadyTime{} + std::chrono::hours{1};
};

class Retry : public testing::Test {
 protected:
  base::Result<http::Response> send(http::Request request, RetryPolicy policy = {},
                                    double random = 0.999) {
    RetryExchange retry(std::make_unique<BorrowedExchange>(fake_), clock_, policy,
                        [=] { return random; });
    return retry.send(std::move(request));
  }
  static http::Request put(std::string body = "body") {
    http::Request request;
    request.method = "PUT";
    request.target = "/k";
    request.body = std::move(body);
    return request;
  }

  FakeExchange fake_;
  SkippingClock clock_;
};

TEST_F(Retry, PassesASuccessOn) {
  fake_.then(200, {}, "ok");
  auto response = send(put());
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body.text, "ok");
  EXPECT_EQ(fake_.sent().size(), 1U);
}

TEST_F(Retry, SendsTheSameAgainAfterServerErrors) {
  for (int status : {500, 502, 503, 504, 429}) fake_.then(status);
  fake_.then(200);
  auto response = send(put("payload"), {.attempts_max = 6});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  ASSERT_EQ(fake_.sent().size(), 6U);
  for (const auto& sent : fake_.sent()) EXPECT_EQ(sent.body, "payload");
}

TEST_F(Retry, SendsAgainAfterConnectionErrors) {
  fake_.then_fail({.code = "CONNECT_FAILED", .message = "refused", .retryable = true});
  fake_.then(200);
  ASSERT_TRUE(send(put()));
  EXPECT_EQ(fake_.sent().size(), 2U);
}

TEST_F(Retry, ThrottlingIsA400FromDynamoDb) {
  fake_.then(
      400, {},
      R"({"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"})");
  fake_.then(400, {{"X-Amzn-ErrorType", "ThrottlingException:http://x"}}, "");
  fake_.then(400, {}, "<Error><Code>RequestTimeout</Code></Error>");
  fake_.then(400, {}, R"({"__type":"x#ValidationException","message":"no"})");
  auto response = send(put());
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 400);
  EXPECT_EQ(response->body.text, R"({"__type":"x#ValidationException","message":"no"})");
  EXPECT_EQ(fake_.sent().size(), 4U);
}

TEST_F(Retry, DoesNotRepeatWhatCannotPass) {
  for (int status : {400, 403, 404, 409, 412, 501}) {
    fake_.then(status);
    ASSERT_TRUE(send(put()));
  }
  EXPECT_EQ(fake_.sent().size(), 6U);
  fake_.then_fail({.code = "TLS_FAILED", .message = "no"});
  EXPECT_EQ(send(put()).error().code, "TLS_FAILED");
  EXPECT_EQ(fake_.sent().size(), 7U);
}

TEST_F(Retry, GivesUpWithTheLastAnswer) {
  for (int i = 0; i < 9; ++i) fake_.then(503, {}, "try " + std::to_string(i));
  auto response = send(put(), {.attempts_max = 3});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body.text, "try 2");
  EXPECT_EQ(fake_.sent().size(), 3U);
}

TEST_F(Retry, NeverRepeatsAStream) {
  fake_.then(503);
  http::Request request = put();
  request.body = http::Body(http::to_reader(http::Body("streamed")), 8);
  auto response = send(std::move(request));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 503);
  ASSERT_EQ(fake_.sent().size(), 1U);
  EXPECT_EQ(fake_.sent()[0].body, "streamed");
}

TEST_F(Retry, WaitsGrowToTheirBound) {
  for (int i = 0; i < 5; ++i) fake_.then(500);
  (void)send(put(), {.attempts_max = 5,
                     .wait_base = std::chrono::milliseconds{10},
                     .wait_max = std::chrono::milliseconds{40}});
  // 0.999 of (10+1, 20+1, 40+1, 40+1), cut to whole milliseconds.
  EXPECT_EQ(clock_.waited_ms, 10 + 20 + 40 + 40);
}

TEST_F(Retry, JitterMayBeNothing) {
  for (int i = 0; i < 4; ++i) fake_.then(500);
  fake_.then(200);
  ASSERT_TRUE(send(put(), {}, 0.0));
  EXPECT_EQ(clock_.waited_ms, 0);
}

TEST_F(Retry, TotalTimeIsBounded) {
  for (int i = 0; i < 50; ++i) fake_.then(500);
  (void)send(put(), {.attempts_max = 50,
                     .wait_base = std::chrono::milliseconds{100},
                     .wait_max = std::chrono::milliseconds{100},
                     .total_max = std::chrono::milliseconds{250}});
  EXPECT_EQ(fake_.sent().size(), 3U);
  EXPECT_LE(clock_.waited_ms, 250);
}

TEST(RetryDeadline, NoTryBeginsAfterIt) {
  FakeExchange fake;
  for (int i = 0; i < 9; ++i) fake.then(500);
  base::ManualClock clock;
  base::SteadyTime deadline = clock.steady() - std::chrono::milliseconds{1};
  RetryExchange retry(
      std::make_unique<BorrowedExchange>(fake), clock, {}, [] { return 0.0; },
      [&] { return deadline; });
  ASSERT_TRUE(retry.send({}));
  EXPECT_EQ(fake.sent().size(), 1U);
}

TEST(Signing, CoversTheBodyInMemory) {
  FakeExchange fake;
  fake.then(200);
  base::ManualClock clock;
  SigningExchange signing(std::make_unique<BorrowedExchange>(fake), {"AKID", "secret", "token"},
                          "eu-west-1", "s3", clock);
  http::Request request;
  request.headers.set("Host", "h");
  request.body = "x";
  ASSERT_TRUE(signing.send(std::move(request)));
  const auto& headers = fake.sent()[0].headers;
  EXPECT_EQ(headers.get("X-Amz-Date"), "20260101T000000Z");
  EXPECT_EQ(headers.get("X-Amz-Security-Token"), "token");
  EXPECT_EQ(headers.get("X-Amz-Content-Sha256"), protocol::PayloadHash::of("x").text());
  EXPECT_TRUE(
      headers.get("Authorization")
          ->starts_with(
              "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/s3/aws4_request, SignedHeaders="
              "host;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature="));
}

TEST(Signing, EachTryHasItsOwnTime) {
  FakeExchange fake;
  base::ManualClock clock;
  fake.then([&](const http::Request&) -> base::Result<http::Response> {
    clock.advance(std::chrono::seconds{1});
    return http::Response{.status = 503};
  });
  fake.then(200);
  RetryExchange retry(
      std::make_unique<SigningExchange>(std::make_unique<BorrowedExchange>(fake),
                                        protocol::Credentials{"A", "S", ""}, "r", "s3", clock),
      clock, {}, [] { return 0.0; });
  http::Request request;
  request.headers.set("Host", "h");
  ASSERT_TRUE(retry.send(std::move(request)));
  EXPECT_EQ(fake.sent()[0].headers.get("X-Amz-Date"), "20260101T000000Z");
  EXPECT_EQ(fake.sent()[1].headers.get("X-Amz-Date"), "20260101T000001Z");
}

TEST(Trace, IsPassedOnWhenThereIsOne) {
  FakeExchange fake;
  fake.then(200);
  fake.then(200);
  std::string id = "Root=1-2-3;Parent=4;Sampled=1;Lineage=5:0";
  TraceExchange trace(std::make_unique<BorrowedExchange>(fake), [&] { return id; });
  ASSERT_TRUE(trace.send({}));
  EXPECT_EQ(fake.sent()[0].headers.get("X-Amzn-Trace-Id"), id);
  id.clear();
  ASSERT_TRUE(trace.send({}));
  EXPECT_FALSE(fake.sent()[1].headers.has("X-Amzn-Trace-Id"));
}

TEST(ServiceError, IsReadFromXml) {
  http::Response response{.status = 403};
  response.headers.set("x-amz-request-id", "R1");
  response.body =
      "<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code><Message>No &amp; "
      "no</Message></Error>";
  base::Error error = s3_error_of(response);
  EXPECT_EQ(error.code, "AccessDenied");
  EXPECT_EQ(error.message, "No & no [request R1]");
  EXPECT_EQ(error.http_status, 403);
  EXPECT_FALSE(error.retryable);
  EXPECT_FALSE(error.hint.empty());
}

TEST(ServiceError, IsReadFromXmlOfAnyForm) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"<ErrorResponse xmlns=\"x\">\n <Error>\n  <Type>Sender</Type>\n  <Code>A</Code></Error>",
       "A"},
      {"<Error><Message>&lt;Code&gt;</Message><Code>&quot;B&apos;</Code></Error>", "\"B'"},
      {"<Error><Code>C&unknown;</Code></Error>", "C&unknown;"},
      {"<Error><Code><b>D</b></Code></Error>", "HTTP_400"},
      {"<Error><Code>E", "HTTP_400"},
      {"<Other><Code>F</Code></Other>", "HTTP_400"}};
  for (const auto& [body, code] : cases) {
    http::Response response{.status = 400};
    response.body = body;
    EXPECT_EQ(s3_error_of(response).code, code) << body;
  }
}

TEST(ServiceError, OfHeadComesFromTheStatus) {
  const std::vector<std::pair<int, const char*>> cases = {{404, "NoSuchKey"},
                                                          {403, "AccessDenied"},
                                                          {412, "PreconditionFailed"},
                                                          {503, "SlowDown"},
                                                          {400, "HTTP_400"}};
  for (const auto& [status, code] : cases) {
    http::Response response{.status = status};
    base::Error error = s3_error_of(response);
    EXPECT_EQ(error.code, code);
    EXPECT_EQ(error.retryable, status == 503);
  }
}

TEST(ServiceError, SurvivesHostileBodies) {
  for (const std::string& body :
       {std::string("<Error"), std::string("<a><b/></a>"), std::string(100000, '<'),
        std::string("\0<Error>", 8),
        std::string("<!DOCTYPE x [<!ENTITY a \"b\">]><Error><Code>&a;</Code></Error>")}) {
    http::Response response{.status = 500};
    response.body = body;
    EXPECT_TRUE(s3_error_of(response).retryable);
    EXPECT_FALSE(json_error_of(response, body).code.empty());
  }
}

TEST(ServiceError, IsReadFromJson) {
  http::Response response{.status = 400};
  base::Error error = json_error_of(
      response,
      R"({"__type":"com.amazon.coral.service#AccessDeniedException","Message":"no way"})");
  EXPECT_EQ(error.code, "AccessDeniedException");
  EXPECT_EQ(error.message, "no way");
  EXPECT_FALSE(error.retryable);
  EXPECT_TRUE(json_error_of(response, R"({"__type":"x#ThrottlingException"})").retryable);
}

}  // namespace
}  // namespace imgproc::aws
