#include "localcloud/lambda/runtime_api.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace imgproc::localcloud::lambda {
namespace {

using std::chrono::seconds;

http::Request get_next() {
  return {"GET", "/2018-06-01/runtime/invocation/next", {}, {}};
}
http::Request post(std::string path, std::string body, http::Headers headers = {}) {
  return {"POST", "/2018-06-01/runtime/" + path, std::move(headers), std::move(body)};
}

class RuntimeApiTest : public ::testing::Test {
 protected:
  int status(http::Request request) { return api_.send(std::move(request)).value().status; }
  /// Starts an invocation that another thread waits for.
  std::future<RuntimeApi::Wait> begin(std::string id, std::string payload = "{}") {
    // An environment invokes only what is initialized.
    EXPECT_EQ(api_.wait_initialized(clock_.steady() + seconds(10)), RuntimeApi::Wait::done);
    InvocationRequest request{std::move(id), "arn:aws:lambda:us-east-1:000000000000:function:f",
                              "Root=1-2-3", "", std::move(payload)};
    return std::async(std::launch::async,
                      [this, request] { return api_.invoke(request, seconds(3)); });
  }
  std::future<http::Response> poll() {
    return std::async(std::launch::async, [this] { return api_.send(get_next()).value(); });
  }
  void wait_for_waiters(std::size_t count) {
    while (clock_.waiters() < count) std::this_thread::yield();
  }

  base::ManualClock clock_;
  RuntimeApi api_{clock_};
};

TEST_F(RuntimeApiTest, HandsOverAnInvocationWithItsHeadersAndTakesTheAnswer) {
  auto polled = poll();
  auto invoked = begin("id-1", R"({"a":1})");
  http::Response event = polled.get();
  EXPECT_EQ(event.status, 200);
  EXPECT_EQ(event.body.text, R"({"a":1})");
  EXPECT_EQ(event.headers.get("Lambda-Runtime-Aws-Request-Id"), "id-1");
  EXPECT_EQ(event.headers.get("Lambda-Runtime-Trace-Id"), "Root=1-2-3");
  EXPECT_EQ(event.headers.get("Lambda-Runtime-Deadline-Ms"),
            std::to_string((clock_.now() + seconds(3)).time_since_epoch().count()));
  EXPECT_EQ(event.headers.get("Lambda-Runtime-Invoked-Function-Arn"),
            "arn:aws:lambda:us-east-1:000000000000:function:f");
  EXPECT_EQ(status(post("invocation/id-1/response", "done")), 202);
  EXPECT_EQ(invoked.get(), RuntimeApi::Wait::done);
  auto report = api_.take_report();
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->error);
  EXPECT_EQ(report->payload, "done");
}

TEST_F(RuntimeApiTest, TakesAnErrorWithItsType) {
  auto polled = poll();
  auto invoked = begin("id-1");
  polled.get();
  EXPECT_EQ(status(post("invocation/id-1/error", R"({"errorType":"E"})",
                        {{"Lambda-Runtime-Function-Error-Type", "Function.Broken"}})),
            202);
  EXPECT_EQ(invoked.get(), RuntimeApi::Wait::done);
  auto report = api_.take_report();
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->error);
  EXPECT_EQ(report->error_type, "Function.Broken");
}

TEST_F(RuntimeApiTest, RefusesWhatDoesNotFitTheState) {
  auto polled = poll();
  auto invoked = begin("id-1");
  polled.get();
  EXPECT_EQ(status(post("invocation/other/response", "x")), 400);
  EXPECT_EQ(status(get_next()), 403) << "next while running";
  EXPECT_EQ(status(post("init/error", "{}")), 403) << "init error after init";
  EXPECT_EQ(status(post("invocation/id-1/response", "x")), 202);
  EXPECT_EQ(status(post("invocation/id-1/response", "x")), 403) << "second answer";
  EXPECT_EQ(status(post("invocation/id-1/error", "x")), 403) << "error after answer";
  EXPECT_EQ(invoked.get(), RuntimeApi::Wait::done);
}

TEST_F(RuntimeApiTest, RefusesUnknownPathsAndMethods) {
  EXPECT_EQ(status({"GET", "/", {}, {}}), 404);
  EXPECT_EQ(status({"GET", "/2018-06-01/runtime/invocation/x/response", {}, {}}), 405);
  EXPECT_EQ(status({"POST", "/2018-06-01/runtime/invocation/next", {}, {}}), 405);
  EXPECT_EQ(status(post("invocation/x/other", "")), 404);
  EXPECT_EQ(status(post("invocation/x", "")), 404);
  EXPECT_EQ(status(post("invocation//response", "")), 400);
}

TEST_F(RuntimeApiTest, ReportsAnInitError) {
  EXPECT_EQ(status(post("init/error", R"({"errorMessage":"no config"})",
                        {{"Lambda-Runtime-Function-Error-Type", "Runtime.NoConfig"}})),
            202);
  EXPECT_EQ(api_.wait_initialized(clock_.steady()), RuntimeApi::Wait::done);
  EXPECT_FALSE(api_.initialized());
  EXPECT_EQ(api_.take_report()->error_type, "Runtime.NoConfig");
  EXPECT_EQ(status(get_next()), 403);
  EXPECT_EQ(status(post("init/error", "{}")), 403);
}

TEST_F(RuntimeApiTest, TimesOutByTheClockAndRefusesTheLateAnswer) {
  auto polled = poll();
  auto invoked = begin("id-1");
  polled.get();
  wait_for_waiters(1);
  clock_.advance(std::chrono::milliseconds(2999));
  EXPECT_EQ(invoked.wait_for(seconds(0)), std::future_status::timeout);
  clock_.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(invoked.get(), RuntimeApi::Wait::timed_out);
  EXPECT_TRUE(api_.taken());
}

TEST_F(RuntimeApiTest, InitTimesOutByTheClock) {
  auto waiting = std::async(std::launch::async,
                            [&] { return api_.wait_initialized(clock_.steady() + seconds(10)); });
  wait_for_waiters(1);
  clock_.advance(seconds(10));
  EXPECT_EQ(waiting.get(), RuntimeApi::Wait::timed_out);
}

TEST_F(RuntimeApiTest, AnswerTooLargeBecomesAnError) {
  auto polled = poll();
  auto invoked = begin("id-1");
  polled.get();
  EXPECT_EQ(status(post("invocation/id-1/response", std::string(kResponseBytesMax + 1, 'x'))), 413);
  EXPECT_EQ(invoked.get(), RuntimeApi::Wait::done);
  auto report = api_.take_report();
  EXPECT_TRUE(report->error);
  EXPECT_EQ(report->error_type, "Function.ResponseSizeTooLarge");
}

TEST_F(RuntimeApiTest, StoppingEndsTheLongPollAndTheInvocation) {
  auto polled = poll();
  auto invoked = begin("id-1");
  polled.get();
  api_.stop();
  EXPECT_EQ(invoked.get(), RuntimeApi::Wait::stopped);
  EXPECT_EQ(status(post("invocation/id-1/response", "late")), 202);
}

}  // namespace
}  // namespace imgproc::localcloud::lambda
