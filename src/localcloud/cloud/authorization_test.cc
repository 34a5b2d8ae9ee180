#include "localcloud/cloud/authorization.h"

#include <gtest/gtest.h>

namespace imgproc::localcloud {
namespace {

/// "action resource" of each access, one a line.
std::string accesses(http::Request request) {
  Route found = route(request);
  auto result = accesses_of(request, found, "us-east-1");
  if (!result) return result.error().code;
  std::string text;
  for (const auto& access : *result) text += access.action + " " + access.resource + "\n";
  return text;
}

http::Request s3(std::string method, std::string target, http::Headers headers = {}) {
  headers.set("Host", "127.0.0.1:4566");
  return {std::move(method), std::move(target), std::move(headers), {}};
}

http::Request json(std::string target, std::string body) {
  return {"POST", "/", {{"X-Amz-Target", std::move(target)}}, std::move(body)};
}

TEST(Authorization, NamesS3sActions) {
  EXPECT_EQ(accesses(s3("GET", "/b/a%20b")), "s3:GetObject arn:aws:s3:::b/a b\n");
  EXPECT_EQ(accesses(s3("HEAD", "/b/k?versionId=1")), "s3:GetObjectVersion arn:aws:s3:::b/k\n");
  EXPECT_EQ(accesses(s3("PUT", "/b/k")), "s3:PutObject arn:aws:s3:::b/k\n");
  EXPECT_EQ(accesses(s3("POST", "/b/k?uploads")), "s3:PutObject arn:aws:s3:::b/k\n");
  EXPECT_EQ(accesses(s3("DELETE", "/b/k?uploadId=1")),
            "s3:AbortMultipartUpload arn:aws:s3:::b/k\n");
  EXPECT_EQ(accesses(s3("DELETE", "/b/k")), "s3:DeleteObject arn:aws:s3:::b/k\n");
  EXPECT_EQ(accesses(s3("GET", "/b/k?tagging")), "s3:GetObjectTagging arn:aws:s3:::b/k\n");
  EXPECT_EQ(accesses(s3("GET", "/b?list-type=2&prefix=x")), "s3:ListBucket arn:aws:s3:::b\n");
  EXPECT_EQ(accesses(s3("PUT", "/b?notification")), "s3:PutBucketNotification arn:aws:s3:::b\n");
  EXPECT_EQ(accesses(s3("POST", "/b?delete")), "s3:DeleteObject arn:aws:s3:::b/*\n");
  EXPECT_EQ(accesses(s3("GET", "/")), "s3:ListAllMyBuckets *\n");
  EXPECT_EQ(accesses(s3("PUT", "/b/k", {{"x-amz-copy-source", "/c/d%2Fe"}})),
            "s3:PutObject arn:aws:s3:::b/k\ns3:GetObject arn:aws:s3:::c/d/e\n");
}

TEST(Authorization, WhoMayNotListABucketIsNotToldWhatItLacks) {
  auto needed = [](http::Request request) {
    Route found = route(request);
    auto access = access_to_know_missing(request, found);
    return access ? access->action + " " + access->resource : "";
  };
  EXPECT_EQ(needed(s3("GET", "/b/a%20b")), "s3:ListBucket arn:aws:s3:::b");
  EXPECT_EQ(needed(s3("HEAD", "/b/k")), "s3:ListBucket arn:aws:s3:::b");
  EXPECT_EQ(needed(s3("PUT", "/b/k")), "");
  EXPECT_EQ(needed(s3("GET", "/b")), "");
  EXPECT_EQ(needed(json("DynamoDB_20120810.GetItem", "{}")), "");
}

TEST(Authorization, EncryptedBucketsNeedTheirKeyToo) {
  auto keys = [](http::Request request) {
    Route found = route(request);
    std::string text;
    for (const auto& access :
         key_accesses(accesses_of(request, found, "r").value(), request,
                      [](const std::string& bucket) { return bucket == "b" ? "arn:key" : ""; }))
      text += access.action + " " + access.resource + "\n";
    return text;
  };
  EXPECT_EQ(keys(s3("GET", "/b/k")), "kms:Decrypt arn:key\n");
  EXPECT_EQ(keys(s3("GET", "/b/k?versionId=1")), "kms:Decrypt arn:key\n");
  EXPECT_EQ(keys(s3("PUT", "/b/k")), "kms:GenerateDataKey arn:key\n");
  EXPECT_EQ(keys(s3("PUT", "/plain/k", {{"x-amz-copy-source", "/b/k"}})), "kms:Decrypt arn:key\n");
  EXPECT_EQ(keys(s3("HEAD", "/b/k")), "");
  EXPECT_EQ(keys(s3("DELETE", "/b/k")), "");
  EXPECT_EQ(keys(s3("GET", "/plain/k")), "");
}

TEST(Authorization, FindsTheKeyOfAnEncryptionConfiguration) {
  EXPECT_EQ(key_in_encryption("<ServerSideEncryptionConfiguration xmlns=\"x\"><Rule>"
                              "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms"
                              "</SSEAlgorithm><KMSMasterKeyID>arn:key</KMSMasterKeyID>"
                              "</ApplyServerSideEncryptionByDefault></Rule>"
                              "</ServerSideEncryptionConfiguration>"),
            "arn:key");
  EXPECT_EQ(key_in_encryption("<a><SSEAlgorithm>AES256</SSEAlgorithm></a>"), "");
  EXPECT_EQ(key_in_encryption("no xml <"), "");
}

TEST(Authorization, NamesTheTables) {
  EXPECT_EQ(accesses(json("DynamoDB_20120810.PutItem", R"({"TableName":"t"})")),
            "dynamodb:PutItem arn:aws:dynamodb:us-east-1:000000000000:table/t\n");
  EXPECT_EQ(accesses(json("DynamoDB_20120810.Query", R"({"TableName":"t","IndexName":"i"})")),
            "dynamodb:Query arn:aws:dynamodb:us-east-1:000000000000:table/t/index/i\n");
  EXPECT_EQ(accesses(json("DynamoDB_20120810.BatchGetItem", R"({"RequestItems":{"a":{},"b":{}}})")),
            "dynamodb:BatchGetItem arn:aws:dynamodb:us-east-1:000000000000:table/a\n"
            "dynamodb:BatchGetItem arn:aws:dynamodb:us-east-1:000000000000:table/b\n");
  EXPECT_EQ(accesses(json("DynamoDB_20120810.TransactWriteItems",
                          R"({"TransactItems":[{"Put":{"TableName":"a"}}]})")),
            "dynamodb:PutItem arn:aws:dynamodb:us-east-1:000000000000:table/a\n");
  EXPECT_EQ(accesses(json("DynamoDB_20120810.ListTables", "{}")), "dynamodb:ListTables *\n");
}

TEST(Authorization, NamesTheRest) {
  EXPECT_EQ(accesses(json("AmazonSQS.SendMessage",
                          R"({"QueueUrl":"http://127.0.0.1:1/000000000000/q"})")),
            "sqs:SendMessage arn:aws:sqs:us-east-1:000000000000:q\n");
  EXPECT_EQ(
      accesses(json("Logs_20140328.PutLogEvents", R"({"logGroupName":"g","logStreamName":"s"})")),
      "logs:PutLogEvents arn:aws:logs:us-east-1:000000000000:log-group:g:log-stream:s\n");
  EXPECT_EQ(accesses({"POST", "/2015-03-31/functions/f/invocations", {}, {}}),
            "lambda:InvokeFunction arn:aws:lambda:us-east-1:000000000000:function:f\n");
  EXPECT_EQ(accesses({"PUT", "/2017-10-31/functions/f/concurrency", {}, {}}),
            "lambda:PutFunctionConcurrency arn:aws:lambda:us-east-1:000000000000:function:f\n");
  EXPECT_EQ(accesses({"DELETE", "/2015-03-31/functions/f", {}, {}}), "lambda:DeleteFunction *\n");
  EXPECT_EQ(accesses({"POST",
                      "/",
                      {{"Content-Type", "application/x-www-form-urlencoded"}},
                      "Action=GetCallerIdentity&Version=2011-06-15"}),
            "");
}

}  // namespace
}  // namespace imgproc::localcloud
