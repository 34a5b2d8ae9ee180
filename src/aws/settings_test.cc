#include <gtest/gtest.h>

#include "aws/credentials.h"
#include "aws/endpoint.h"

namespace imgproc::aws {
namespace {

TEST(Credentials, ComeFromLambdasVariables) {
  auto credentials = credentials_from(
      {{"AWS_ACCESS_KEY_ID", "a"}, {"AWS_SECRET_ACCESS_KEY", "s"}, {"AWS_SESSION_TOKEN", "t"}});
  ASSERT_TRUE(credentials);
  EXPECT_EQ(credentials->access_key_id, "a");
  EXPECT_EQ(credentials->secret_access_key, "s");
  EXPECT_EQ(credentials->session_token, "t");
}

TEST(Credentials, NameTheVariableThatIsMissing) {
  auto none = credentials_from({});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, "NO_CREDENTIALS");
  EXPECT_NE(none.error().message.find("AWS_ACCESS_KEY_ID"), std::string::npos);
  EXPECT_NE(
      credentials_from({{"AWS_ACCESS_KEY_ID", "a"}}).error().message.find("AWS_SECRET_ACCESS_KEY"),
      std::string::npos);
}

TEST(Region, IsChecked) {
  EXPECT_EQ(*region_from({{"AWS_REGION", "eu-west-1"}, {"AWS_DEFAULT_REGION", "x"}}), "eu-west-1");
  EXPECT_EQ(*region_from({{"AWS_DEFAULT_REGION", "us-east-1"}}), "us-east-1");
  EXPECT_EQ(region_from({}).error().code, "NO_REGION");
  // A region becomes part of a host name: it must not lead the credentials elsewhere.
  for (const char* bad : {"evil.example/", "EU-WEST-1", "a b", "a@b", "x.y"})
    EXPECT_EQ(region_from({{"AWS_REGION", bad}}).error().code, "INVALID_REGION") << bad;
}

TEST(Endpoint, IsAwsUnlessNamed) {
  auto s3 = endpoint_of("s3", "eu-west-1", {});
  ASSERT_TRUE(s3);
  EXPECT_EQ(s3->origin.host, "s3.eu-west-1.amazonaws.com");
  EXPECT_TRUE(s3->origin.tls);
  EXPECT_EQ(s3->origin.port, 443);
  EXPECT_FALSE(s3->custom);
  EXPECT_EQ(endpoint_of("dynamodb", "cn-north-1", {})->origin.host,
            "dynamodb.cn-north-1.amazonaws.com.cn");
}

TEST(Endpoint, ServiceVariableCountsFirst) {
  Environment environment{{"AWS_ENDPOINT_URL", "http://127.0.0.1:4566"},
                          {"AWS_ENDPOINT_URL_S3", "https://s3.example:8443"}};
  auto s3 = endpoint_of("s3", "eu-west-1", environment);
  ASSERT_TRUE(s3);
  EXPECT_EQ(s3->origin.host_header(), "s3.example:8443");
  EXPECT_TRUE(s3->custom);
  EXPECT_EQ(endpoint_of("dynamodb", "eu-west-1", environment)->origin.host_header(),
            "127.0.0.1:4566");
  environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "TRUE";
  EXPECT_FALSE(endpoint_of("s3", "eu-west-1", environment)->custom);
}

TEST(Endpoint, SaysWhichVariableIsWrong) {
  auto endpoint =
      endpoint_of("dynamodb", "eu-west-1", {{"AWS_ENDPOINT_URL_DYNAMODB", "localhost"}});
  ASSERT_FALSE(endpoint);
  EXPECT_EQ(endpoint.error().code, "INVALID_URL");
  EXPECT_TRUE(endpoint.error().message.starts_with("AWS_ENDPOINT_URL_DYNAMODB: "));
}

}  // namespace
}  // namespace imgproc::aws
