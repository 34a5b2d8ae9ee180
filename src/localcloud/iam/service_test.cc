#include "localcloud/iam/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/random.h"

namespace imgproc::localcloud::iam {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kTrust =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]})";
constexpr const char* kRead =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::in/*"}]})";

class IamTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("imgproc-iam-" + base::random_hex(8));
    std::filesystem::create_directories(folder_);
    database_ = std::move(*Database::open(folder_ / "state.db"));
    context_ = std::make_unique<Context>(Context{*database_, clock_, folder_});
    service_ = std::move(*IamService::create(*context_));
  }
  void TearDown() override {
    service_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }
  std::string call(const std::string& action, const std::map<std::string, std::string>& params) {
    std::string form = "Action=" + action + "&Version=2010-05-08";
    for (const auto& [name, value] : params) form += "&" + name + "=" + base::percent_encode(value);
    http::Request request{.method = "POST"};
    request.headers.set("Content-Type", "application/x-www-form-urlencoded");
    request.body = form;
    return service_
        ->handle({.access_key_id = "test", .region = "eu-west-1", .request_id = "r"},
                 std::move(request))
        .body.text;
  }
  void make_role() {
    ASSERT_THAT(call("CreateRole", {{"RoleName", "fn"}, {"AssumeRolePolicyDocument", kTrust}}),
                HasSubstr("<RoleName>fn"));
  }

  std::filesystem::path folder_;
  base::ManualClock clock_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Context> context_;
  std::unique_ptr<IamService> service_;
};

TEST_F(IamTest, ARoleLivesThroughItsWholeLife) {
  make_role();
  EXPECT_THAT(call("CreateRole", {{"RoleName", "fn"}, {"AssumeRolePolicyDocument", kTrust}}),
              HasSubstr("EntityAlreadyExists"));
  EXPECT_THAT(call("GetRole", {{"RoleName", "fn"}}), HasSubstr("%22Service%22"));
  call("PutRolePolicy", {{"RoleName", "fn"}, {"PolicyName", "p"}, {"PolicyDocument", kRead}});
  EXPECT_THAT(call("ListRolePolicies", {{"RoleName", "fn"}}),
              HasSubstr("<PolicyNames><member>p</member></PolicyNames>"));
  EXPECT_THAT(call("GetRolePolicy", {{"RoleName", "fn"}, {"PolicyName", "p"}}),
              HasSubstr(base::percent_encode(kRead)));
  EXPECT_THAT(call("DeleteRole", {{"RoleName", "fn"}}), HasSubstr("DeleteConflict"));
  call("DeleteRolePolicy", {{"RoleName", "fn"}, {"PolicyName", "p"}});
  EXPECT_THAT(call("ListInstanceProfilesForRole", {{"RoleName", "fn"}}),
              HasSubstr("<InstanceProfiles></InstanceProfiles>"));
  EXPECT_THAT(call("DeleteRole", {{"RoleName", "fn"}}), HasSubstr("<DeleteRoleResponse"));
  EXPECT_THAT(call("GetRole", {{"RoleName", "fn"}}), HasSubstr("NoSuchEntity"));
}

TEST_F(IamTest, BadDocumentsAreRefusedAtOnce) {
  make_role();
  EXPECT_THAT(
      call("PutRolePolicy", {{"RoleName", "fn"}, {"PolicyName", "p"}, {"PolicyDocument", "{"}}),
      HasSubstr("MalformedPolicyDocument"));
  EXPECT_THAT(call("CreateRole", {{"RoleName", "a b"}, {"AssumeRolePolicyDocument", kTrust}}),
              HasSubstr("ValidationError"));
  EXPECT_THAT(call("NoSuchThing", {}), HasSubstr("<Code>NotImplemented</Code>"));
}

TEST_F(IamTest, SessionsAreCheckedAgainstTheRolesPolicies) {
  make_role();
  auto session =
      service_->open_session("arn:aws:iam::000000000000:role/fn", "s", std::chrono::hours(1));
  ASSERT_TRUE(session.has_value());
  AccessRequest read{"s3:GetObject", "arn:aws:s3:::in/a.jpg"};
  auto denied = service_->authorize(*session, read);
  ASSERT_FALSE(denied.has_value());
  EXPECT_EQ(denied.error().code, "AccessDenied");
  EXPECT_THAT(denied.error().message, HasSubstr("assumed-role/fn/s is not authorized to perform: "
                                                "s3:GetObject on resource: arn:aws:s3:::in/a.jpg"));
  call("PutRolePolicy", {{"RoleName", "fn"}, {"PolicyName", "p"}, {"PolicyDocument", kRead}});
  EXPECT_TRUE(service_->authorize(*session, read).has_value());
  EXPECT_EQ((*service_->find_session(session->access_key_id))->role_name, "fn");
  clock_.advance(std::chrono::hours(1));
  EXPECT_TRUE(service_->sweep_sessions().has_value());
  EXPECT_EQ(service_->find_session(session->access_key_id).error().code, "ExpiredToken");
  clock_.advance(kExpiredSessionsKept);
  EXPECT_TRUE(service_->sweep_sessions().has_value());
  EXPECT_FALSE(service_->find_session(session->access_key_id)->has_value());
}

TEST_F(IamTest, ManagedPoliciesAreAttachedVersionedAndDetached) {
  make_role();
  std::string arn = "arn:aws:iam::000000000000:policy/m";
  EXPECT_THAT(call("CreatePolicy", {{"PolicyName", "m"}, {"PolicyDocument", kRead}}),
              HasSubstr(arn));
  call("AttachRolePolicy", {{"RoleName", "fn"}, {"PolicyArn", arn}});
  EXPECT_THAT(call("ListAttachedRolePolicies", {{"RoleName", "fn"}}),
              HasSubstr("<PolicyName>m</PolicyName>"));
  auto session =
      service_->open_session("arn:aws:iam::000000000000:role/fn", "s", std::chrono::hours(1));
  AccessRequest read{"s3:GetObject", "arn:aws:s3:::in/a.jpg"};
  EXPECT_TRUE(service_->authorize(*session, read).has_value());
  EXPECT_THAT(call("CreatePolicyVersion",
                   {{"PolicyArn", arn},
                    {"SetAsDefault", "true"},
                    {"PolicyDocument",
                     R"({"Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]})"}}),
              HasSubstr("<VersionId>v2</VersionId>"));
  EXPECT_THAT(service_->authorize(*session, read).error().message, HasSubstr("explicit deny"));
  EXPECT_THAT(call("DeletePolicy", {{"PolicyArn", arn}}), HasSubstr("DeleteConflict"));
  call("DetachRolePolicy", {{"RoleName", "fn"}, {"PolicyArn", arn}});
  EXPECT_THAT(call("DeletePolicy", {{"PolicyArn", arn}}), Not(HasSubstr("Error")));
  EXPECT_THAT(
      call("AttachRolePolicy",
           {{"RoleName", "fn"},
            {"PolicyArn", "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}}),
      Not(HasSubstr("Error")));
  EXPECT_TRUE(service_->authorize(*session, {"logs:PutLogEvents", "arn:aws:logs:x"}).has_value());
}

}  // namespace
}  // namespace imgproc::localcloud::iam
