#include "localcloud/s3/test_support.h"

namespace imgproc::localcloud::s3 {
namespace {

class SubresourceTest : public S3Test {
 protected:
  void SetUp() override {
    S3Test::SetUp();
    make_bucket("bucket");
  }
};

TEST_F(SubresourceTest, UnconfiguredFormsAreTheOnesTerraformExpects) {
  for (auto [parameter, code] : std::vector<std::pair<std::string, std::string>>{
           {"tagging", "NoSuchTagSet"},
           {"policy", "NoSuchBucketPolicy"},
           {"lifecycle", "NoSuchLifecycleConfiguration"},
           {"cors", "NoSuchCORSConfiguration"},
           {"website", "NoSuchWebsiteConfiguration"},
           {"replication", "ReplicationConfigurationNotFoundError"},
           {"object-lock", "ObjectLockConfigurationNotFoundError"}}) {
    Reply reply = send("GET", "/bucket?" + parameter + "=");
    EXPECT_EQ(reply.status, 404) << parameter;
    EXPECT_EQ(reply.element("Code"), code);
    EXPECT_EQ(send("GET", "/nowhere?" + parameter).element("Code"), "NoSuchBucket");
  }
  for (std::string parameter : {"accelerate", "logging", "requestPayment", "acl", "versioning"})
    EXPECT_EQ(send("GET", "/bucket?" + parameter).status, 200) << parameter;
  EXPECT_EQ(send("GET", "/bucket?requestPayment").element("Payer"), "BucketOwner");
  EXPECT_EQ(send("GET", "/bucket?encryption").element("SSEAlgorithm"), "AES256");
  EXPECT_EQ(send("GET", "/bucket?publicAccessBlock").element("BlockPublicPolicy"), "true");
  EXPECT_EQ(send("GET", "/bucket?ownershipControls").element("ObjectOwnership"),
            "BucketOwnerEnforced");
  EXPECT_EQ(send("PUT", "/bucket?website", "<WebsiteConfiguration/>").status, 501);
}

TEST_F(SubresourceTest, WhatIsPutIsShownAndDeleted) {
  struct Case {
    std::string parameter, body;
    int status;
  };
  const std::string ns = " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";
  for (const Case& c : std::vector<Case>{
           {"policy",
            "{\"Version\":\"2012-10-17\",  \"Statement\":[{\"Resource\":\"arn:aws:s3:::bucket\"}]}",
            204},
           {"lifecycle",
            "<LifecycleConfiguration" + ns +
                "><Rule><ID>x</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status>"
                "<Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>",
            200},
           {"encryption",
            "<ServerSideEncryptionConfiguration" + ns +
                "><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>"
                "</ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>",
            200},
           {"publicAccessBlock",
            "<PublicAccessBlockConfiguration" + ns +
                "><BlockPublicAcls>false</BlockPublicAcls></PublicAccessBlockConfiguration>",
            200},
           {"ownershipControls",
            "<OwnershipControls" + ns +
                "><Rule><ObjectOwnership>BucketOwnerPreferred</ObjectOwnership></Rule>"
                "</OwnershipControls>",
            200},
           {"cors",
            "<CORSConfiguration" + ns +
                "><CORSRule><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>",
            200},
       }) {
    EXPECT_EQ(send("PUT", "/bucket?" + c.parameter + "=", c.body).status, c.status) << c.parameter;
    EXPECT_EQ(send("GET", "/bucket?" + c.parameter).body, c.body);
    EXPECT_EQ(send("DELETE", "/bucket?" + c.parameter).status, 204);
    EXPECT_EQ(send("GET", "/bucket?" + c.parameter).status,
              c.parameter == "encryption" ? 200 : 404);
    EXPECT_GE(send("PUT", "/bucket?" + c.parameter, "nonsense").status, 400);
  }
}

TEST_F(SubresourceTest, LifecycleKeepsItsHeaderAndGivesIds) {
  std::string body =
      "<LifecycleConfiguration><Rule><Filter><Prefix>a</Prefix></Filter><Status>Enabled</Status>"
      "</Rule></LifecycleConfiguration>";
  EXPECT_EQ(send("PUT", "/bucket?lifecycle", body,
                 {{"x-amz-transition-default-minimum-object-size", "varies_by_storage_class"}})
                .status,
            200);
  Reply reply = send("GET", "/bucket?lifecycle");
  EXPECT_EQ(reply.header("x-amz-transition-default-minimum-object-size"),
            "varies_by_storage_class");
  EXPECT_EQ(reply.element("ID"), "rule-1");
  EXPECT_EQ(send("PUT", "/bucket?lifecycle", body).status, 200);
  EXPECT_EQ(send("GET", "/bucket?lifecycle").header("x-amz-transition-default-minimum-object-size"),
            "all_storage_classes_128K");
}

TEST_F(SubresourceTest, BucketTags) {
  std::string body =
      "<Tagging><TagSet><Tag><Key>a</Key><Value>1 &amp; 2</Value></Tag></TagSet></Tagging>";
  EXPECT_EQ(send("PUT", "/bucket?tagging", body).status, 204);
  EXPECT_EQ(send("GET", "/bucket?tagging").element("Tag"), "<Key>a</Key><Value>1 &amp; 2</Value>");
  EXPECT_EQ(send("DELETE", "/bucket?tagging").status, 204);
  EXPECT_EQ(send("GET", "/bucket?tagging").element("Code"), "NoSuchTagSet");
}

TEST_F(SubresourceTest, ConfigurationsEndWithTheirBucket) {
  send("PUT", "/bucket?tagging",
       "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>");
  send("POST", "/bucket/k?uploads");
  EXPECT_EQ(send("DELETE", "/bucket").status, 204);
  make_bucket("bucket");
  EXPECT_EQ(send("GET", "/bucket?tagging").status, 404);
  EXPECT_TRUE(send("GET", "/bucket?uploads").elements("UploadId").empty());
}

}  // namespace
}  // namespace imgproc::localcloud::s3
