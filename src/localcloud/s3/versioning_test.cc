#include "base/bytes.h"
#include "localcloud/s3/test_support.h"

namespace imgproc::localcloud::s3 {
namespace {

class VersioningTest : public S3Test {
 protected:
  void SetUp() override {
    S3Test::SetUp();
    make_bucket("bucket");
  }
  std::string put(const std::string& key, const std::string& body) {
    clock.advance(std::chrono::seconds(1));
    return send("PUT", "/bucket/" + key, body).header("x-amz-version-id");
  }
};

TEST_F(VersioningTest, VersionsAreKeptListedAndDeleted) {
  EXPECT_EQ(put("k", "zero"), "");
  EXPECT_EQ(send("GET", "/bucket?versioning").body.find("<Status>"), std::string::npos);
  enable_versioning("bucket");
  EXPECT_EQ(send("GET", "/bucket?versioning=").element("Status"), "Enabled");
  std::string one = put("k", "one");
  std::string two = put("k", "two");
  EXPECT_NE(one, two);
  EXPECT_EQ(send("GET", "/bucket/k").body, "two");
  EXPECT_EQ(send("GET", "/bucket/k").header("x-amz-version-id"), two);
  EXPECT_EQ(send("GET", "/bucket/k?versionId=" + one).body, "one");
  EXPECT_EQ(send("GET", "/bucket/k?versionId=null").body, "zero");
  EXPECT_EQ(send("GET", "/bucket/k?versionId=nope").element("Code"), "NoSuchVersion");

  Reply deleted = send("DELETE", "/bucket/k");
  EXPECT_EQ(deleted.status, 204);
  EXPECT_EQ(deleted.header("x-amz-delete-marker"), "true");
  std::string marker = deleted.header("x-amz-version-id");
  Reply gone = send("GET", "/bucket/k");
  EXPECT_EQ(gone.status, 404);
  EXPECT_EQ(gone.header("x-amz-delete-marker"), "true");
  EXPECT_EQ(gone.header("x-amz-version-id"), marker);
  EXPECT_EQ(send("GET", "/bucket/k?versionId=" + marker).status, 405);
  EXPECT_TRUE(send("GET", "/bucket?list-type=2").elements("Key").empty());
  EXPECT_EQ(send("DELETE", "/bucket").element("Code"), "BucketNotEmpty");

  Reply versions = send("GET", "/bucket?versions=&encoding-type=url");
  EXPECT_EQ(versions.elements("VersionId"), (std::vector<std::string>{marker, two, one, "null"}));
  EXPECT_EQ(versions.elements("IsLatest"),
            (std::vector<std::string>{"true", "false", "false", "false"}));
  EXPECT_EQ(versions.elements("DeleteMarker").size(), 1U);

  Reply unmarked = send("DELETE", "/bucket/k?versionId=" + marker);
  EXPECT_EQ(unmarked.header("x-amz-delete-marker"), "true");
  EXPECT_EQ(send("GET", "/bucket/k").body, "two");
  send("DELETE", "/bucket/k?versionId=" + two);
  EXPECT_EQ(send("GET", "/bucket/k").body, "one");
  Reply rest = send("POST", "/bucket?delete",
                    "<Delete><Object><Key>k</Key><VersionId>" + one +
                        "</VersionId></Object><Object><Key>k</Key><VersionId>null</VersionId>"
                        "</Object></Delete>");
  EXPECT_EQ(rest.elements("VersionId"), (std::vector<std::string>{one, "null"}));
  EXPECT_TRUE(send("GET", "/bucket?versions").elements("VersionId").empty());
  EXPECT_EQ(send("DELETE", "/bucket").status, 204);
}

TEST_F(VersioningTest, SuspendedBucketsOverwriteTheNullVersionOnly) {
  enable_versioning("bucket");
  std::string one = put("k", "one");
  enable_versioning("bucket", "Suspended");
  EXPECT_EQ(put("k", "null 1"), "null");
  EXPECT_EQ(put("k", "null 2"), "null");
  EXPECT_EQ(send("GET", "/bucket?versions").elements("VersionId"),
            (std::vector<std::string>{"null", one}));
  EXPECT_EQ(send("DELETE", "/bucket/k").header("x-amz-version-id"), "null");
  EXPECT_EQ(send("GET", "/bucket?versions").elements("VersionId"),
            (std::vector<std::string>{"null", one}));
  EXPECT_EQ(send("GET", "/bucket/k").status, 404);
  EXPECT_EQ(send("GET", "/bucket/k?versionId=" + one).body, "one");
  enable_versioning("bucket");
  std::string two = put("k", "two");
  EXPECT_EQ(send("GET", "/bucket?versions").elements("VersionId"),
            (std::vector<std::string>{two, "null", one}));
}

TEST_F(VersioningTest, ListingPagesGoOnAfterTheirVersionsAreDeleted) {
  enable_versioning("bucket");
  std::vector<std::string> all;
  for (std::string key : {"a", "b", "c"})
    for (int i = 0; i < 4; ++i) put(key, "x");
  all = send("GET", "/bucket?versions").elements("VersionId");
  ASSERT_EQ(all.size(), 12U);
  for (std::size_t page = 1; page <= 5; ++page) {
    std::vector<std::string> seen;
    std::string from;
    for (int rounds = 0; rounds < 20; ++rounds) {
      Reply reply = send("GET", "/bucket?versions&max-keys=" + std::to_string(page) + from);
      for (const std::string& id : reply.elements("VersionId")) seen.push_back(id);
      if (reply.element("IsTruncated") != "true") break;
      from = "&key-marker=" + reply.element("NextKeyMarker") +
             "&version-id-marker=" + reply.element("NextVersionIdMarker");
    }
    EXPECT_EQ(seen, all);
  }
  Reply first = send("GET", "/bucket?versions&max-keys=2");
  for (const std::string& id : first.elements("VersionId"))
    send("DELETE", "/bucket/a?versionId=" + id);
  Reply next = send("GET", "/bucket?versions&key-marker=" + first.element("NextKeyMarker") +
                               "&version-id-marker=" + first.element("NextVersionIdMarker"));
  EXPECT_EQ(next.elements("VersionId"), std::vector<std::string>(all.begin() + 2, all.end()));
  EXPECT_EQ(send("GET", "/bucket?versions&version-id-marker=x").element("Code"), "InvalidArgument");
}

TEST_F(VersioningTest, ConditionsSeeTheNewestVersion) {
  enable_versioning("bucket");
  put("k", "one");
  send("DELETE", "/bucket/k");
  EXPECT_EQ(send("PUT", "/bucket/k", "two", {{"If-None-Match", "*"}}).status, 200);
  EXPECT_EQ(send("PUT", "/bucket/k", "three", {{"If-None-Match", "*"}}).status, 412);
  EXPECT_EQ(send("PUT", "/bucket?versioning", "<VersioningConfiguration/>").element("Code"),
            "IllegalVersioningConfigurationException");
}

}  // namespace
}  // namespace imgproc::localcloud::s3
