#include "base/bytes.h"
#include "base/hash.h"
#include "localcloud/s3/test_support.h"
#include "localcloud/s3/uploads.h"

namespace imgproc::localcloud::s3 {
namespace {

using base::HashAlgorithm;

class MultipartTest : public S3Test {
 protected:
  void SetUp() override {
    S3Test::SetUp();
    make_bucket("big");
    first = std::string(kPartBytesMin, 'a');
    second = std::string(kPartBytesMin + 17, 'b');
    last = "tail";
  }
  std::string create(http::Headers headers = {}) {
    Reply reply = send("POST", "/big/k?uploads", {}, std::move(headers));
    EXPECT_EQ(reply.status, 200) << reply.body;
    return reply.element("UploadId");
  }
  std::string put_part(const std::string& id, int number, const std::string& body,
                       http::Headers headers = {}) {
    Reply reply = send("PUT", "/big/k?partNumber=" + std::to_string(number) + "&uploadId=" + id,
                       body, std::move(headers));
    EXPECT_EQ(reply.status, 200) << reply.body;
    return reply.header("ETag");
  }
  static std::string part_xml(int number, const std::string& etag, const std::string& extra = {}) {
    return "<Part><PartNumber>" + std::to_string(number) + "</PartNumber><ETag>" + etag +
           "</ETag>" + extra + "</Part>";
  }
  Reply complete(const std::string& id, const std::string& parts, http::Headers headers = {}) {
    return send("POST", "/big/k?uploadId=" + id,
                "<CompleteMultipartUpload>" + parts + "</CompleteMultipartUpload>",
                std::move(headers));
  }
  static std::string sum(HashAlgorithm algorithm, const std::string& text) {
    return base::to_base64(base::hash(algorithm, text));
  }

  std::string first, second, last;
};

TEST_F(MultipartTest, PartsBecomeOneObject) {
  std::string id = create({{"Content-Type", "video/mp4"}, {"x-amz-meta-a", "b"}});
  std::string e3 = put_part(id, 30, last);
  std::string e1 = put_part(id, 1, "replaced later");
  e1 = put_part(id, 1, first);
  std::string e2 = put_part(id, 7, second);
  put_part(id, 40, "not listed");
  EXPECT_EQ(send("GET", "/big/k").status, 404);

  Reply parts = send("GET", "/big/k?uploadId=" + id + "&max-parts=2&part-number-marker=1");
  EXPECT_EQ(parts.elements("PartNumber"), (std::vector<std::string>{"7", "30"}));
  EXPECT_EQ(parts.element("IsTruncated"), "true");
  EXPECT_EQ(parts.element("NextPartNumberMarker"), "30");
  EXPECT_EQ(send("GET", "/big?uploads").element("UploadId"), id);

  Reply done = complete(id, part_xml(1, e1) + part_xml(7, e2) + part_xml(30, e3));
  ASSERT_EQ(done.status, 200) << done.body;
  std::string etag =
      "\"" +
      base::md5_hex(base::hash(HashAlgorithm::md5, first) + base::hash(HashAlgorithm::md5, second) +
                    base::hash(HashAlgorithm::md5, last)) +
      "-3\"";
  EXPECT_EQ(base::percent_decode(done.element("ETag")),
            "&quot;" + etag.substr(1, etag.size() - 2) + "&quot;");
  EXPECT_EQ(files(), 3U);

  std::string whole = first + second + last;
  Reply get = send("GET", "/big/k", {}, {{"x-amz-checksum-mode", "ENABLED"}});
  EXPECT_EQ(get.body, whole);
  EXPECT_EQ(get.header("ETag"), etag);
  EXPECT_EQ(get.header("Content-Type"), "video/mp4");
  EXPECT_EQ(get.header("x-amz-meta-a"), "b");
  EXPECT_EQ(get.header("x-amz-checksum-crc64nvme"), sum(HashAlgorithm::crc64nvme, whole));
  std::string range =
      "bytes=" + std::to_string(first.size() - 2) + "-" + std::to_string(first.size() + 1);
  EXPECT_EQ(send("GET", "/big/k", {}, {{"Range", range}}).body, "aabb");
  EXPECT_EQ(send("GET", "/big/k", {}, {{"Range", "bytes=-6"}}).body, "bbtail");
  Reply part = send("GET", "/big/k?partNumber=3");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "tail");
  EXPECT_EQ(part.header("x-amz-mp-parts-count"), "3");
  EXPECT_EQ(send("HEAD", "/big/k?partNumber=2").head_content_length, second.size());
  EXPECT_EQ(send("GET", "/big/k?partNumber=4").status, 416);

  Reply again = complete(id, part_xml(1, e1) + part_xml(7, e2) + part_xml(30, e3));
  EXPECT_EQ(again.status, 200) << "a repeated completion gets the same answer";
  EXPECT_EQ(again.element("ETag"), done.element("ETag"));
  EXPECT_TRUE(send("GET", "/big?uploads").elements("UploadId").empty());

  Reply attributes = send("GET", "/big/k?attributes", {},
                          {{"x-amz-object-attributes", "ETag,ObjectParts,ObjectSize,Checksum"}});
  EXPECT_EQ(attributes.element("PartsCount"), "3");
  EXPECT_EQ(attributes.element("ObjectSize"), std::to_string(whole.size()));
  EXPECT_EQ(send("DELETE", "/big/k").status, 204);
  EXPECT_EQ(files(), 0U);
}

TEST_F(MultipartTest, AReaderKeepsThePartsOfADeletedObject) {
  std::string id = create();
  std::string parts = part_xml(1, put_part(id, 1, first)) + part_xml(2, put_part(id, 2, last));
  ASSERT_EQ(complete(id, parts).status, 200);
  {
    http::Response open = respond("GET", "/big/k");
    send("DELETE", "/big/k");
    EXPECT_EQ(files(), 2U);
    EXPECT_EQ(read(std::move(open)).body, first + last);
  }
  EXPECT_EQ(files(), 0U);
}

TEST_F(MultipartTest, WrongCompletionsAreRefusedAndChangeNothing) {
  std::string id = create();
  std::string e1 = put_part(id, 1, "small");
  std::string e2 = put_part(id, 2, last);
  struct Case {
    std::string parts, code;
  };
  for (const Case& c : std::vector<Case>{
           {part_xml(1, e1) + part_xml(2, e2), "EntityTooSmall"},
           {part_xml(2, e2) + part_xml(1, e1), "InvalidPartOrder"},
           {part_xml(1, e1) + part_xml(1, e1), "InvalidPartOrder"},
           {part_xml(1, e2), "InvalidPart"},
           {part_xml(3, e1), "InvalidPart"},
           {part_xml(0, e1), "InvalidArgument"},
           {"", "MalformedXML"},
           {"<Part><ETag>x</ETag></Part>", "MalformedXML"},
       })
    EXPECT_EQ(complete(id, c.parts).element("Code"), c.code) << c.parts;
  EXPECT_EQ(complete(id, part_xml(1, e1), {{"x-amz-mp-object-size", "6"}}).element("Code"),
            "InvalidRequest");
  EXPECT_EQ(send("GET", "/big/k").status, 404);
  EXPECT_EQ(complete("nope", part_xml(1, e1)).element("Code"), "NoSuchUpload");
  send("PUT", "/big/k", "there already");
  EXPECT_EQ(complete(id, part_xml(1, e1), {{"If-None-Match", "*"}}).status, 412);
  EXPECT_EQ(complete(id, part_xml(1, e1)).status, 200);
  EXPECT_EQ(send("GET", "/big/k").body, "small");
}

TEST_F(MultipartTest, AbortLeavesNothing) {
  std::string id = create();
  put_part(id, 1, first);
  EXPECT_EQ(send("DELETE", "/big/k?uploadId=" + id).status, 204);
  EXPECT_EQ(files(), 0U);
  EXPECT_EQ(send("DELETE", "/big/k?uploadId=" + id).element("Code"), "NoSuchUpload");
  EXPECT_EQ(send("PUT", "/big/k?partNumber=1&uploadId=" + id, "x").element("Code"), "NoSuchUpload");
  EXPECT_EQ(send("PUT", "/big/k?partNumber=0&uploadId=" + id, "x").element("Code"),
            "InvalidArgument");
  EXPECT_EQ(files(), 0U);
}

TEST_F(MultipartTest, CompositeChecksums) {
  std::string id = create({{"x-amz-checksum-algorithm", "SHA256"}});
  std::string s1 = sum(HashAlgorithm::sha256, first);
  std::string s2 = sum(HashAlgorithm::sha256, last);
  std::string e1 = put_part(id, 1, first, {{"x-amz-checksum-sha256", s1}});
  std::string e2 = put_part(id, 2, last, {{"x-amz-checksum-sha256", s2}});
  EXPECT_EQ(send("PUT", "/big/k?partNumber=3&uploadId=" + id, "x",
                 {{"x-amz-checksum-crc32", sum(HashAlgorithm::crc32, "x")}})
                .element("Code"),
            "InvalidRequest");
  auto element = [](const std::string& value) {
    return "<ChecksumSHA256>" + value + "</ChecksumSHA256>";
  };
  EXPECT_EQ(complete(id, part_xml(1, e1) + part_xml(2, e2)).element("Code"), "InvalidRequest");
  EXPECT_EQ(
      complete(id, part_xml(1, e1, element(s2)) + part_xml(2, e2, element(s2))).element("Code"),
      "InvalidPart");
  Reply done = complete(id, part_xml(1, e1, element(s1)) + part_xml(2, e2, element(s2)));
  EXPECT_EQ(done.status, 200) << done.body;
  std::string expected = sum(HashAlgorithm::sha256, base::hash(HashAlgorithm::sha256, first) +
                                                        base::hash(HashAlgorithm::sha256, last)) +
                         "-2";
  EXPECT_EQ(done.element("ChecksumSHA256"), expected);
  Reply get = send("HEAD", "/big/k", {}, {{"x-amz-checksum-mode", "ENABLED"}});
  EXPECT_EQ(get.header("x-amz-checksum-sha256"), expected);
  EXPECT_EQ(get.header("x-amz-checksum-type"), "COMPOSITE");
}

TEST_F(MultipartTest, FullObjectChecksums) {
  for (auto [algorithm, name, header] :
       std::vector<std::tuple<HashAlgorithm, std::string, std::string>>{
           {HashAlgorithm::crc64nvme, "CRC64NVME", "x-amz-checksum-crc64nvme"},
           {HashAlgorithm::crc32, "CRC32", "x-amz-checksum-crc32"}}) {
    std::string id =
        create({{"x-amz-checksum-algorithm", name}, {"x-amz-checksum-type", "FULL_OBJECT"}});
    std::string parts = part_xml(1, put_part(id, 1, first, {{header, sum(algorithm, first)}})) +
                        part_xml(2, put_part(id, 2, last, {{header, sum(algorithm, last)}}));
    EXPECT_EQ(complete(id, parts, {{header, sum(algorithm, "wrong")}}).element("Code"),
              "BadDigest");
    Reply done =
        complete(id, parts,
                 {{header, sum(algorithm, first + last)}, {"x-amz-checksum-type", "FULL_OBJECT"}});
    EXPECT_EQ(done.status, 200) << done.body;
    EXPECT_EQ(done.element("ChecksumType"), "FULL_OBJECT");
    EXPECT_EQ(done.element("Checksum" + name), sum(algorithm, first + last));
  }
  EXPECT_EQ(send("POST", "/big/k?uploads", {},
                 {{"x-amz-checksum-algorithm", "SHA1"}, {"x-amz-checksum-type", "FULL_OBJECT"}})
                .status,
            400);
  EXPECT_EQ(send("POST", "/big/k?uploads", {},
                 {{"x-amz-checksum-algorithm", "CRC64NVME"}, {"x-amz-checksum-type", "COMPOSITE"}})
                .status,
            400);
}

TEST_F(MultipartTest, PartsCanBeCopied) {
  send("PUT", "/big/source", first + last);
  std::string id = create();
  auto copy = [&](int number, const std::string& range) {
    return send("PUT", "/big/k?partNumber=" + std::to_string(number) + "&uploadId=" + id, {},
                {{"x-amz-copy-source", "big/source"}, {"x-amz-copy-source-range", range}});
  };
  Reply a = copy(1, "bytes=0-" + std::to_string(first.size() - 1));
  Reply b =
      copy(2, "bytes=" + std::to_string(first.size()) + "-" + std::to_string(first.size() + 3));
  ASSERT_EQ(a.status, 200) << a.body;
  ASSERT_EQ(b.status, 200) << b.body;
  EXPECT_EQ(copy(3, "bytes=0-" + std::to_string(first.size() + 4)).element("Code"),
            "InvalidArgument");
  EXPECT_EQ(copy(3, "0-5").element("Code"), "InvalidArgument");
  EXPECT_EQ(
      complete(id, part_xml(1, base::md5_hex(first)) + part_xml(2, base::md5_hex(last))).status,
      200);
  EXPECT_EQ(send("GET", "/big/k").body, first + last);
}

TEST_F(MultipartTest, UploadsAreListedByKeyAndAge) {
  std::vector<std::string> ids;
  for (std::string key : {"a", "a", "d/1", "d/2", "z"}) {
    ids.push_back(send("POST", "/big/" + key + "?uploads").element("UploadId"));
    clock.advance(std::chrono::seconds(1));
  }
  EXPECT_EQ(send("GET", "/big?uploads").elements("UploadId"), ids);
  Reply grouped = send("GET", "/big?uploads&delimiter=/&max-uploads=3");
  EXPECT_EQ(grouped.elements("UploadId"), (std::vector<std::string>{ids[0], ids[1]}));
  EXPECT_EQ(grouped.element("CommonPrefixes"), "<Prefix>d/</Prefix>");
  EXPECT_EQ(grouped.element("IsTruncated"), "true");
  EXPECT_EQ(grouped.element("NextKeyMarker"), "d/");
  EXPECT_EQ(send("GET", "/big?uploads&delimiter=/&key-marker=d/").elements("UploadId"),
            (std::vector<std::string>{ids[4]}));
  EXPECT_EQ(
      send("GET", "/big?uploads&key-marker=a&upload-id-marker=" + ids[0]).elements("UploadId"),
      (std::vector<std::string>{ids[1], ids[2], ids[3], ids[4]}));
  EXPECT_EQ(send("GET", "/big?uploads&key-marker=a").elements("UploadId"),
            (std::vector<std::string>{ids[2], ids[3], ids[4]}));
  EXPECT_EQ(send("GET", "/big?uploads&prefix=d/").elements("UploadId"),
            (std::vector<std::string>{ids[2], ids[3]}));
}

}  // namespace
}  // namespace imgproc::localcloud::s3
