#include "localcloud/lambda/service.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <minizip/zip.h>

#include <fstream>
#include <future>
#include <sstream>
#include <thread>

#include "base/bytes.h"
#include "base/file.h"
#include "localcloud/lambda/code_store.h"
#include "localcloud/lambda/testing.h"

namespace imgproc::localcloud::lambda {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
namespace json = base::json;

class LambdaServiceTest : public ::testing::Test {
 protected:
  LambdaServiceTest() { code_ = make_function_directory(directory_.path()); }

  void open(std::size_t concurrency = 2,
            std::function<bool(std::string_view)> can_run = lambda::can_run) {
    service_.reset();
    database_.reset();
    database_ = Database::open(directory_.path() / "state.db").value();
    LambdaOptions options;
    options.concurrency = concurrency;
    options.log = log_.sink();
    options.can_run = std::move(can_run);
    options.issue_credentials = [](const FunctionVersion&) -> base::Result<FunctionCredentials> {
      return FunctionCredentials{"ASIATEST", "secret", "token"};
    };
    options.authorize = authorize_;
    service_ =
        LambdaService::create({*database_, clock_, directory_.path()}, std::move(options)).value();
  }
  http::Response call(std::string method, std::string target, std::string body = "",
                      http::Headers headers = {}) {
    return service_->handle(
        {"test", "eu-west-1", "req-" + std::to_string(++requests_)},
        {std::move(method), std::move(target), std::move(headers), std::move(body)});
  }
  static json::object parse(http::Response& response) {
    auto value = base::parse_json(response.body.text);
    EXPECT_TRUE(value) << response.body.text;
    return value && value->is_object() ? value->get_object() : json::object{};
  }
  void create(std::string more = "") {
    auto response = call(
        "POST", "/2015-03-31/functions",
        R"({"FunctionName":"f","Role":"arn:aws:iam::000000000000:role/r","Handler":"bootstrap",)"
        R"("Runtime":"provided.al2023","Timeout":60,"MemorySize":512,"Code":{"S3Bucket":"$local","S3Key":")" +
            code_.string() + "\"},\"Architectures\":[\"" + std::string(machine_architecture()) +
            "\"]" + more + "}");
    ASSERT_EQ(response.status, 201) << response.body.text;
  }
  http::Response invoke(std::string payload, http::Headers headers = {}) {
    return call("POST", "/2015-03-31/functions/f/invocations", std::move(payload),
                std::move(headers));
  }
  /// Waits until the queue holds no event that waits or runs.
  void wait_until_idle() {
    for (;;) {
      auto stats = service_->queue().stats().value();
      if (stats.waiting + stats.running == 0) return;
      std::this_thread::yield();
    }
  }
  void wait_for_invocations(std::uint64_t count) {
    while (service_->metrics().invocations < count) std::this_thread::yield();
  }

  TempDirectory directory_;
  base::ManualClock clock_;
  std::filesystem::path code_;
  LogCapture log_;
  std::unique_ptr<Database> database_;
  decltype(LambdaOptions::authorize) authorize_;
  std::unique_ptr<LambdaService> service_;
  int requests_ = 0;
};

TEST_F(LambdaServiceTest, InvokesAndWaits) {
  open();
  create();
  auto response = invoke("\"hello\"", {{"X-Amz-Log-Type", "Tail"}});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body.text, "\"hello\"");
  EXPECT_EQ(response.headers.get("X-Amz-Executed-Version"), "$LATEST");
  EXPECT_FALSE(response.headers.has("X-Amz-Function-Error"));
  auto tail = base::from_base64(response.headers.get("X-Amz-Log-Result").value_or(""));
  ASSERT_TRUE(tail);
  EXPECT_THAT(*tail, HasSubstr("START RequestId: req-2 Version: $LATEST"));
  EXPECT_EQ(invoke("\"count\"").body.text, "1") << "the environment stays warm";
}

TEST_F(LambdaServiceTest, TakesNameAndArnInEveryForm) {
  open();
  create();
  for (std::string name :
       {"f", "f:$LATEST", "000000000000:function:f",
        "arn:aws:lambda:eu-west-1:000000000000:function:f",
        "arn%3Aaws%3Alambda%3Aeu-west-1%3A000000000000%3Afunction%3Af", "f?Qualifier=$LATEST"}) {
    std::string query = name.find('?') == std::string::npos ? "" : name.substr(name.find('?'));
    std::string target =
        "/2015-03-31/functions/" + name.substr(0, name.find('?')) + "/invocations" + query;
    EXPECT_EQ(call("POST", target, "1").status, 200) << name;
  }
  auto missing = call("POST", "/2015-03-31/functions/g/invocations", "1");
  EXPECT_EQ(missing.status, 404);
  EXPECT_THAT(missing.body.text, HasSubstr("arn:aws:lambda:us-east-1:000000000000:function:g"));
  EXPECT_EQ(call("POST", "/2015-03-31/functions/f:9/invocations", "1").status, 404);
  EXPECT_EQ(call("POST", "/2015-03-31/functions/a%20b/invocations", "1").status, 400);
}

TEST_F(LambdaServiceTest, RefusesAnArchitectureThatCannotRunHere) {
  open(2, [](std::string_view architecture) { return architecture != "arm64"; });
  auto response = call(
      "POST", "/2015-03-31/functions",
      R"({"FunctionName":"f","Role":"arn:aws:iam::000000000000:role/r","Handler":"bootstrap",)"
      R"("Runtime":"provided.al2023","Architectures":["arm64"],"Code":{"S3Bucket":"$local","S3Key":")" +
          code_.string() + "\"}}");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.headers.get("X-Amzn-ErrorType"), "InvalidParameterValueException");
  EXPECT_THAT(response.body.text, HasSubstr("cannot run functions for arm64"));
  EXPECT_EQ(call("GET", "/2015-03-31/functions/f").status, 404);
  create();
  response =
      call("PUT", "/2015-03-31/functions/f/code",
           R"({"Architectures":["arm64"],"S3Bucket":"$local","S3Key":")" + code_.string() + "\"}");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(invoke("1").status, 200) << "nothing changed";
}

TEST_F(LambdaServiceTest, PassesAFunctionsErrorOn) {
  open();
  create();
  auto response = invoke("\"error\"");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.get("X-Amz-Function-Error"), "Unhandled");
  EXPECT_THAT(response.body.text, HasSubstr("Test.Error"));
}

TEST_F(LambdaServiceTest, RefusesBadInvocations) {
  open();
  create();
  EXPECT_EQ(invoke("not json").status, 400);
  EXPECT_EQ(invoke("1", {{"X-Amz-Invocation-Type", "Later"}}).status, 400);
  EXPECT_EQ(invoke(std::string(kSyncPayloadBytesMax + 1, '1')).status, 413);
  EXPECT_EQ(invoke("\"" + std::string(kAsyncPayloadBytesMax, 'x') + "\"",
                   {{"X-Amz-Invocation-Type", "Event"}})
                .status,
            413);
  EXPECT_EQ(invoke("1", {{"X-Amz-Invocation-Type", "DryRun"}}).status, 204);
  EXPECT_EQ(call("PATCH", "/2015-03-31/functions/f").status, 501);
}

TEST_F(LambdaServiceTest, StartsAfreshAfterACrash) {
  open();
  create();
  std::string first = invoke("\"pid\"").body.text;
  EXPECT_EQ(invoke("\"exit\"").headers.get("X-Amz-Function-Error"), "Unhandled");
  EXPECT_NE(invoke("\"pid\"").body.text, first);
}

TEST_F(LambdaServiceTest, RunsAsynchronousEvents) {
  open();
  create();
  service_->start("http://127.0.0.1:1", nullptr);
  EXPECT_EQ(invoke("\"print\"", {{"X-Amz-Invocation-Type", "Event"}}).status, 202);
  ASSERT_TRUE(log_.wait_for("to standard output"));
  wait_until_idle();
  EXPECT_EQ(service_->metrics().errors, 0U);
}

TEST_F(LambdaServiceTest, RetriesOnAwsScheduleAndKeepsTheDeadLetter) {
  open(1);
  create();
  service_->start("http://127.0.0.1:1", nullptr);
  EXPECT_EQ(invoke("\"error\"", {{"X-Amz-Invocation-Type", "Event"}}).status, 202);
  wait_for_invocations(1);
  while (service_->metrics().retries < 1) std::this_thread::yield();
  clock_.advance(seconds(60));
  wait_for_invocations(2);
  while (service_->metrics().retries < 2) std::this_thread::yield();
  clock_.advance(seconds(120));
  wait_for_invocations(3);
  wait_until_idle();
  auto letters = service_->queue().dead_letters(10).value();
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].event.payload, "\"error\"");
  EXPECT_EQ(letters[0].condition, "RetriesExhausted");
  EXPECT_EQ(letters[0].failure.error_type, "Test.Error");
}

TEST_F(LambdaServiceTest, RunsAfterARestartWhatAnEventSourceEnqueued) {
  open();
  create();
  ASSERT_TRUE(database_->write([&](Connection& connection) {
    return service_->enqueue(connection, "arn:aws:lambda:eu-west-1:000000000000:function:f",
                             "\"print\"");
  }));
  open();
  service_->start("http://127.0.0.1:1", nullptr);
  EXPECT_TRUE(log_.wait_for("to standard output"));
  wait_until_idle();
}

TEST_F(LambdaServiceTest, OneWakeUpSetsAllDueEventsGoing) {
  open(2);
  create();
  service_->start("http://127.0.0.1:1", nullptr);
  ASSERT_TRUE(database_->write([&](Connection& connection) -> base::Status {
    for (int i = 0; i < 2; ++i)
      IMGPROC_CHECK(service_->enqueue(
          connection, "arn:aws:lambda:eu-west-1:000000000000:function:f", "\"hang\""));
    return {};
  }));
  service_->wake();
  auto since = std::chrono::steady_clock::now();
  while (service_->environments().busy < 2 &&
         std::chrono::steady_clock::now() - since < seconds(30))
    std::this_thread::yield();
  EXPECT_EQ(service_->environments().busy, 2U);
  service_->stop();
}

TEST_F(LambdaServiceTest, KeepsEventsOfFunctionsThatDoNotExist) {
  open();
  ASSERT_TRUE(database_->write([&](Connection& connection) {
    return service_->enqueue(connection, "arn:aws:lambda:eu-west-1:000000000000:function:gone",
                             "1");
  }));
  EXPECT_EQ(service_->queue().dead_letters(10).value().at(0).condition, "FunctionNotFound");
}

TEST_F(LambdaServiceTest, ShuttingDownIsNotAnAttempt) {
  open(1);
  create();
  service_->start("http://127.0.0.1:1", nullptr);
  EXPECT_EQ(invoke("\"hang\"", {{"X-Amz-Invocation-Type", "Event"}}).status, 202);
  ASSERT_TRUE(log_.wait_for("hanging"));
  service_->stop();
  auto stats = service_->queue().stats().value();
  EXPECT_EQ(stats.waiting, 1);
  EXPECT_EQ(stats.dead_letters, 0);
  EXPECT_EQ(service_->queue().claim("f").value()->attempts, 0);
}

TEST_F(LambdaServiceTest, ThrottlesByReservedConcurrency) {
  open(4);
  create();
  EXPECT_EQ(
      call("PUT", "/2017-10-31/functions/f/concurrency", R"({"ReservedConcurrentExecutions":1})")
          .status,
      200);
  auto hanging = std::async(std::launch::async, [&] { return invoke("\"hang\""); });
  ASSERT_TRUE(log_.wait_for("hanging"));
  auto refused = invoke("1");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.headers.get("X-Amzn-ErrorType"), "TooManyRequestsException");
  clock_.advance(seconds(60));
  EXPECT_THAT(hanging.get().body.text, HasSubstr("Task timed out after 60.00 seconds"));
  EXPECT_EQ(invoke("1").status, 200);
}

TEST_F(LambdaServiceTest, ReservedConcurrencyZeroSendsEventsToTheDeadLetters) {
  open();
  create();
  EXPECT_EQ(
      call("PUT", "/2017-10-31/functions/f/concurrency", R"({"ReservedConcurrentExecutions":0})")
          .status,
      200);
  EXPECT_EQ(invoke("1").status, 429);
  service_->start("http://127.0.0.1:1", nullptr);
  EXPECT_EQ(invoke("1", {{"X-Amz-Invocation-Type", "Event"}}).status, 202);
  wait_until_idle();
  EXPECT_EQ(service_->queue().dead_letters(10).value().at(0).condition, "ZeroReservedConcurrency");
}

TEST_F(LambdaServiceTest, ARoleWithoutTheRightsIsRefusedAsOnAws) {
  std::string missing;
  authorize_ = [&](std::string_view role, std::string_view session, std::string_view action,
                   std::string_view resource) -> base::Status {
    EXPECT_EQ(role, "arn:aws:iam::000000000000:role/r");
    EXPECT_EQ(session, "f");
    if (action != missing) return {};
    return base::permanent("AccessDenied", fmt::format("no {} on {}", action, resource));
  };
  open();
  create();
  const std::string target = "/2015-03-31/functions/f/configuration";
  const std::string dead_letters =
      R"({"DeadLetterConfig":{"TargetArn":"arn:aws:sqs:eu-west-1:000000000000:q"}})";
  missing = "sqs:SendMessage";
  auto refused = call("PUT", target, dead_letters);
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body.text,
              HasSubstr("does not have permissions to call SendMessage on SQS (no sqs:SendMessage "
                        "on arn:aws:sqs:eu-west-1:000000000000:q)"));
  EXPECT_THAT(call("PUT", "/2019-09-25/functions/f/event-invoke-config",
                   R"({"DestinationConfig":{"OnFailure":{"Destination":)"
                   R"("arn:aws:sqs:eu-west-1:000000000000:q"}}})")
                  .body.text,
              HasSubstr("permissions to call SendMessage on arn:aws:sqs"));
  for (std::string name : {"PutTraceSegments", "PutTelemetryRecords"}) {
    missing = "xray:" + name;
    EXPECT_THAT(call("PUT", target, R"({"TracingConfig":{"Mode":"Active"}})").body.text,
                HasSubstr("permissions to call " + name + " on XRAY"));
  }
  for (std::string name : {"CreateLogStream", "PutLogEvents"}) {
    missing = "logs:" + name;
    call("PUT", target, R"({"Timeout":50})");  // a new environment
    EXPECT_EQ(invoke("\"print\"").body.text, "\"print\"");
    EXPECT_TRUE(log_.lines().empty()) << name;
  }
  missing = "";
  EXPECT_EQ(call("PUT", target, dead_letters).status, 200);
  (void)invoke("\"print\"");
  EXPECT_FALSE(log_.lines().empty());
}

TEST_F(LambdaServiceTest, StopsIdleEnvironments) {
  open();
  create();
  int pid = std::stoi(invoke("\"pid\"").body.text);
  EXPECT_EQ(service_->environments().idle, 1U);
  while (clock_.waiters() == 0) std::this_thread::yield();
  clock_.advance(kIdleTimeout);
  while (service_->environments().idle != 0) std::this_thread::yield();
  EXPECT_NE(std::stoi(invoke("\"pid\"").body.text), pid);
}

TEST_F(LambdaServiceTest, AnswersWhatTerraformReads) {
  open();
  create(
      R"(,"Tags":{"a":"b"},"DeadLetterConfig":{"TargetArn":"arn:aws:sqs:eu-west-1:000000000000:q"},)"
      R"("LoggingConfig":{"LogFormat":"JSON","SystemLogLevel":"WARN"},"TracingConfig":{"Mode":"Active"},)"
      R"("EphemeralStorage":{"Size":1024},"Environment":{"Variables":{"A":"1"}},"Description":"d")");
  auto response = call("GET", "/2015-03-31/functions/f");
  json::object answer = parse(response);
  json::object configuration = answer.at("Configuration").get_object();
  EXPECT_EQ(configuration.at("FunctionArn"), "arn:aws:lambda:eu-west-1:000000000000:function:f");
  EXPECT_EQ(configuration.at("State"), "Active");
  EXPECT_EQ(configuration.at("LastUpdateStatus"), "Successful");
  EXPECT_EQ(configuration.at("PackageType"), "Zip");
  EXPECT_EQ(configuration.at("Version"), "$LATEST");
  EXPECT_EQ(configuration.at("Architectures"), json::value({"x86_64"}));
  EXPECT_EQ(configuration.at("EphemeralStorage"), (json::value{{"Size", 1024}}));
  EXPECT_EQ(configuration.at("TracingConfig"), (json::value{{"Mode", "Active"}}));
  EXPECT_EQ(configuration.at("DeadLetterConfig"),
            (json::value{{"TargetArn", "arn:aws:sqs:eu-west-1:000000000000:q"}}));
  EXPECT_EQ(configuration.at("Environment"), (json::value{{"Variables", {{"A", "1"}}}}));
  EXPECT_EQ(configuration.at("LoggingConfig"), (json::value{{"LogFormat", "JSON"},
                                                            {"LogGroup", "/aws/lambda/f"},
                                                            {"ApplicationLogLevel", "INFO"},
                                                            {"SystemLogLevel", "WARN"}}));
  EXPECT_EQ(answer.at("Tags"), (json::value{{"a", "b"}}));
  EXPECT_TRUE(answer.contains("Code"));
  EXPECT_FALSE(answer.contains("Concurrency"));

  auto versions = call("GET", "/2015-03-31/functions/f/versions?MaxItems=10000");
  EXPECT_THAT(versions.body.text, HasSubstr("function:f:$LATEST"));
  EXPECT_EQ(call("GET", "/2020-06-30/functions/f/code-signing-config").status, 200);
  EXPECT_EQ(call("GET", "/2015-03-31/functions/f/policy").status, 404);
  EXPECT_EQ(call("GET", "/2019-09-25/functions/f/event-invoke-config").status, 404);
}

TEST_F(LambdaServiceTest, KeepsEverythingOverARestart) {
  open();
  create();
  call("PUT", "/2017-10-31/functions/f/concurrency", R"({"ReservedConcurrentExecutions":7})");
  call(
      "PUT", "/2019-09-25/functions/f/event-invoke-config",
      R"({"MaximumRetryAttempts":1,"MaximumEventAgeInSeconds":600,"DestinationConfig":{"OnFailure":{"Destination":"arn:aws:sqs:eu-west-1:000000000000:q"}}})");
  call(
      "POST", "/2015-03-31/functions/f/policy",
      R"({"StatementId":"s","Action":"lambda:InvokeFunction","Principal":"s3.amazonaws.com","SourceArn":"arn:aws:s3:::b"})");
  call("POST", "/2015-03-31/functions/f/versions", "{}");
  open();
  EXPECT_EQ(call("GET", "/2019-09-30/functions/f/concurrency").body.text,
            R"({"ReservedConcurrentExecutions":7})");
  auto config = call("GET", "/2019-09-25/functions/f/event-invoke-config");
  EXPECT_THAT(config.body.text,
              HasSubstr(R"("MaximumRetryAttempts":1,"MaximumEventAgeInSeconds":600)"));
  EXPECT_THAT(config.body.text, HasSubstr("function:f:$LATEST"));
  EXPECT_THAT(call("GET", "/2015-03-31/functions/f/policy").body.text,
              HasSubstr("s3.amazonaws.com"));
  EXPECT_EQ(call("POST", "/2015-03-31/functions/f:1/invocations", "1")
                .headers.get("X-Amz-Executed-Version"),
            "1");
  EXPECT_EQ(call("DELETE", "/2015-03-31/functions/f/policy/s").status, 204);
  EXPECT_EQ(call("DELETE", "/2015-03-31/functions/f").status, 204);
  open();
  EXPECT_EQ(call("GET", "/2015-03-31/functions/f").status, 404);
}

TEST_F(LambdaServiceTest, LetsServicesInvokeThatItsPolicyNames) {
  open();
  create();
  const std::string arn = "arn:aws:lambda:eu-west-1:000000000000:function:f";
  auto lets = [&](std::string_view service, std::string_view source) {
    return service_->lets_invoke(arn, service, source);
  };
  auto add = [&](const std::string& more) {
    return call("POST", "/2015-03-31/functions/f/policy",
                R"({"StatementId":"s","Principal":"s3.amazonaws.com")" + more + "}")
        .status;
  };
  auto remove = [&] { return call("DELETE", "/2015-03-31/functions/f/policy/s").status; };
  EXPECT_FALSE(lets("s3.amazonaws.com", "arn:aws:s3:::b"));
  EXPECT_EQ(add(R"(,"Action":"lambda:InvokeFunction","SourceArn":"arn:aws:s3:::b*",)"
                R"("SourceAccount":"000000000000")"),
            201);
  EXPECT_TRUE(lets("s3.amazonaws.com", "arn:aws:s3:::b"));
  EXPECT_TRUE(lets("s3.amazonaws.com", "arn:aws:s3:::bucket"));
  EXPECT_FALSE(lets("s3.amazonaws.com", "arn:aws:s3:::other"));
  EXPECT_FALSE(lets("sns.amazonaws.com", "arn:aws:s3:::b"));
  EXPECT_FALSE(service_->lets_invoke(arn + ":1", "s3.amazonaws.com", "arn:aws:s3:::b"));
  EXPECT_FALSE(service_->lets_invoke("arn:aws:lambda:eu-west-1:000000000000:function:g",
                                     "s3.amazonaws.com", "arn:aws:s3:::b"));
  EXPECT_EQ(remove(), 204);
  EXPECT_FALSE(lets("s3.amazonaws.com", "arn:aws:s3:::b"));
  EXPECT_EQ(add(R"(,"Action":"lambda:InvokeFunction","SourceAccount":"111122223333")"), 201);
  EXPECT_FALSE(lets("s3.amazonaws.com", "arn:aws:s3:::b")) << "another account's bucket";
  EXPECT_EQ(remove(), 204);
  EXPECT_EQ(add(R"(,"Action":"lambda:GetFunction")"), 201);
  EXPECT_FALSE(lets("s3.amazonaws.com", "arn:aws:s3:::b"));
  EXPECT_EQ(remove(), 204);
  EXPECT_EQ(add(R"(,"Action":"lambda:*")"), 201);
  EXPECT_TRUE(lets("s3.amazonaws.com", "arn:aws:s3:::b"));
}

TEST_F(LambdaServiceTest, UpdatesAndPublishes) {
  open();
  create();
  auto updated = call("PUT", "/2015-03-31/functions/f/configuration",
                      R"({"MemorySize":256,"Environment":{"Variables":{"B":"2"}}})");
  EXPECT_EQ(parse(updated).at("MemorySize"), 256);
  EXPECT_EQ(parse(updated).at("Timeout"), 60) << "what is not named stays";
  EXPECT_THAT(invoke("\"environment\"").body.text, HasSubstr("B=2\n"));
  auto first = call("POST", "/2015-03-31/functions/f/versions", "{}");
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(parse(first).at("Version"), "1");
  auto same = call("POST", "/2015-03-31/functions/f/versions", "{}");
  EXPECT_EQ(parse(same).at("Version"), "1") << "nothing changed";
  call("PUT", "/2015-03-31/functions/f/configuration", R"({"MemorySize":300})");
  auto second = call("POST", "/2015-03-31/functions/f/versions", "{}");
  EXPECT_EQ(parse(second).at("Version"), "2");
}

TEST_F(LambdaServiceTest, RefusesBadSettings) {
  open();
  create();
  EXPECT_EQ(call("PUT", "/2015-03-31/functions/f/configuration", R"({"Timeout":901})").status, 400);
  EXPECT_EQ(call("PUT", "/2015-03-31/functions/f/configuration", R"({"MemorySize":64})").status,
            400);
  EXPECT_EQ(call("PUT", "/2015-03-31/functions/f/configuration",
                 R"({"Environment":{"Variables":{"AWS_REGION":"x"}}})")
                .status,
            400);
  EXPECT_EQ(call("PUT", "/2015-03-31/functions/f/configuration", R"({"Layers":["arn:x"]})").status,
            501);
  EXPECT_EQ(
      call("PUT", "/2015-03-31/functions/f/configuration", R"({"Runtime":"python3.13"})").status,
      501);
  EXPECT_EQ(call("POST", "/2015-03-31/functions", R"({"FunctionName":"f"})").status, 409);
  EXPECT_EQ(call("POST", "/2015-03-31/functions", "[]").status, 400);
}

TEST_F(LambdaServiceTest, TagsByArn) {
  open();
  create();
  std::string target =
      "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aeu-west-1%3A000000000000%3Afunction%3Af";
  EXPECT_EQ(call("POST", target, R"({"Tags":{"Env":"test","x":"y"}})").status, 204);
  EXPECT_EQ(call("DELETE", target + "?tagKeys=Env").status, 204);
  EXPECT_EQ(call("GET", target).body.text, R"({"Tags":{"x":"y"}})");
  EXPECT_EQ(
      call("GET", "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aeu-west-1%3A0%3Afunction%3Ano").status,
      404);
}

class CodeStoreTest : public ::testing::Test {
 protected:
  struct Entry {
    std::string name;
    std::string content;
    unsigned mode = 0644;
  };
  std::string make_zip(const std::vector<Entry>& entries) {
    auto path = directory_.path() / "made.zip";
    zipFile zip = zipOpen64(path.c_str(), APPEND_STATUS_CREATE);
    for (const Entry& entry : entries) {
      zip_fileinfo info{};
      info.external_fa = static_cast<uLong>(entry.mode) << 16U;
      zipOpenNewFileInZip64(zip, entry.name.c_str(), &info, nullptr, 0, nullptr, 0, nullptr,
                            Z_DEFLATED, 6, 0);
      zipWriteInFileInZip(zip, entry.content.data(), static_cast<unsigned>(entry.content.size()));
      zipCloseFileInZip(zip);
    }
    zipClose(zip, nullptr);
    return base::read_file(path).value();
  }
  TempDirectory directory_;
};

TEST_F(CodeStoreTest, UnpacksWithExecutableBits) {
  std::string zip = make_zip({{"bootstrap", "#!/bin/sh\n", 0755}, {"lib/data.txt", "x"}});
  auto code = unpack_code(zip, directory_.path() / "code");
  ASSERT_TRUE(code) << code.error().describe();
  EXPECT_EQ(code->bytes, zip.size());
  using std::filesystem::perms;
  EXPECT_NE(
      std::filesystem::status(code->directory / "bootstrap").permissions() & perms::owner_exec,
      perms::none);
  EXPECT_EQ(
      std::filesystem::status(code->directory / "lib/data.txt").permissions() & perms::owner_exec,
      perms::none);
  EXPECT_EQ(unpack_code(zip, directory_.path() / "code")->directory, code->directory);
}

TEST_F(CodeStoreTest, RefusesWhatLeavesTheFolderAndLeavesNothingBehind) {
  for (const char* name :
       {"../evil", "/evil", "a/../../evil", "a//b", "./a", "a\\b", "a/./b", "..", "a/.."})
    EXPECT_FALSE(unpack_code(make_zip({{name, "x"}}), directory_.path() / "code")) << name;
  EXPECT_FALSE(
      unpack_code(make_zip({{"link", "/etc/passwd", 0120777}}), directory_.path() / "code"));
  EXPECT_FALSE(unpack_code(make_zip({{"a", "x"}, {"a", "y"}}), directory_.path() / "code"));
  EXPECT_FALSE(unpack_code(make_zip({{"a", "x"}, {"a/b", "y"}}), directory_.path() / "code"));
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path() / "code"));
}

TEST_F(CodeStoreTest, RefusesDamage) {
  EXPECT_FALSE(unpack_code("", directory_.path() / "code"));
  EXPECT_FALSE(unpack_code("not a zip", directory_.path() / "code"));
  std::string zip = make_zip({{"bootstrap", std::string(1000, 'x')}});
  EXPECT_FALSE(unpack_code(zip.substr(0, zip.size() / 2), directory_.path() / "code"));
  // One bit of the compressed data.
  zip[50] = static_cast<char>(zip[50] ^ 1);
  EXPECT_FALSE(unpack_code(zip, directory_.path() / "code"));
}

TEST_F(CodeStoreTest, KeepsFoldersAsLongAsSomebodyHoldsThem) {
  const auto root = directory_.path() / "code";
  std::filesystem::create_directories(root / ".unpacking-1");
  CodeStore store(root);
  EXPECT_TRUE(std::filesystem::is_empty(root)) << "what was left half-done";
  const std::string zip = make_zip({{"bootstrap", "x"}});
  auto code = store.unpack(zip).value();
  auto copy = store.unpack(zip).value();
  code = {};
  store.remove_unused();
  EXPECT_TRUE(std::filesystem::exists(copy.directory / "bootstrap"));
  copy = {};
  store.remove_unused();
  EXPECT_TRUE(std::filesystem::is_empty(root));
  EXPECT_TRUE(std::filesystem::exists(store.unpack(zip).value().directory / "bootstrap"));
}

TEST_F(CodeStoreTest, KnowsWhatAnEarlierProcessUnpacked) {
  const auto root = directory_.path() / "code";
  FunctionCode kept = CodeStore(root).unpack(make_zip({{"bootstrap", "x"}})).value();
  kept.hold.reset();
  const auto unused = CodeStore(root).unpack(make_zip({{"bootstrap", "y"}})).value().directory;
  CodeStore store(root);
  store.hold(kept);
  store.remove_unused();
  EXPECT_TRUE(std::filesystem::exists(kept.directory));
  EXPECT_FALSE(std::filesystem::exists(unused));
}

TEST_F(CodeStoreTest, RefusesABombWhileItUnpacks) {
  std::string zip = make_zip({{"zeros", std::string(kUnpackedBytesMax + 1, '\0')}});
  EXPECT_LT(zip.size(), kPackageBytesMax);
  auto code = unpack_code(zip, directory_.path() / "code");
  ASSERT_FALSE(code);
  EXPECT_THAT(code.error().message, HasSubstr("Unzipped size"));
}

}  // namespace
}  // namespace imgproc::localcloud::lambda
