#include "localcloud/sts/sts_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace imgproc::localcloud::sts {
namespace {

using ::testing::HasSubstr;

class StsServiceTest : public ::testing::Test {
 protected:
  StsServiceTest()
      : service_({.open = [this](std::string_view role, std::string_view name,
                                 std::chrono::seconds duration) -> base::Result<Session> {
                    if (!role.ends_with("/reader"))
                      return base::permanent("NoSuchEntity", "no such role");
                    session_ = Session{
                        "ASIA0123456789ABCDEF", "secret", "token", "reader", std::string(name),
                        clock_.now() + duration};
                    return *session_;
                  },
                  .find = [this](std::string_view key) -> base::Result<std::optional<Session>> {
                    if (!session_ || session_->access_key_id != key) return std::nullopt;
                    return session_;
                  }}) {}
  http::Response post(std::string form, std::string access_key_id = "test") {
    return service_.handle({std::move(access_key_id), "us-east-1", "req-1"},
                           {"POST", "/", {}, std::move(form)});
  }
  static std::string between(const std::string& text, const std::string& open,
                             const std::string& close) {
    std::size_t from = text.find(open);
    if (from == std::string::npos) return "";
    from += open.size();
    return text.substr(from, text.find(close, from) - from);
  }

  base::ManualClock clock_;
  std::optional<Session> session_;
  StsService service_;
};

TEST_F(StsServiceTest, TellsTheCallersIdentity) {
  auto response = post("Action=GetCallerIdentity&Version=2011-06-15");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.get("Content-Type"), "text/xml");
  EXPECT_EQ(
      response.body.text,
      "<GetCallerIdentityResponse "
      "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>"
      "<UserId>000000000000</UserId><Account>000000000000</"
      "Account><Arn>arn:aws:iam::000000000000:root</Arn>"
      "</GetCallerIdentityResult><ResponseMetadata><RequestId>req-1</RequestId></ResponseMetadata>"
      "</GetCallerIdentityResponse>");
}

TEST_F(StsServiceTest, AssumesARoleForAsLongAsAsked) {
  auto response = post(
      "Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A000000000000%3Arole%2Freader&RoleSessionName="
      "me&DurationSeconds=900");
  ASSERT_EQ(response.status, 200) << response.body.text;
  std::string key = between(response.body.text, "<AccessKeyId>", "</AccessKeyId>");
  EXPECT_EQ(key.size(), 20U);
  EXPECT_THAT(response.body.text,
              HasSubstr("<Arn>arn:aws:sts::000000000000:assumed-role/reader/me</Arn>"));
  EXPECT_THAT(response.body.text, HasSubstr("<Expiration>2026-01-01T00:15:00.000Z</Expiration>"));
  EXPECT_THAT(post("Action=GetCallerIdentity", key).body.text, HasSubstr("assumed-role/reader/me"));
}

TEST_F(StsServiceTest, RefusesARoleThatDoesNotExist) {
  auto response =
      post("Action=AssumeRole&RoleArn=arn:aws:iam::000000000000:role/nobody&RoleSessionName=me");
  EXPECT_EQ(response.status, 403);
  EXPECT_THAT(response.body.text, HasSubstr("<Code>AccessDenied</Code>"));
}

TEST_F(StsServiceTest, RefusesBadInput) {
  EXPECT_EQ(post("Action=AssumeRole&RoleSessionName=me").status, 400);
  EXPECT_EQ(post("Action=AssumeRole&RoleArn=arn:aws:iam::000000000000:role/r&RoleSessionName=a%20b")
                .status,
            400);
  EXPECT_EQ(post("Action=AssumeRole&RoleArn=arn:aws:iam::000000000000:role/"
                 "r&RoleSessionName=ab&DurationSeconds=1")
                .status,
            400);
}

TEST_F(StsServiceTest, AnswersNotImplementedForTheRest) {
  auto response = post("Action=GetFederationToken");
  EXPECT_EQ(response.status, 501);
  EXPECT_THAT(response.body.text, HasSubstr("<Code>NotImplemented</Code>"));
}

}  // namespace
}  // namespace imgproc::localcloud::sts
