#include "base/bytes.h"
#include "base/hash.h"
#include "base/time.h"
#include "localcloud/s3/test_support.h"

namespace imgproc::localcloud::s3 {
namespace {

class CopyTest : public S3Test {
 protected:
  void SetUp() override {
    S3Test::SetUp();
    make_bucket("from");
    make_bucket("dest");
    send("PUT", "/from/a%20b%2B%3F", "content",
         {{"Content-Type", "text/plain"}, {"x-amz-meta-x", "1"}, {"x-amz-tagging", "k=v"}});
  }
  Reply copy(http::Headers headers, const std::string& target = "/dest/copy") {
    if (!headers.has("x-amz-copy-source")) headers.add("x-amz-copy-source", "/from/a%20b%2B%3F");
    return send("PUT", target, {}, std::move(headers));
  }
};

TEST_F(CopyTest, CopiesBodyMetadataAndTags) {
  Reply reply = copy({});
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.element("ETag"), "&quot;" + base::md5_hex("content") + "&quot;");
  Reply get = send("GET", "/dest/copy");
  EXPECT_EQ(get.body, "content");
  EXPECT_EQ(get.header("Content-Type"), "text/plain");
  EXPECT_EQ(get.header("x-amz-meta-x"), "1");
  EXPECT_EQ(get.header("x-amz-tagging-count"), "1");
}

TEST_F(CopyTest, DirectivesReplace) {
  copy({{"x-amz-metadata-directive", "REPLACE"},
        {"Content-Type", "image/png"},
        {"x-amz-tagging-directive", "REPLACE"},
        {"x-amz-tagging", "a=b&c=d"}});
  Reply get = send("GET", "/dest/copy");
  EXPECT_EQ(get.header("Content-Type"), "image/png");
  EXPECT_EQ(get.header("x-amz-meta-x"), "");
  EXPECT_EQ(get.header("x-amz-tagging-count"), "2");
  EXPECT_EQ(copy({{"x-amz-metadata-directive", "WHAT"}}).element("Code"), "InvalidArgument");
}

TEST_F(CopyTest, ToItselfOnlyWithAChange) {
  EXPECT_EQ(copy({}, "/from/a%20b%2B%3F").element("Code"), "InvalidRequest");
  EXPECT_EQ(
      copy({{"x-amz-metadata-directive", "REPLACE"}, {"x-amz-meta-y", "2"}}, "/from/a%20b%2B%3F")
          .status,
      200);
  Reply get = send("GET", "/from/a%20b%2B%3F");
  EXPECT_EQ(get.body, "content");
  EXPECT_EQ(get.header("x-amz-meta-y"), "2");
}

TEST_F(CopyTest, Conditions) {
  std::string etag = base::md5_hex("content");
  std::string past = base::to_http_date(clock.now() - std::chrono::hours(1));
  EXPECT_EQ(copy({{"x-amz-copy-source-if-match", etag}}).status, 200);
  EXPECT_EQ(copy({{"x-amz-copy-source-if-match", "x"}}).status, 412);
  EXPECT_EQ(copy({{"x-amz-copy-source-if-none-match", etag}}).status, 412);
  EXPECT_EQ(copy({{"x-amz-copy-source-if-unmodified-since", past}}).status, 412);
  EXPECT_EQ(copy({{"x-amz-copy-source-if-modified-since", past}}).status, 200);
  EXPECT_EQ(copy({{"If-None-Match", "*"}}).status, 412);
}

TEST_F(CopyTest, SourcesByVersionAndWrongSources) {
  enable_versioning("from");
  std::string old = send("PUT", "/from/v", "old").header("x-amz-version-id");
  send("PUT", "/from/v", "new");
  Reply reply = copy({{"x-amz-copy-source", "from/v?versionId=" + old}});
  EXPECT_EQ(reply.header("x-amz-copy-source-version-id"), old);
  EXPECT_EQ(send("GET", "/dest/copy").body, "old");
  std::string marker = send("DELETE", "/from/v").header("x-amz-version-id");
  EXPECT_EQ(copy({{"x-amz-copy-source", "from/v"}}).element("Code"), "NoSuchKey");
  EXPECT_EQ(copy({{"x-amz-copy-source", "from/v?versionId=" + marker}}).element("Code"),
            "InvalidRequest");
  EXPECT_EQ(copy({{"x-amz-copy-source", "nowhere/v"}}).element("Code"), "NoSuchBucket");
  EXPECT_EQ(copy({{"x-amz-copy-source", "from"}}).element("Code"), "InvalidArgument");
  // A version of itself may be put on top.
  EXPECT_EQ(copy({{"x-amz-copy-source", "from/v?versionId=" + old}}, "/from/v").status, 200);
  EXPECT_EQ(send("GET", "/from/v").body, "old");
}

TEST_F(CopyTest, LargeBodiesAndOtherChecksums) {
  std::string large(100000, 'q');
  send("PUT", "/from/large", large);
  Reply reply = copy({{"x-amz-copy-source", "/from/large"}, {"x-amz-checksum-algorithm", "SHA1"}});
  EXPECT_EQ(reply.element("ChecksumSHA1"),
            base::to_base64(base::hash(base::HashAlgorithm::sha1, large)));
  EXPECT_EQ(send("GET", "/dest/copy").body, large);
  EXPECT_EQ(files(), 2U);
  send("DELETE", "/from/large");
  EXPECT_EQ(send("GET", "/dest/copy").body, large);
}

TEST_F(CopyTest, ObjectTags) {
  EXPECT_EQ(send("GET", "/from/a%20b%2B%3F?tagging").element("Tag"),
            "<Key>k</Key><Value>v</Value>");
  auto put = [&](const std::string& tags) {
    return send("PUT", "/from/a%20b%2B%3F?tagging",
                "<Tagging><TagSet>" + tags + "</TagSet></Tagging>");
  };
  EXPECT_EQ(put("<Tag><Key>a&amp;b=c</Key><Value>&lt;x&gt; +%</Value></Tag>").status, 200);
  EXPECT_EQ(send("GET", "/from/a%20b%2B%3F?tagging").element("Tag"),
            "<Key>a&amp;b=c</Key><Value>&lt;x&gt; +%</Value>");
  std::string twice = "<Tag><Key>a</Key><Value>1</Value></Tag>";
  EXPECT_EQ(put(twice + twice).element("Code"), "InvalidTag");
  std::string many;
  for (int i = 0; i < 11; ++i) many += "<Tag><Key>k" + std::to_string(i) + "</Key><Value/></Tag>";
  EXPECT_EQ(put(many).element("Code"), "BadRequest");
  EXPECT_EQ(send("DELETE", "/from/a%20b%2B%3F?tagging").status, 204);
  EXPECT_EQ(send("GET", "/from/a%20b%2B%3F").header("x-amz-tagging-count"), "");
  EXPECT_EQ(send("GET", "/from/none?tagging").element("Code"), "NoSuchKey");
}

}  // namespace
}  // namespace imgproc::localcloud::s3
