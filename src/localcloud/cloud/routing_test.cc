#include "localcloud/cloud/routing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace imgproc::localcloud {
namespace {

using ::testing::HasSubstr;

http::Request signed_request(std::string method, std::string target, std::string_view service) {
  http::Request request{std::move(method), std::move(target), {}, {}};
  request.headers.set("Authorization",
                      "AWS4-HMAC-SHA256 Credential=AKID/20261122/eu-west-1/" +
                          std::string(service) +
                          "/aws4_request, SignedHeaders=host;x-amz-date, Signature=0");
  return request;
}

TEST(Routing, FollowsTheCredentialScope) {
  struct Case {
    std::string_view scope;
    std::string_view service;
  };
  for (const auto& [scope, service] :
       {Case{"s3", "s3"}, {"lambda", "lambda"}, {"dynamodb", "dynamodb"}, {"sts", "sts"}}) {
    auto request = signed_request("GET", "/2015-03-31/functions", scope);
    Route found = route(request);
    EXPECT_EQ(found.service, service);
    EXPECT_EQ(found.region, "eu-west-1");
    EXPECT_EQ(found.access_key_id, "AKID");
  }
}

TEST(Routing, FollowsThePresignedScope) {
  http::Request request{
      "GET", "/b/k?X-Amz-Credential=AK%2FID%2F20261122%2Fus-east-1%2Fs3%2Faws4_request", {}, {}};
  Route found = route(request);
  EXPECT_EQ(found.service, "s3");
  EXPECT_EQ(found.access_key_id, "AK/ID");
}

TEST(Routing, KnowsVersion2KeysAsS3) {
  http::Request query{"GET", "/b/k?AWSAccessKeyId=AK&Signature=x&Expires=1", {}, {}};
  EXPECT_EQ(route(query).service, "s3");
  EXPECT_EQ(route(query).access_key_id, "AK");
  http::Request header{"GET", "/b/k", {{"Authorization", "AWS AK:sig"}}, {}};
  EXPECT_EQ(route(header).access_key_id, "AK");
}

TEST(Routing, FollowsTheTarget) {
  auto request = signed_request("POST", "/", "dynamodb");
  request.headers.set("X-Amz-Target", "DynamoDB_20120810.PutItem");
  EXPECT_EQ(route(request).operation, "PutItem");
  EXPECT_EQ(route(request).protocol, Protocol::json);
  http::Request unsigned_request{
      "POST", "/", {{"X-Amz-Target", "Logs_20140328.FilterLogEvents"}}, {}};
  EXPECT_EQ(route(unsigned_request).service, "logs");
}

TEST(Routing, FollowsTheFormAndLeavesItsBody) {
  http::Request request{"POST",
                        "/",
                        {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}},
                        "Action=GetCallerIdentity&Version=2011-06-15"};
  Route found = route(request);
  EXPECT_EQ(found.service, "sts");
  EXPECT_EQ(found.operation, "GetCallerIdentity");
  EXPECT_EQ(found.protocol, Protocol::query);
  EXPECT_EQ(request.body.text, "Action=GetCallerIdentity&Version=2011-06-15");
}

TEST(Routing, TakesLambdasPathsAndGivesTheRestToS3) {
  http::Request invoke{"POST", "/2015-03-31/functions/f/invocations", {}, "{}"};
  EXPECT_EQ(route(invoke).service, "lambda");
  EXPECT_EQ(route(invoke).protocol, Protocol::rest_json);
  http::Request object{"GET", "/bucket/2015-03-31/functions", {}, {}};
  EXPECT_EQ(route(object).service, "s3");
  http::Request form{
      "POST", "/bucket", {{"Content-Type", "application/x-www-form-urlencoded"}}, "a=b"};
  EXPECT_EQ(route(form).service, "s3");
}

TEST(Routing, SurvivesNonsense) {
  for (std::string_view credential :
       {"", "/", "////", "a/b/c/d/e", "AK/1/r//aws4_request", "AK/1/r/s3/aws5"}) {
    http::Request request{
        "GET",
        "/",
        {{"Authorization", "AWS4-HMAC-SHA256 Credential=" + std::string(credential)}},
        {}};
    EXPECT_EQ(route(request).service, "s3") << credential;
  }
}

TEST(Routing, WritesErrorsInEachForm) {
  base::Error error{.code = "NotImplemented", .message = "no", .http_status = 501};
  http::Request request{"GET", "/b", {}, {}};
  Route found;
  found.protocol = Protocol::s3;
  EXPECT_THAT(error_response(found, error, request, "r").body.text,
              HasSubstr("<Error><Code>NotImplemented</Code>"));
  found.protocol = Protocol::json;
  EXPECT_THAT(error_response(found, error, request, "r").body.text,
              HasSubstr(R"("__type":"NotImplemented")"));
  found.protocol = Protocol::rest_json;
  EXPECT_EQ(error_response(found, error, request, "r").headers.get("X-Amzn-ErrorType"),
            "NotImplemented");
  found.protocol = Protocol::query;
  found.service = "iam";
  EXPECT_THAT(error_response(found, error, request, "r").body.text,
              HasSubstr("<ErrorResponse xmlns=\"https://iam"));
  EXPECT_EQ(error_response(found, error, request, "r").status, 501);
}

}  // namespace
}  // namespace imgproc::localcloud
