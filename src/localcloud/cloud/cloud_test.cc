#include "localcloud/cloud/cloud.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/random.h"
#include "protocol/sigv4.h"

namespace imgproc::localcloud {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class CloudTest : public ::testing::Test {
 protected:
  ~CloudTest() override {
    cloud_.reset();
    std::filesystem::remove_all(directory_);
  }
  void open(bool strict = false) {
    cloud_.reset();
    CloudOptions options;
    options.data_dir = directory_;
    options.strict_auth = strict;
    options.secrets = {{"AKID", "secret"}};
    cloud_ = Cloud::create(std::move(options), clock_).value();
  }
  static http::Request form(std::string body) {
    return {"POST",
            "/",
            {{"Host", "127.0.0.1"}, {"Content-Type", "application/x-www-form-urlencoded"}},
            std::move(body)};
  }
  http::Response send(http::Request request) { return cloud_->send(std::move(request)).value(); }
  http::Response send_signed(http::Request request, const protocol::Credentials& credentials,
                             std::string_view service = "sts") {
    protocol::sign(request, credentials, "us-east-1", service, clock_.now(),
                   protocol::PayloadHash::of(request.body.text));
    return send(std::move(request));
  }

  std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() / ("imgproc-" + base::random_hex(8));
  base::ManualClock clock_;
  std::unique_ptr<Cloud> cloud_;
};

constexpr const char* kIdentity = "Action=GetCallerIdentity&Version=2011-06-15";

TEST_F(CloudTest, ReachesServicesWithAnySignatureOrNone) {
  open();
  EXPECT_EQ(send(form(kIdentity)).status, 200);
  EXPECT_EQ(send_signed(form(kIdentity), {"anybody", "any secret", ""}).status, 200);
  http::Request logs{"POST", "/", {{"X-Amz-Target", "Logs_20140328.DescribeLogGroups"}}, "{}"};
  EXPECT_EQ(send(std::move(logs)).status, 200);
  EXPECT_THAT(send({"GET", "/2015-03-31/functions", {}, {}}).body.text, HasSubstr("Functions"));
}

TEST_F(CloudTest, AnswersUnknownServicesInTheirOwnForm) {
  open();
  http::Request kinesis{"POST",
                        "/",
                        {{"X-Amz-Target", "Kinesis_20131202.ListStreams"},
                         {"Authorization",
                          "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/kinesis/aws4_request, "
                          "SignedHeaders=host, Signature=0"}},
                        "{}"};
  auto answer = send(std::move(kinesis));
  EXPECT_EQ(answer.status, 501);
  EXPECT_THAT(answer.body.text, HasSubstr(R"("__type":"NotImplemented")"));
  EXPECT_EQ(send(form("Action=GetFederationToken&Version=2011-06-15")).status, 501);
}

TEST_F(CloudTest, TellsItsHealthAndMetrics) {
  open();
  clock_.advance(std::chrono::seconds(5));
  auto health = send({"GET", "/_health", {}, {}});
  EXPECT_EQ(health.status, 200);
  auto body = base::parse_json(health.body.text).value().get_object();
  EXPECT_EQ(body.at("status"), "ok");
  EXPECT_EQ(body.at("uptime_seconds"), 5);
  EXPECT_EQ(body.at("queue").at("waiting"), 0);
  (void)send(form(kIdentity));
  std::string metrics = send({"GET", "/_metrics", {}, {}}).body.text;
  EXPECT_THAT(metrics, HasSubstr("imgproc_requests_total{service=\"sts\",operation="
                                 "\"GetCallerIdentity\",status=\"200\"} 1\n"));
  EXPECT_THAT(metrics, HasSubstr("\nimgproc_queue_waiting 0\n"));
  EXPECT_THAT(metrics, Not(HasSubstr("process_resident_memory_bytes 0\n")));
}

TEST_F(CloudTest, StrictAuthTakesValidSignaturesOnly) {
  open(true);
  EXPECT_EQ(send_signed(form(kIdentity), {"AKID", "secret", ""}).status, 200);
  EXPECT_EQ(send_signed(form(kIdentity), {"AKID", "wrong", ""}).status, 403);
  EXPECT_EQ(send_signed(form(kIdentity), {"OTHER", "secret", ""}).status, 403);
  EXPECT_EQ(send(form(kIdentity)).status, 403);
  auto request = form(kIdentity);
  protocol::sign(request, {"AKID", "secret", ""}, "us-east-1", "sts", clock_.now(),
                 protocol::PayloadHash::of(kIdentity));
  request.body = http::Body("Action=GetCallerIdentity&Version=2011-06-15&X=1");
  EXPECT_EQ(send(std::move(request)).status, 403) << "another body";
}

TEST_F(CloudTest, StrictAuthChecksThePresignedAndTheClock) {
  open(true);
  http::Request request{"GET", "/bucket/key", {{"Host", "127.0.0.1:4566"}}, {}};
  ASSERT_TRUE(protocol::presign(request, {"AKID", "secret", ""}, "us-east-1", "s3", clock_.now(),
                                std::chrono::seconds(60)));
  http::Request good{request.method, request.target, request.headers, {}};
  EXPECT_NE(send(std::move(good)).status, 403);
  clock_.advance(std::chrono::seconds(61));
  auto late = send(std::move(request));
  EXPECT_EQ(late.status, 403);
  EXPECT_THAT(late.body.text, HasSubstr("<Code>AccessDenied</Code>"));
}

TEST_F(CloudTest, APresignedUrlExpiresWhoeverSignedIt) {
  open();
  http::Request request{"GET", "/bucket/key", {{"Host", "127.0.0.1:4566"}}, {}};
  ASSERT_TRUE(protocol::presign(request, {"anybody", "any", ""}, "us-east-1", "s3", clock_.now(),
                                std::chrono::seconds(60)));
  http::Request good{request.method, request.target, request.headers, {}};
  EXPECT_EQ(send(std::move(good)).status, 404);
  clock_.advance(std::chrono::seconds(61));
  EXPECT_EQ(send(std::move(request)).status, 403);
}

TEST_F(CloudTest, ATemporaryKeyGainsNothingByBeingWrongOrOld) {
  for (bool strict : {false, true}) {
    open(strict);
    http::Request unknown{"POST", "/", {{"X-Amz-Target", "DynamoDB_20120810.ListTables"}}, "{}"};
    auto answer = send_signed(std::move(unknown), {"ASIAUNKNOWN", "any", "any"}, "dynamodb");
    EXPECT_EQ(answer.status, 403);
    EXPECT_THAT(answer.body.text, HasSubstr("UnrecognizedClientException"));
    answer =
        send_signed({"GET", "/", {{"Host", "127.0.0.1"}}, {}}, {"ASIAUNKNOWN", "any", "any"}, "s3");
    EXPECT_EQ(answer.status, 403);
    EXPECT_THAT(answer.body.text, HasSubstr("<Code>InvalidAccessKeyId</Code>"));
    EXPECT_THAT(send_signed(form(kIdentity), {"ASIAUNKNOWN", "any", "any"}).body.text,
                HasSubstr("InvalidClientTokenId"));
  }
}

TEST_F(CloudTest, AnExpiredSessionSaysSo) {
  open();
  std::string trust = base::percent_encode(
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}})");
  std::string policy = base::percent_encode(
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})");
  ASSERT_EQ(send(form("Action=CreateRole&Version=2010-05-08&RoleName=r&AssumeRolePolicyDocument=" +
                      trust))
                .status,
            200);
  ASSERT_EQ(send(form("Action=PutRolePolicy&Version=2010-05-08&RoleName=r&PolicyName=p"
                      "&PolicyDocument=" +
                      policy))
                .status,
            200);
  std::string answer =
      send(form("Action=AssumeRole&Version=2011-06-15&RoleSessionName=me&RoleArn=" +
                base::percent_encode("arn:aws:iam::000000000000:role/r")))
          .body.text;
  auto between = [&](const std::string& name) {
    std::size_t from = answer.find("<" + name + ">") + name.size() + 2;
    return answer.substr(from, answer.find("</" + name + ">") - from);
  };
  protocol::Credentials session{between("AccessKeyId"), between("SecretAccessKey"),
                                between("SessionToken")};
  auto list = [&] { return send_signed({"GET", "/", {{"Host", "127.0.0.1"}}, {}}, session, "s3"); };
  EXPECT_EQ(list().status, 200) << answer;
  clock_.advance(std::chrono::hours(2));
  auto late = list();
  EXPECT_EQ(late.status, 400);
  EXPECT_THAT(late.body.text, HasSubstr("<Code>ExpiredToken</Code>"));
  http::Request tables{"POST", "/", {{"X-Amz-Target", "DynamoDB_20120810.ListTables"}}, "{}"};
  EXPECT_THAT(send_signed(std::move(tables), session, "dynamodb").body.text,
              HasSubstr("ExpiredTokenException"));
  EXPECT_THAT(send_signed(form(kIdentity), session).body.text, HasSubstr("ExpiredToken"));
}

TEST_F(CloudTest, StrictAuthLetsInternalRequestsThrough) {
  open(true);
  EXPECT_EQ(cloud_->internal().send(form(kIdentity)).value().status, 200);
}

TEST_F(CloudTest, RefusesADataDirectoryInUse) {
  open();
  CloudOptions options;
  options.data_dir = directory_;
  auto second = Cloud::create(std::move(options), clock_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, "DATA_DIR_IN_USE");
}

}  // namespace
}  // namespace imgproc::localcloud
