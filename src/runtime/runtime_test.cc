#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>

#include "base/json.h"
#include "http/fake_exchange_test.h"
#include "runtime/loop.h"

namespace imgproc::runtime {
namespace {

using http::FakeExchange;

http::Headers event_headers(const std::string& id = "r-1") {
  return {
      {"Lambda-Runtime-Aws-Request-Id", id},
      {"Lambda-Runtime-Deadline-Ms", "1767225660000"},
      {"Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:000000000000:function:f"},
      {"Lambda-Runtime-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"},
      {"Lambda-Runtime-Client-Context", "{}"},
      {"Lambda-Runtime-Cognito-Identity", "c"}};
}

class Client : public testing::Test {
 protected:
  FakeExchange fake_;
  RuntimeClient client_{fake_};
};

TEST_F(Client, NextReadsEveryHeader) {
  fake_.then(200, event_headers(), R"({"a":1})");
  auto invocation = client_.next();
  ASSERT_TRUE(invocation) << invocation.error().describe();
  EXPECT_EQ(fake_.sent()[0].method, "GET");
  EXPECT_EQ(fake_.sent()[0].target, "/2018-06-01/runtime/invocation/next");
  EXPECT_EQ(invocation->request_id, "r-1");
  EXPECT_EQ(invocation->deadline, base::SystemTime{std::chrono::milliseconds{1767225660000}});
  EXPECT_EQ(invocation->function_arn, "arn:aws:lambda:eu-west-1:000000000000:function:f");
  EXPECT_EQ(invocation->trace_id, "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1");
  EXPECT_EQ(invocation->client_context, "{}");
  EXPECT_EQ(invocation->cognito_identity, "c");
  EXPECT_EQ(invocation->payload, R"({"a":1})");
}

TEST_F(Client, OptionalHeadersMayBeMissing) {
  fake_.then(200, {{"lambda-runtime-aws-request-id", "x"}, {"lambda-runtime-deadline-ms", "5"}},
             "null");
  auto invocation = client_.next();
  ASSERT_TRUE(invocation);
  EXPECT_TRUE(invocation->trace_id.empty());
  EXPECT_TRUE(invocation->client_context.empty());
}

TEST_F(Client, NextWithoutRequestIdMakesNoSense) {
  auto headers = event_headers();
  headers.erase("Lambda-Runtime-Aws-Request-Id");
  fake_.then(200, headers, "{}");
  EXPECT_EQ(client_.next().error().code, "BAD_INVOCATION");
}

TEST_F(Client, NextWithoutDeadlineMakesNoSense) {
  for (const char* deadline : {"", "soon", "-1", "99999999999999999999", "9999999999999999999"}) {
    auto headers = event_headers();
    headers.set("Lambda-Runtime-Deadline-Ms", deadline);
    fake_.then(200, headers, "{}");
    EXPECT_EQ(client_.next().error().code, "BAD_INVOCATION") << deadline;
  }
}

TEST_F(Client, NextAnswers403And410EndTheEnvironment) {
  for (int status : {403, 410}) {
    fake_.then(status);
    auto invocation = client_.next();
    EXPECT_EQ(invocation.error().code, kEnvironmentGone);
    EXPECT_FALSE(invocation.error().retryable);
  }
}

TEST_F(Client, NextAnswers5xxMayPass) {
  fake_.then(500, {}, "container error");
  auto error = client_.next().error();
  EXPECT_TRUE(error.retryable);
  EXPECT_NE(error.message.find("container error"), std::string::npos);
}

TEST_F(Client, NextAnswers4xxMayNot) {
  fake_.then(400);
  EXPECT_FALSE(client_.next().error().retryable);
}

TEST_F(Client, NextPassesConnectionErrorsOn) {
  fake_.then_fail({.code = "CONNECT_FAILED", .message = "refused", .retryable = true});
  auto error = client_.next().error();
  EXPECT_EQ(error.code, "CONNECT_FAILED");
  EXPECT_TRUE(error.retryable);
}

TEST_F(Client, NextRefusesEventsBeyondLambdasLimit) {
  fake_.then(200, event_headers(), std::string(kPayloadBytesMax + 1, ' '));
  EXPECT_EQ(client_.next().error().code, "BODY_TOO_LARGE");
  fake_.then(200, event_headers(), std::string(kPayloadBytesMax, ' '));
  EXPECT_TRUE(client_.next());
}

TEST_F(Client, ABrokenEventIsTriedAgain) {
  fake_.then([](const http::Request&) -> base::Result<http::Response> {
    http::Response response{.status = 200, .headers = event_headers()};
    response.body =
        http::Body(std::make_unique<http::BrokenBody>(
                       "{", base::Error{.code = "CONNECTION_CLOSED", .message = "gone"}),
                   9);
    return response;
  });
  EXPECT_TRUE(client_.next().error().retryable);
}

TEST_F(Client, RespondPosts) {
  fake_.then(202);
  ASSERT_TRUE(client_.respond("r-1", R"({"ok":true})"));
  EXPECT_EQ(fake_.sent()[0].method, "POST");
  EXPECT_EQ(fake_.sent()[0].target, "/2018-06-01/runtime/invocation/r-1/response");
  EXPECT_EQ(fake_.sent()[0].body, R"({"ok":true})");
  EXPECT_EQ(fake_.sent()[0].headers.get("Content-Type"), "application/json");
  EXPECT_FALSE(fake_.sent()[0].headers.has("Lambda-Runtime-Function-Error-Type"));
}

TEST_F(Client, RequestIdCannotLeaveItsPlace) {
  fake_.then(202);
  ASSERT_TRUE(client_.respond("../../init/error?x", "null"));
  EXPECT_EQ(fake_.sent()[0].target,
            "/2018-06-01/runtime/invocation/..%2F..%2Finit%2Ferror%3Fx/response");
}

TEST_F(Client, ResponsesBeyondSixMegabytesAreNotSent) {
  EXPECT_EQ(client_.respond("r", std::string(kPayloadBytesMax + 1, ' ')).error().code,
            "RESPONSE_TOO_LARGE");
  EXPECT_TRUE(fake_.sent().empty());
  fake_.then(202);
  EXPECT_TRUE(client_.respond("r", std::string(kPayloadBytesMax, ' ')));
}

TEST_F(Client, RespondTellsARefusal) {
  for (int status : {400, 404, 413}) {
    fake_.then(status);
    auto error = client_.respond("r", "null").error();
    EXPECT_EQ(error.code, "REQUEST_REJECTED");
    EXPECT_FALSE(error.retryable);
  }
  fake_.then(500);
  EXPECT_TRUE(client_.respond("r", "null").error().retryable);
  fake_.then(410);
  EXPECT_EQ(client_.respond("r", "null").error().code, kEnvironmentGone);
}

TEST_F(Client, FailPostsTheError) {
  fake_.then(202);
  ASSERT_TRUE(client_.fail(
      "r-1", {.code = "SlowDown", .message = "busy", .retryable = true, .hint = "wait"}));
  const auto& sent = fake_.sent()[0];
  EXPECT_EQ(sent.target, "/2018-06-01/runtime/invocation/r-1/error");
  EXPECT_EQ(sent.headers.get("Lambda-Runtime-Function-Error-Type"), "SlowDown");
  EXPECT_EQ(sent.body,
            R"j({"errorMessage":"busy (wait)","errorType":"SlowDown","stackTrace":[]})j");
}

TEST_F(Client, ErrorTypesAreFitForAHeader) {
  fake_.then(202);
  ASSERT_TRUE(client_.fail("r", {.code = "Two words\r\nX: y", .message = "m"}));
  EXPECT_EQ(fake_.sent()[0].headers.get("Lambda-Runtime-Function-Error-Type"), "Two_words__X:_y");
  EXPECT_NE(error_json({.code = "", .message = "m"}).find(R"("errorType":"Unknown")"),
            std::string::npos);
}

TEST_F(Client, ErrorTextIsJson) {
  auto json =
      base::parse_json(error_json({.code = "C", .message = "say \"no\"\n\x01", .hint = "é"}));
  ASSERT_TRUE(json);
  EXPECT_EQ(base::json_string(json->get_object(), "errorMessage"), "say \"no\"\n\x01 (é)");
}

TEST_F(Client, InitErrorsHaveTheirOwnPlace) {
  fake_.then(202);
  ASSERT_TRUE(client_.fail_init({.code = "CONFIG_INVALID", .message = "bad"}));
  EXPECT_EQ(fake_.sent()[0].target, "/2018-06-01/runtime/init/error");
  EXPECT_EQ(fake_.sent()[0].headers.get("Lambda-Runtime-Function-Error-Type"), "CONFIG_INVALID");
}

class Loop : public testing::Test {
 protected:
  void event(const std::string& id) {
    fake_.then(200, event_headers(id), "{\"id\":\"" + id + "\"}");
  }

  int run(const Handler& handler, std::function<bool()> stopping = [] { return false; }) {
    std::optional<int> code;
    std::atomic<bool> done = false;
    std::jthread runner([&] {
      RuntimeClient client(fake_);
      code = runtime::run(client, handler, clock_, stopping);
      done = true;
    });
    while (!done) {
      if (clock_.waiters() > 0) clock_.advance(std::chrono::milliseconds{10});
      std::this_thread::yield();
    }
    runner.join();
    return *code;
  }
  std::vector<std::string> targets() const {
    std::vector<std::string> all;
    for (const auto& sent : fake_.sent())
      all.push_back(sent.target.substr(sent.target.find("runtime/") + 8));
    return all;
  }
  static base::Result<std::string> echo(const Invocation& invocation) { return invocation.payload; }
  static base::Error refused() {
    return {.code = "CONNECT_FAILED", .message = "refused", .retryable = true};
  }

  FakeExchange fake_;
  base::ManualClock clock_;
};

TEST_F(Loop, AnswersOneEventAfterTheOther) {
  event("a");
  fake_.then(202);
  event("b");
  fake_.then(202);
  fake_.then(410);
  EXPECT_EQ(run(echo), 0);
  EXPECT_EQ(targets(),
            (std::vector<std::string>{"invocation/next", "invocation/a/response", "invocation/next",
                                      "invocation/b/response", "invocation/next"}));
  EXPECT_EQ(fake_.sent()[3].body, R"({"id":"b"})");
}

TEST_F(Loop, AFailureIsReportedAndTheLoopGoesOn) {
  event("a");
  fake_.then(202);
  event("b");
  fake_.then(202);
  fake_.then(403);
  int calls = 0;
  EXPECT_EQ(run([&](const Invocation& invocation) -> base::Result<std::string> {
              if (++calls == 1) return base::transient("SlowDown", "busy");
              return invocation.request_id;
            }),
            0);
  EXPECT_EQ(targets()[1], "invocation/a/error");
  EXPECT_EQ(targets()[3], "invocation/b/response");
}

TEST_F(Loop, TooLargeAResponseIsAnError) {
  event("a");
  fake_.then(202);
  fake_.then(410);
  EXPECT_EQ(run([](const Invocation&) { return std::string(kPayloadBytesMax + 1, ' '); }), 0);
  EXPECT_EQ(targets()[1], "invocation/a/error");
  EXPECT_NE(fake_.sent()[1].body.find("RESPONSE_TOO_LARGE"), std::string::npos);
}

TEST_F(Loop, LostConnectionIsTriedAgain) {
  fake_.then_fail(refused());
  fake_.then(500);
  event("a");
  fake_.then(202);
  fake_.then(410);
  EXPECT_EQ(run(echo), 0);
  EXPECT_EQ(fake_.sent().size(), 5U);
}

TEST_F(Loop, ADeadRuntimeApiEndsTheProcess) {
  for (int i = 0; i < 20; ++i) fake_.then_fail(refused());
  EXPECT_EQ(run(echo), 1);
  EXPECT_EQ(fake_.sent().size(), static_cast<std::size_t>(kFailuresInRowMax));
}

TEST_F(Loop, FailuresAreCountedInARow) {
  for (int round = 0; round < 3; ++round) {
    for (int i = 1; i < kFailuresInRowMax; ++i) fake_.then_fail(refused());
    event("a");
    fake_.then(202);
  }
  fake_.then(410);
  EXPECT_EQ(run(echo), 0);
}

TEST_F(Loop, ANonsensicalRuntimeApiEndsTheProcess) {
  fake_.then(404, {}, "what?");
  EXPECT_EQ(run(echo), 1);
  EXPECT_EQ(fake_.sent().size(), 1U);
}

TEST_F(Loop, AnAnswerIsDeliveredAgain) {
  event("a");
  fake_.then(500);
  fake_.then_fail(refused());
  fake_.then(202);
  fake_.then(410);
  int calls = 0;
  EXPECT_EQ(run([&](const Invocation&) -> base::Result<std::string> {
              ++calls;
              return "1";
            }),
            0);
  EXPECT_EQ(calls, 1) << "the work itself is not repeated";
  EXPECT_EQ(targets()[3], "invocation/a/response");
}

TEST_F(Loop, AnAnswerThatCannotBeDeliveredEndsTheProcess) {
  event("a");
  for (int i = 0; i < 20; ++i) fake_.then_fail(refused());
  EXPECT_EQ(run(echo), 1);
}

TEST_F(Loop, ARefusedAnswerConcernsThatEventOnly) {
  event("a");
  fake_.then(400, {}, "unknown request");
  event("b");
  fake_.then(202);
  fake_.then(410);
  EXPECT_EQ(run(echo), 0);
  EXPECT_EQ(targets()[3], "invocation/b/response");
}

TEST_F(Loop, StopsBetweenEvents) {
  event("a");
  fake_.then(202);
  bool stop = false;
  EXPECT_EQ(run(
                [&](const Invocation&) -> base::Result<std::string> {
                  stop = true;
                  return "1";
                },
                [&] { return stop; }),
            0);
  EXPECT_EQ(targets().back(), "invocation/a/response") << "the event under way gets its answer";
}

TEST_F(Loop, StopsInsteadOfTryingAgain) {
  bool stop = false;
  fake_.then([&](const http::Request&) -> base::Result<http::Response> {
    stop = true;
    return std::unexpected(refused());
  });
  EXPECT_EQ(run(echo, [&] { return stop; }), 0);
  EXPECT_EQ(fake_.sent().size(), 1U);
}

}  // namespace
}  // namespace imgproc::runtime
