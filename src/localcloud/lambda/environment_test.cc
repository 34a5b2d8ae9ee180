#include "localcloud/lambda/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <future>
#include <thread>

#include "base/file.h"
#include "localcloud/lambda/architecture.h"
#include "localcloud/lambda/testing.h"

namespace imgproc::localcloud::lambda {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

class EnvironmentTest : public ::testing::Test {
 protected:
  EnvironmentTest() {
    function_.name = "resize";
    function_.region = "eu-west-1";
    function_.settings.role = "arn:aws:iam::000000000000:role/resize";
    function_.settings.memory_mb = 512;
    function_.settings.architecture = machine_architecture();
    function_.code.directory = make_function_directory(directory_.path());
  }
  std::unique_ptr<Environment> start() {
    EnvironmentOptions options;
    options.function = std::make_shared<const FunctionVersion>(function_);
    options.endpoint_url = "http://127.0.0.1:4566";
    options.access_key_id = "ASIATEST";
    options.secret_access_key = "secret";
    options.session_token = "token";
    options.scratch_directory = directory_.path() / "scratch";
    options.log = log_.sink();
    auto environment = Environment::start(std::move(options), clock_);
    EXPECT_TRUE(environment) << environment.error().describe();
    return std::move(*environment);
  }
  static InvocationRequest request(std::string payload, std::string id = "id-1") {
    return {std::move(id), "arn:aws:lambda:eu-west-1:000000000000:function:resize", "Root=1-2-3",
            "", std::move(payload)};
  }
  /// Runs an invocation of a function that says "hanging", and lets its time run out.
  Outcome run_into_timeout(Environment& environment, const std::string& payload) {
    auto outcome =
        std::async(std::launch::async, [&] { return environment.invoke(request(payload)); });
    EXPECT_TRUE(log_.wait_for("hanging"));
    while (clock_.waiters() == 0) std::this_thread::yield();
    clock_.advance(seconds(function_.settings.timeout_s));
    return outcome.get();
  }

  TempDirectory directory_;
  base::ManualClock clock_;
  FunctionVersion function_;
  LogCapture log_;
};

TEST_F(EnvironmentTest, AnswersAndStaysWarm) {
  auto environment = start();
  Outcome first = environment->invoke(request("\"count\"", "a"));
  EXPECT_EQ(first.end, Outcome::End::answered) << first.payload;
  EXPECT_EQ(first.payload, "0");
  EXPECT_TRUE(environment->reusable());
  Outcome second = environment->invoke(request("\"count\"", "b"));
  EXPECT_EQ(second.payload, "1") << "the same process";
}

TEST_F(EnvironmentTest, GivesTheProcessLambdasEnvironmentAndNothingElse) {
  ASSERT_EQ(::setenv("IMGPROC_TEST_SECRET", "must not leak", 1), 0);
  function_.settings.variables = {{"TABLE_NAME", "t"}, {"DESTINATION_BUCKET", "d"}};
  auto environment = start();
  std::string text = environment->invoke(request("\"environment\"")).payload;
  ::unsetenv("IMGPROC_TEST_SECRET");
  std::vector<std::string> names;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = text.find('\n', at);
    names.push_back(text.substr(at, text.find('=', at) - at));
    at = end + 1;
  }
  EXPECT_THAT(names, ElementsAre("AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL",
                                 "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME",
                                 "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
                                 "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
                                 "AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_SECRET_ACCESS_KEY",
                                 "AWS_SESSION_TOKEN", "DESTINATION_BUCKET", "LAMBDA_RUNTIME_DIR",
                                 "LAMBDA_TASK_ROOT", "LANG", "LD_LIBRARY_PATH", "PATH",
                                 "TABLE_NAME", "TMPDIR", "TZ", "_HANDLER"));
  EXPECT_THAT(text, HasSubstr("AWS_REGION=eu-west-1\n"));
  EXPECT_THAT(text, HasSubstr("AWS_LAMBDA_FUNCTION_VERSION=$LATEST\n"));
  EXPECT_THAT(text, HasSubstr("AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/resize\n"));
  EXPECT_THAT(text, HasSubstr("AWS_LAMBDA_LOG_STREAM_NAME=2026/01/01/[$LATEST]"));
  EXPECT_THAT(text, HasSubstr("AWS_ENDPOINT_URL=http://127.0.0.1:4566\n"));
  EXPECT_THAT(text, HasSubstr("TZ=:UTC\n"));
}

TEST_F(EnvironmentTest, RunsInTheTaskRoot) {
  auto environment = start();
  EXPECT_EQ(environment->invoke(request("\"directory\"")).payload,
            function_.code.directory.string());
}

TEST_F(EnvironmentTest, LogsAsAwsDoes) {
  auto environment = start();
  Outcome outcome = environment->invoke(request("\"print\"", "id-9"));
  auto lines = log_.lines();
  ASSERT_EQ(lines.size(), 7U);
  EXPECT_EQ(lines[0], "INIT_START Runtime Version: provided.al2023");
  EXPECT_EQ(lines[1], "START RequestId: id-9 Version: $LATEST");
  EXPECT_EQ(lines[2], "to standard output");
  EXPECT_EQ(lines[3], "to standard error");
  EXPECT_EQ(lines[4], "without newline");
  EXPECT_EQ(lines[5], "END RequestId: id-9");
  EXPECT_THAT(lines[6], StartsWith("REPORT RequestId: id-9\tDuration: 0.00 ms\tBilled Duration: "));
  EXPECT_THAT(lines[6], HasSubstr("\tMemory Size: 512 MB\tMax Memory Used: "));
  EXPECT_THAT(lines[6], Not(HasSubstr("Max Memory Used: 0 MB")));
  EXPECT_THAT(outcome.log_tail, HasSubstr("START RequestId: id-9"));
  EXPECT_THAT(outcome.log_tail, HasSubstr("REPORT RequestId: id-9"));
}

TEST_F(EnvironmentTest, LogsJsonWhenAsked) {
  function_.settings.log_format = "JSON";
  auto environment = start();
  (void)environment->invoke(request("1", "id-9"));
  EXPECT_THAT(log_.line_with("platform.start"),
              HasSubstr(R"("record":{"requestId":"id-9","version":"$LATEST"})"));
  EXPECT_THAT(log_.line_with("platform.report"), HasSubstr(R"("memorySizeMB":512)"));
}

TEST_F(EnvironmentTest, PassesTheFunctionsErrorOn) {
  auto environment = start();
  Outcome outcome = environment->invoke(request("\"error\""));
  EXPECT_EQ(outcome.end, Outcome::End::reported_error);
  EXPECT_EQ(outcome.error_type, "Test.Error");
  EXPECT_EQ(outcome.payload, R"({"errorType":"Test.Error","errorMessage":"as asked"})");
  EXPECT_TRUE(environment->reusable()) << "an error of the function does not end its process";
}

TEST_F(EnvironmentTest, TellsHowTheProcessEnded) {
  {
    auto environment = start();
    Outcome outcome = environment->invoke(request("\"exit\""));
    EXPECT_EQ(outcome.end, Outcome::End::exited);
    EXPECT_EQ(
        outcome.payload,
        R"({"errorType":"Runtime.ExitError","errorMessage":"RequestId: id-1 Error: Runtime exited with error: exit status 7"})");
    EXPECT_FALSE(environment->reusable());
    EXPECT_THAT(log_.line_with("REPORT"),
                HasSubstr("Status: error\tError Type: Runtime.ExitError"));
  }
  {
    auto environment = start();
    EXPECT_THAT(environment->invoke(request("\"abort\"")).payload, HasSubstr("signal: aborted"));
  }
  auto environment = start();
  EXPECT_THAT(environment->invoke(request("\"exit0\"")).payload,
              HasSubstr("Runtime exited without providing a reason"));
}

TEST_F(EnvironmentTest, KillsTheWholeGroupAtTheTimeout) {
  function_.settings.timeout_s = 60;
  auto environment = start();
  Outcome outcome = run_into_timeout(*environment, "\"fork-hang\"");
  EXPECT_EQ(outcome.end, Outcome::End::timed_out);
  EXPECT_EQ(
      outcome.payload,
      R"({"errorType":"Sandbox.Timedout","errorMessage":"RequestId: id-1 Error: Task timed out after 60.00 seconds"})");
  EXPECT_FALSE(environment->reusable());
  EXPECT_THAT(log_.line_with("Task timed out"),
              StartsWith("2026-01-01T00:01:00.000Z id-1 Task timed out"));
  EXPECT_THAT(log_.line_with("REPORT"), HasSubstr("Duration: 60000.00 ms"));
  EXPECT_THAT(log_.line_with("REPORT"), HasSubstr("Status: timeout"));
  int child = std::stoi(log_.line_with("child ").substr(6));
  environment.reset();
  // Gone, or a zombie that its new parent has not reaped.
  auto alive = [&] {
    auto stat = std::filesystem::path("/proc") / std::to_string(child) / "stat";
    std::FILE* file = std::fopen(stat.c_str(), "r");
    if (file == nullptr) return false;
    char state = 'Z';
    [[maybe_unused]] int fields = std::fscanf(file, "%*d (%*[^)]) %c", &state);
    std::fclose(file);
    return state != 'Z' && state != 'X';
  };
  while (alive()) std::this_thread::yield();
}

TEST_F(EnvironmentTest, KillsAProcessThatTakesTooMuchMemory) {
  function_.settings.memory_mb = 128;
  auto environment = start();
  Outcome outcome = environment->invoke(request("\"memory\""));
  EXPECT_EQ(outcome.end, Outcome::End::exited);
  EXPECT_EQ(outcome.error_type, "Runtime.OutOfMemory");
  EXPECT_THAT(outcome.payload, HasSubstr("signal: killed"));
  EXPECT_GT(outcome.memory_bytes_peak, 128U << 20U);
}

TEST_F(EnvironmentTest, TriesAFailedInitializationOnceMoreAndReportsBoth) {
  function_.settings.variables = {{"TEST_INIT", "error"}};
  Outcome outcome = start()->invoke(request("1", "id-9"));
  EXPECT_EQ(outcome.end, Outcome::End::reported_error);
  EXPECT_EQ(outcome.error_type, "Test.Init");
  EXPECT_EQ(outcome.payload, R"({"errorType":"Test.Init","errorMessage":"no"})");
  EXPECT_THAT(log_.lines(),
              ElementsAre("INIT_START Runtime Version: provided.al2023",
                          "INIT_REPORT Init Duration: 0.00 ms\tPhase: init\tStatus: error\tError "
                          "Type: Test.Init",
                          "INIT_REPORT Init Duration: 0.00 ms\tPhase: invoke\tStatus: error\tError "
                          "Type: Test.Init",
                          "START RequestId: id-9 Version: $LATEST", "END RequestId: id-9",
                          AllOf(StartsWith("REPORT RequestId: id-9\tDuration: 0.00 ms"),
                                HasSubstr("Status: error\tError Type: Test.Init"),
                                Not(HasSubstr("Init Duration")))));

  function_.settings.variables = {{"TEST_INIT", "exit"}};
  outcome = start()->invoke(request("1"));
  EXPECT_EQ(outcome.end, Outcome::End::exited);
  EXPECT_THAT(outcome.payload, HasSubstr("exit status 3"));
  EXPECT_THAT(log_.line_with("Runtime exited"),
              MatchesRegex("RequestId: id-1 Error: Runtime exited with error: exit status "
                           "3\nRuntime.ExitError"));
}

TEST_F(EnvironmentTest, ASecondInitializationMaySucceed) {
  function_.settings.variables = {{"TEST_INIT", "exit-once"}};
  auto environment = start();
  EXPECT_EQ(environment->invoke(request("\"count\"")).payload, "0");
  EXPECT_EQ(environment->invoke(request("\"count\"")).payload, "1");
  EXPECT_THAT(log_.line_with("INIT_REPORT"), HasSubstr("Phase: init\tStatus: error"));
  EXPECT_THAT(log_.line_with("REPORT RequestId"), Not(HasSubstr("Status:")));
}

TEST_F(EnvironmentTest, FailedInitializationInJson) {
  function_.settings.log_format = "JSON";
  function_.settings.system_log_level = "WARN";
  function_.settings.variables = {{"TEST_INIT", "exit"}};
  (void)start()->invoke(request("1"));
  EXPECT_THAT(log_.line_with("platform.initReport"), HasSubstr(R"("status":"error")"));
  EXPECT_THAT(log_.line_with("platform.initReport"),
              HasSubstr(R"("errorType":"Runtime.ExitError")"));
  EXPECT_THAT(log_.line_with("platform.report"), HasSubstr(R"("status":"error")"));
  EXPECT_EQ(log_.line_with("platform.start"), "") << "no warning";
}

TEST_F(EnvironmentTest, InitializationHasTenSecondsAndThenTheFunctionsTime) {
  function_.settings.variables = {{"TEST_INIT", "hang"}};
  function_.settings.timeout_s = 3;
  auto environment = start();
  auto invoked = std::async(std::launch::async, [&] { return environment->invoke(request("1")); });
  ASSERT_TRUE(log_.wait_for("hanging"));
  while (clock_.waiters() == 0) std::this_thread::yield();
  clock_.advance(milliseconds(9'999));
  EXPECT_EQ(invoked.wait_for(seconds(0)), std::future_status::timeout);
  clock_.advance(milliseconds(1));
  ASSERT_TRUE(
      log_.wait_for("INIT_REPORT Init Duration: 10000.00 ms\tPhase: init\tStatus: timeout"));
  while (clock_.waiters() == 0) std::this_thread::yield();
  clock_.advance(seconds(3));
  Outcome outcome = invoked.get();
  EXPECT_EQ(outcome.end, Outcome::End::timed_out);
  EXPECT_THAT(outcome.payload, HasSubstr("Task timed out after 3.00 seconds"));
  EXPECT_THAT(log_.line_with("Phase: invoke"),
              HasSubstr("INIT_REPORT Init Duration: 3000.00 ms\tPhase: invoke\tStatus: timeout"));
  EXPECT_THAT(log_.line_with("REPORT RequestId"), HasSubstr("Duration: 3000.00 ms"));
}

TEST_F(EnvironmentTest, SaysThatAProcessEndedBeforeItTookTheEvent) {
  auto environment = start();
  EXPECT_EQ(environment->invoke(request("\"last\"")).end, Outcome::End::answered);
  while (environment->reusable()) std::this_thread::yield();
  EXPECT_EQ(environment->invoke(request("1")).end, Outcome::End::stale);
}

TEST_F(EnvironmentTest, RemovesItsScratchDirectory) {
  auto environment = start();
  EXPECT_TRUE(std::filesystem::exists(directory_.path() / "scratch"));
  environment.reset();
  EXPECT_FALSE(std::filesystem::exists(directory_.path() / "scratch"));
}

TEST_F(EnvironmentTest, EndsTheProcessWithItself) {
  auto environment = start();
  int pid = std::stoi(environment->invoke(request("\"pid\"")).payload);
  EXPECT_EQ(pid, environment->pid());
  environment.reset();
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST_F(EnvironmentTest, RefusesAProgramForAnotherProcessor) {
  function_.settings.architecture = machine_architecture() == "arm64" ? "x86_64" : "arm64";
  Outcome outcome = start()->invoke(request("1"));
  EXPECT_EQ(outcome.error_type, "Runtime.InvalidEntrypoint");
  EXPECT_THAT(outcome.payload, HasSubstr("exec format error"));
}

TEST_F(EnvironmentTest, APackageWithoutItsProgramFailsAtTheInvocation) {
  function_.code.directory = directory_.path();
  Outcome outcome = start()->invoke(request("1"));
  EXPECT_EQ(outcome.error_type, "Runtime.InvalidEntrypoint");
  EXPECT_EQ(
      outcome.payload,
      R"({"errorType":"Runtime.InvalidEntrypoint","errorMessage":"RequestId: id-1 Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"})");
  EXPECT_THAT(log_.line_with("Phase: init"), HasSubstr("Error Type: Runtime.InvalidEntrypoint"));
  EXPECT_THAT(log_.line_with("REPORT RequestId"),
              HasSubstr("Status: error\tError Type: Runtime.InvalidEntrypoint"));
}

TEST_F(EnvironmentTest, AProgramThatCannotBeRunSaysWhy) {
  function_.code.directory = directory_.path();
  auto program = directory_.path() / "bootstrap";
  ASSERT_TRUE(base::write_file_atomically(program, "neither ELF nor script"));
  EXPECT_THAT(start()->invoke(request("1")).payload,
              HasSubstr("Error: fork/exec /var/task/bootstrap: permission denied"));
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  EXPECT_THAT(start()->invoke(request("1")).payload,
              HasSubstr("Error: fork/exec /var/task/bootstrap: exec format error"));
}

TEST_F(EnvironmentTest, LogsNothingWhereItsRoleMayNot) {
  std::string asked;
  EnvironmentOptions options;
  options.function = std::make_shared<const FunctionVersion>(function_);
  options.scratch_directory = directory_.path() / "scratch";
  options.log = log_.sink();
  options.may_log = [&](std::string_view stream) {
    asked = stream;
    return false;
  };
  auto environment = Environment::start(std::move(options), clock_).value();
  Outcome outcome = environment->invoke(request("\"print\""));
  EXPECT_EQ(asked, environment->log_stream());
  EXPECT_TRUE(log_.lines().empty());
  EXPECT_THAT(outcome.log_tail, HasSubstr("to standard output")) << "the caller's own copy";
}

}  // namespace
}  // namespace imgproc::localcloud::lambda
