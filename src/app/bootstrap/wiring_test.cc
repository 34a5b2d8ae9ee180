#include "app/bootstrap/wiring.h"

#include <gtest/gtest.h>

#include "http/fake_exchange_test.h"
#include "protocol/sigv4_verify.h"

namespace imgproc::bootstrap {
namespace {

class NoEngine final : public ports::ImageEngine {
 public:
  [[nodiscard]] base::Result<std::unique_ptr<ports::ImageJob>> open(std::size_t) override {
    return base::transient("NO_ENGINE", "no image is to be opened here");
  }
};

class Wiring : public testing::Test {
 protected:
  Function make(bool on_aws) {
    aws::Environment environment{{"DESTINATION_BUCKET", "dest-bucket"},
                                 {"SOURCE_BUCKET", "one-bucket"},
                                 {"TABLE_NAME", "meta"},
                                 {"AWS_REGION", "eu-west-1"},
                                 {"AWS_ACCESS_KEY_ID", "a"},
                                 {"AWS_SECRET_ACCESS_KEY", "s"},
                                 {"AWS_SESSION_TOKEN", "t"}};
    if (!on_aws) environment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:4566";
    auto settings = read_settings(environment);
    EXPECT_TRUE(settings) << settings.error().describe();
    return Function(*std::move(settings), engine_, clock_, [this](const http::Origin& origin) {
      dialed_.push_back(origin.host_header());
      return std::make_unique<http::BorrowedExchange>(fake_);
    });
  }

  NoEngine engine_;
  base::ManualClock clock_;
  http::FakeExchange fake_;
  std::vector<std::string> dialed_;
};

TEST_F(Wiring, ConnectsAheadToWhatWillBeNeeded) {
  Function on_aws = make(true);
  EXPECT_EQ(dialed_, (std::vector<std::string>{"dynamodb.eu-west-1.amazonaws.com",
                                               "one-bucket.s3.eu-west-1.amazonaws.com",
                                               "dest-bucket.s3.eu-west-1.amazonaws.com"}));
  dialed_.clear();
  Function local = make(false);
  EXPECT_EQ(dialed_, (std::vector<std::string>{"127.0.0.1:4566", "127.0.0.1:4566"}));
}

TEST_F(Wiring, CallsAreSignedAndTraced) {
  Function function = make(false);
  // Whatever the first call is, its refusal ends the work.
  for (int i = 0; i < 8; ++i)
    fake_.then(400, {{"Content-Type", "application/x-amz-json-1.0"}},
               R"({"__type":"x#AccessDeniedException","message":"no"})");
  auto answer =
      function.handle({.request_id = "r-1",
                       .deadline = clock_.now() + std::chrono::seconds{30},
                       .trace_id = "Root=1-2-3",
                       .payload = protocol::build_s3_event({.event_name = "ObjectRemoved:Delete",
                                                            .bucket = "one-bucket",
                                                            .key = "k",
                                                            .sequencer = "05"})});
  EXPECT_FALSE(answer);
  ASSERT_FALSE(fake_.sent().empty());
  for (const auto& sent : fake_.sent()) {
    EXPECT_EQ(sent.headers.get("X-Amzn-Trace-Id"), "Root=1-2-3");
    EXPECT_EQ(sent.headers.get("X-Amz-Security-Token"), "t");
    http::Request request;
    request.method = sent.method;
    request.target = sent.target;
    request.headers = sent.headers;
    request.body = sent.body;
    auto claim = protocol::parse_authorization(request);
    ASSERT_TRUE(claim);
    EXPECT_TRUE(protocol::verify(request, *claim, {"a", "s", "t"}, clock_.now()));
  }
}

}  // namespace
}  // namespace imgproc::bootstrap
