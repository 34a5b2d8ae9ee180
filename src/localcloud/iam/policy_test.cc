#include "localcloud/iam/policy.h"

#include <gtest/gtest.h>

namespace imgproc::localcloud::iam {
namespace {

Decision decide(const std::string& statements, AccessRequest request) {
  auto policy = parse_policy(R"({"Version":"2012-10-17","Statement":[)" + statements + "]}");
  EXPECT_TRUE(policy.has_value()) << policy.error().describe();
  return evaluate(std::span(&*policy, 1), request);
}

constexpr const char* kAllowRead =
    R"({"Effect":"Allow","Action":["s3:GetObject","s3:List*"],"Resource":"arn:aws:s3:::in/*"})";

TEST(Policy, WildcardsReachAsIamSays) {
  auto allowed = [](std::string_view action, std::string_view resource) {
    std::string statement = R"({"Effect":"Allow","Action":")" + std::string(action) +
                            R"(","Resource":")" + std::string(resource) + "\"}";
    return decide(statement, {"s3:GetObject", "arn:aws:s3:::in/a*c?e.jpg"}) == Decision::allowed;
  };
  EXPECT_TRUE(allowed("*", "*"));
  EXPECT_TRUE(allowed("S3:get*", "arn:aws:s3:::in/*")) << "actions are alike in both cases";
  EXPECT_TRUE(allowed("s3:?etObject", "arn:aws:s3:::?n/a*e.jpg"));
  EXPECT_FALSE(allowed("s3:GetObject?", "*"));
  EXPECT_FALSE(allowed("*", "arn:aws:s3:::IN/*")) << "resources are not";
  // Exponential in a naive matcher.
  EXPECT_FALSE(allowed("*", "arn:" + std::string(40, '*') + "b"));
}

TEST(Policy, AllowDenyAndSilence) {
  EXPECT_EQ(decide(kAllowRead, {"s3:GetObject", "arn:aws:s3:::in/a/b.jpg"}), Decision::allowed);
  EXPECT_EQ(decide(kAllowRead, {"s3:getobject", "arn:aws:s3:::in/a"}), Decision::allowed);
  EXPECT_EQ(decide(kAllowRead, {"s3:PutObject", "arn:aws:s3:::in/a"}), Decision::implicitly_denied);
  EXPECT_EQ(decide(kAllowRead, {"s3:GetObject", "arn:aws:s3:::out/a"}),
            Decision::implicitly_denied);
  std::string deny = R"(,{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::in/secret/*"})";
  EXPECT_EQ(decide(kAllowRead + deny, {"s3:GetObject", "arn:aws:s3:::in/secret/a"}),
            Decision::explicitly_denied);
}

TEST(Policy, NotActionAndNotResource) {
  EXPECT_EQ(
      decide(R"({"Effect":"Allow","NotAction":"iam:*","Resource":"*"})", {"s3:GetObject", "x"}),
      Decision::allowed);
  EXPECT_EQ(
      decide(R"({"Effect":"Allow","NotAction":"iam:*","Resource":"*"})", {"iam:GetRole", "x"}),
      Decision::implicitly_denied);
  EXPECT_EQ(decide(R"({"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::a/*"})",
                   {"s3:X", "arn:aws:s3:::a/b"}),
            Decision::implicitly_denied);
}

TEST(Policy, Conditions) {
  auto with = [](const std::string& condition,
                 std::map<std::string, std::vector<std::string>> context) {
    return decide(R"({"Effect":"Allow","Action":"*","Resource":"*","Condition":)" + condition + "}",
                  {"a:B", "*", std::move(context)}) == Decision::allowed;
  };
  EXPECT_TRUE(
      with(R"({"Bool":{"aws:SecureTransport":"true"}})", {{"aws:securetransport", {"true"}}}));
  EXPECT_FALSE(
      with(R"({"Bool":{"aws:SecureTransport":true}})", {{"aws:securetransport", {"false"}}}));
  EXPECT_FALSE(with(R"({"StringEquals":{"aws:x":"y"}})", {}));
  EXPECT_TRUE(with(R"({"StringEqualsIfExists":{"aws:x":"y"}})", {}));
  EXPECT_TRUE(with(R"({"StringNotEquals":{"aws:x":"y"}})", {{"aws:x", {"z"}}}));
  EXPECT_FALSE(with(R"({"StringNotEquals":{"aws:x":["y","z"]}})", {{"aws:x", {"z"}}}));
  EXPECT_TRUE(with(R"({"StringLike":{"s3:prefix":["a/*","b/*"]}})", {{"s3:prefix", {"b/c"}}}));
  EXPECT_TRUE(with(R"({"ArnLike":{"aws:SourceArn":"arn:aws:s3:::in-*"}})",
                   {{"aws:sourcearn", {"arn:aws:s3:::in-1"}}}));
  EXPECT_FALSE(
      with(R"({"ArnLike":{"aws:SourceArn":"arn:*:x"}})", {{"aws:sourcearn", {"arn:aws:s3:::x"}}}));
  EXPECT_TRUE(with(R"({"NumericLessThan":{"n":"10"}})", {{"n", {"9.5"}}}));
  EXPECT_TRUE(with(R"({"Null":{"aws:x":"true"}})", {}));
  EXPECT_FALSE(with(R"({"ForAllValues:StringEquals":{"k":["a","b"]}})", {{"k", {"a", "c"}}}));
  EXPECT_TRUE(with(R"({"ForAnyValue:StringEquals":{"k":["a","b"]}})", {{"k", {"a", "c"}}}));
  // All keys and operators of a Condition must hold.
  EXPECT_FALSE(with(R"({"StringEquals":{"a":"1","b":"2"}})", {{"a", {"1"}}, {"b", {"3"}}}));
}

TEST(Policy, MalformedDocumentsAreRefused) {
  for (
      const char* bad :
      {"", "[]", "{}", R"({"Statement":[{"Effect":"Maybe","Action":"*","Resource":"*"}]})",
       R"({"Statement":[{"Effect":"Allow","Action":"GetObject","Resource":"*"}]})",
       R"({"Statement":[{"Effect":"Allow","Action":"s3:*"}]})",
       R"({"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"bucket"}]})",
       R"({"Version":"2020-01-01","Statement":[]})",
       R"({"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Nonsense":{"a":"b"}}}]})"})
    EXPECT_EQ(parse_policy(bad).error().code, "MalformedPolicyDocument") << bad;
  EXPECT_EQ(parse_policy(std::string(20000, ' ')).error().code, "LimitExceeded");
}

}  // namespace
}  // namespace imgproc::localcloud::iam
