// The real program, started as Lambda starts it, against a Runtime API and AWS services of our own.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>

#include "base/file.h"
#include "http/server.h"
#include "protocol/s3_event.h"

namespace imgproc::bootstrap {
namespace {

constexpr std::chrono::seconds kPatience{20};

/// Runtime API and AWS on one port: next waits for events, DynamoDB knows nothing and takes all.
class FakeCloud final : public http::Exchange {
 public:
  [[nodiscard]] base::Result<http::Response> send(http::Request request) override {
    auto body = http::read_all(request.body, 1 << 20).value_or("");
    std::unique_lock lock(mutex_);
    std::string call = request.method + " " + request.target;
    if (auto target = request.headers.get("X-Amz-Target")) call = *target;
    calls_.push_back({call, body});
    changed_.notify_all();
    http::Response response;
    if (request.target.ends_with("/invocation/next")) {
      changed_.wait_for(lock, kPatience, [&] { return !events_.empty() || closed_; });
      if (events_.empty()) {
        response.status = 410;
        return response;
      }
      response.headers = {{"Lambda-Runtime-Aws-Request-Id", "r-1"},
                          {"Lambda-Runtime-Deadline-Ms", "4102444800000"}};
      response.body = events_.front();
      events_.pop_front();
    } else if (request.target.starts_with("/2018-06-01/")) {
      response.status = 202;
    } else if (request.headers.has("X-Amz-Target")) {
      response.body = "{}";
    } else {
      response.status = 404;
      response.body = "<Error><Code>NoSuchKey</Code></Error>";
    }
    return response;
  }

  void push(std::string event) {
    std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
    changed_.notify_all();
  }
  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }
  /// Body of the first call that contains `what`; waits for it.
  std::optional<std::string> wait_for(std::string_view what) {
    std::unique_lock lock(mutex_);
    std::optional<std::string> found;
    changed_.wait_for(lock, kPatience, [&] {
      for (const auto& [call, body] : calls_)
        if (call.find(what) != std::string::npos) found = body;
      return found.has_value();
    });
    return found;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> events_;
  std::vector<std::pair<std::string, std::string>> calls_;
  bool closed_ = false;
};

class Program : public testing::Test {
 protected:
  void SetUp() override {
    auto server = http::Server::start(cloud_, {});
    ASSERT_TRUE(server) << server.error().describe();
    server_ = *std::move(server);
    std::string host = "127.0.0.1:" + std::to_string(server_->port());
    environment_ = {"AWS_LAMBDA_RUNTIME_API=" + host,
                    "AWS_ENDPOINT_URL=http://" + host,
                    "AWS_ACCESS_KEY_ID=AKID",
                    "AWS_SECRET_ACCESS_KEY=very-secret-value",
                    "AWS_SESSION_TOKEN=session-secret",
                    "AWS_REGION=eu-west-1",
                    "SOURCE_BUCKET=one-bucket",
                    "DESTINATION_BUCKET=dest-bucket",
                    "TABLE_NAME=meta"};
  }
  void TearDown() override {
    cloud_.close();
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      (void)wait();
    }
  }

  void start() {
    std::vector<char*> environment;
    for (auto& entry : environment_) environment.push_back(entry.data());
    environment.push_back(nullptr);
    std::string program = IMGPROC_BOOTSTRAP_PROGRAM;
    std::array<char*, 2> arguments{program.data(), nullptr};
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    // Its log would stand between the lines of the test.
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    ASSERT_EQ(::posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments.data(),
                            environment.data()),
              0);
    ::posix_spawn_file_actions_destroy(&actions);
  }
  /// Exit code, or -signal.
  int wait() {
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  FakeCloud cloud_;
  std::unique_ptr<http::Server> server_;
  std::vector<std::string> environment_;
  pid_t pid_ = -1;
};

TEST_F(Program, AnswersEventsAndEndsWithItsEnvironment) {
  cloud_.push(protocol::build_s3_test_event("one-bucket", {}, "r", "h"));
  start();
  EXPECT_EQ(cloud_.wait_for("/invocation/r-1/response"), R"({"results":[]})");
  cloud_.close();
  EXPECT_EQ(wait(), 0);
}

TEST_F(Program, WritesATombstoneForARemovedObject) {
  cloud_.push(protocol::build_s3_event({.event_name = "ObjectRemoved:Delete",
                                        .bucket = "one-bucket",
                                        .key = "a b",
                                        .sequencer = "05"}));
  start();
  auto item = cloud_.wait_for("DynamoDB_20120810.PutItem");
  ASSERT_TRUE(item);
  EXPECT_NE(item->find(R"("path":{"S":"one-bucket/a b"})"), std::string::npos);
  auto answer = cloud_.wait_for("/invocation/r-1/response");
  ASSERT_TRUE(answer);
  EXPECT_NE(answer->find(R"("outcome":"deleted")"), std::string::npos) << *answer;
}

TEST_F(Program, KeepsNoSecretInItsEnvironment) {
  start();
  ASSERT_TRUE(cloud_.wait_for("/invocation/next"));
  auto block = base::read_file("/proc/" + std::to_string(pid_) + "/environ");
  if (!block) {
    EXPECT_NE(::geteuid(), 0U) << "only root may read it: " << block.error().describe();
    return;
  }
  EXPECT_EQ(block->find("secret-value"), std::string::npos);
  EXPECT_EQ(block->find("session-secret"), std::string::npos);
  EXPECT_NE(block->find("AKID"), std::string::npos) << "this is the right block";
}

TEST_F(Program, SigtermEndsItCleanly) {
  start();
  ASSERT_TRUE(cloud_.wait_for("/invocation/next"));
  ::kill(pid_, SIGTERM);
  EXPECT_EQ(wait(), 0);
}

TEST_F(Program, ABadConfigurationIsAnInitError) {
  environment_.emplace_back(R"(IMGPROC_CONFIG={"limits":{"max_bites":1}})");
  start();
  auto error = cloud_.wait_for("/runtime/init/error");
  ASSERT_TRUE(error);
  EXPECT_NE(error->find("max_bites"), std::string::npos);
  EXPECT_NE(error->find(R"("errorType":"INVALID_CONFIG")"), std::string::npos);
  EXPECT_EQ(wait(), 1);
}

TEST_F(Program, AsSpendBrakeItStopsAFunctionAndStartsNoDecoder) {
  environment_.emplace_back("_HANDLER=spend_brake");
  environment_.emplace_back("BRAKED_FUNCTION_NAME=images");
  cloud_.push(R"({"alarmData":{"alarmName":"spend","state":{"value":"ALARM","reason":"r"}}})");
  start();
  auto body = cloud_.wait_for("PUT /2017-10-31/functions/images/concurrency");
  ASSERT_TRUE(body);
  EXPECT_EQ(*body, R"({"ReservedConcurrentExecutions":0})");
  // The fake cloud knows no functions: that is an error, which Lambda tries again.
  ASSERT_TRUE(cloud_.wait_for("/invocation/r-1/error"));
  std::string task = "/proc/" + std::to_string(pid_) + "/task/" + std::to_string(pid_);
  EXPECT_EQ(base::read_file(task + "/children").value_or("?"), "") << "no child process";
  cloud_.close();
  EXPECT_EQ(wait(), 0);
}

TEST_F(Program, OutsideOfLambdaItSaysSo) {
  environment_ = {"PATH=/bin"};
  start();
  EXPECT_EQ(wait(), 1);
}

}  // namespace
}  // namespace imgproc::bootstrap
