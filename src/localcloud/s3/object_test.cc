#include "base/bytes.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/time.h"
#include "localcloud/s3/test_support.h"

namespace imgproc::localcloud::s3 {
namespace {

using base::HashAlgorithm;

class ObjectTest : public S3Test {
 protected:
  void SetUp() override {
    S3Test::SetUp();
    make_bucket("photos");
  }
};

TEST_F(ObjectTest, PutGetHeadDelete) {
  Reply put = send("PUT", "/photos/a/b.txt", "hello",
                   {{"Content-Type", "text/plain"},
                    {"x-amz-meta-Color", "blue"},
                    {"Cache-Control", "max-age=1"},
                    {"Content-Encoding", "aws-chunked, gzip"},
                    {"x-amz-decoded-content-length", "5"}});
  EXPECT_EQ(put.status, 200) << put.body;
  EXPECT_EQ(put.header("ETag"), "\"5d41402abc4b2a76b9719d911017c592\"");
  EXPECT_EQ(put.header("x-amz-version-id"), "");

  Reply get = send("GET", "/photos/a/b.txt?x-id=GetObject");
  EXPECT_EQ(get.status, 200);
  EXPECT_EQ(get.body, "hello");
  EXPECT_EQ(get.header("Content-Type"), "text/plain");
  EXPECT_EQ(get.header("x-amz-meta-color"), "blue");
  EXPECT_EQ(get.header("Cache-Control"), "max-age=1");
  EXPECT_EQ(get.header("Content-Encoding"), "gzip");
  EXPECT_EQ(get.header("Last-Modified"), base::to_http_date(clock.now()));
  EXPECT_EQ(get.header("x-amz-checksum-crc64nvme"), "");

  Reply head = send("HEAD", "/photos/a/b.txt", {}, {{"x-amz-checksum-mode", "ENABLED"}});
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(head.head_content_length, 5U);
  EXPECT_EQ(head.header("x-amz-checksum-crc64nvme"),
            base::to_base64(base::hash(HashAlgorithm::crc64nvme, "hello")));
  EXPECT_EQ(head.header("x-amz-checksum-type"), "FULL_OBJECT");

  EXPECT_EQ(send("DELETE", "/photos/a/b.txt").status, 204);
  EXPECT_EQ(send("DELETE", "/photos/a/b.txt").status, 204);
  Reply missing = send("GET", "/photos/a/b.txt");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.element("Code"), "NoSuchKey");
  EXPECT_EQ(missing.element("Key"), "a/b.txt");
  EXPECT_EQ(send("HEAD", "/photos/a/b.txt").body, "");
  Reply nowhere = send("GET", "/nowhere/a");
  EXPECT_EQ(nowhere.element("Code"), "NoSuchBucket");
  EXPECT_EQ(nowhere.element("BucketName"), "nowhere");
}

TEST_F(ObjectTest, LargeBodiesAreFilesThatDisappearWithTheirObject) {
  std::string large(300000, 'x');
  EXPECT_EQ(send("PUT", "/photos/large", large).status, 200);
  EXPECT_EQ(files(), 1U);
  EXPECT_EQ(send("GET", "/photos/large").body, large);
  large[7] = 'y';
  EXPECT_EQ(send("PUT", "/photos/large", large).status, 200);
  EXPECT_EQ(files(), 1U);
  EXPECT_EQ(send("GET", "/photos/large").body, large);
  EXPECT_EQ(send("PUT", "/photos/large", "small now").status, 200);
  EXPECT_EQ(files(), 0U);
}

TEST_F(ObjectTest, PowerDurabilityStoresTheSame) {
  stop();
  durability = Durability::power;
  start();
  std::string large(100000, 'x');
  EXPECT_EQ(send("PUT", "/photos/large", large).status, 200);
  EXPECT_EQ(send("GET", "/photos/large").body, large);
}

TEST_F(ObjectTest, AReaderIsNotDisturbedByOverwriteAndDelete) {
  std::string large(200000, 'a');
  send("PUT", "/photos/large", large);
  http::Response open = respond("GET", "/photos/large");
  send("PUT", "/photos/large", std::string(200000, 'b'));
  send("DELETE", "/photos/large");
  EXPECT_EQ(read(std::move(open)).body, large);
  EXPECT_EQ(files(), 0U);
}

TEST_F(ObjectTest, ARefusedBodyLeavesNothing) {
  std::string large(100000, 'x');
  Reply reply =
      send("PUT", "/photos/k", large, {{"Content-MD5", base::to_base64(std::string(16, 'm'))}});
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.element("Code"), "BadDigest");
  EXPECT_EQ(files(), 0U);
  EXPECT_EQ(send("GET", "/photos/k").status, 404);
}

TEST_F(ObjectTest, OrphansAreSweptAtStart) {
  send("PUT", "/photos/large", std::string(100000, 'x'));
  std::filesystem::path bodies = folder / "s3" / "bodies" / "ab";
  std::filesystem::create_directories(bodies);
  {
    std::ofstream(bodies / "ab00") << "orphan";
  }
  {
    std::ofstream(folder / "s3" / "tmp" / "cd00") << "half";
  }
  EXPECT_EQ(files(), 3U);
  stop();
  start();
  EXPECT_EQ(files(), 1U);
  EXPECT_EQ(send("GET", "/photos/large").body.size(), 100000U);
}

TEST_F(ObjectTest, ChecksumsAreVerifiedAndEchoed) {
  for (auto [algorithm, header] : std::vector<std::pair<HashAlgorithm, std::string>>{
           {HashAlgorithm::crc32, "x-amz-checksum-crc32"},
           {HashAlgorithm::crc32c, "x-amz-checksum-crc32c"},
           {HashAlgorithm::crc64nvme, "x-amz-checksum-crc64nvme"},
           {HashAlgorithm::sha1, "x-amz-checksum-sha1"},
           {HashAlgorithm::sha256, "x-amz-checksum-sha256"}}) {
    std::string right = base::to_base64(base::hash(algorithm, "data"));
    std::string wrong = base::to_base64(base::hash(algorithm, "dada"));
    Reply put = send("PUT", "/photos/k", "data", {{header, right}});
    EXPECT_EQ(put.status, 200) << header << put.body;
    EXPECT_EQ(put.header(header), right);
    EXPECT_EQ(send("GET", "/photos/k", {}, {{"x-amz-checksum-mode", "ENABLED"}}).header(header),
              right);
    Reply bad = send("PUT", "/photos/k", "data", {{header, wrong}});
    EXPECT_EQ(bad.status, 400) << header;
    EXPECT_EQ(bad.element("Code"), "BadDigest");
    Reply malformed = send("PUT", "/photos/k", "data", {{header, "xyz"}});
    EXPECT_EQ(malformed.element("Code"), "InvalidRequest");

    std::string chunked = "4\r\ndata\r\n0\r\n" + header + ":" + right + "\r\n\r\n";
    http::Headers streaming{{"x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"},
                            {"x-amz-decoded-content-length", "4"},
                            {"Content-Encoding", "aws-chunked"},
                            {"x-amz-trailer", header}};
    Reply streamed = send("PUT", "/photos/streamed", chunked, streaming);
    EXPECT_EQ(streamed.status, 200) << streamed.body;
    EXPECT_EQ(streamed.header(header), right);
    Reply get = send("GET", "/photos/streamed");
    EXPECT_EQ(get.body, "data");
    EXPECT_EQ(get.header("Content-Encoding"), "");
    chunked = "4\r\ndata\r\n0\r\n" + header + ":" + wrong + "\r\n\r\n";
    EXPECT_EQ(send("PUT", "/photos/streamed", chunked, streaming).element("Code"), "BadDigest");
    EXPECT_EQ(send("PUT", "/photos/streamed", "4\r\ndata\r\n0\r\n\r\n", streaming).element("Code"),
              "MalformedTrailerError");
  }
  EXPECT_EQ(send("PUT", "/photos/k", "d", {{"x-amz-sdk-checksum-algorithm", "CRC32"}}).status, 400);
}

TEST_F(ObjectTest, PayloadHashesAreVerified) {
  EXPECT_EQ(
      send("PUT", "/photos/k", "data", {{"x-amz-content-sha256", base::sha256_hex("data")}}).status,
      200);
  EXPECT_EQ(send("PUT", "/photos/k", "data", {{"x-amz-content-sha256", base::sha256_hex("x")}})
                .element("Code"),
            "XAmzContentSHA256Mismatch");
  EXPECT_EQ(send("PUT", "/photos/k", "data", {{"x-amz-content-sha256", "UNSIGNED-PAYLOAD"}}).status,
            200);
  EXPECT_EQ(send("PUT", "/photos/k", "data", {{"x-amz-content-sha256", "abc"}}).element("Code"),
            "InvalidArgument");
  EXPECT_EQ(send("PUT", "/photos/k", "data",
                 {{"x-amz-content-sha256", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"}})
                .status,
            501);
  EXPECT_EQ(send("PUT", "/photos/k", "data", {{"Content-MD5", "abc"}}).element("Code"),
            "InvalidDigest");
}

TEST_F(ObjectTest, RangesTable) {
  send("PUT", "/photos/digits", "0123456789");
  send("PUT", "/photos/empty", "");
  struct Case {
    std::string key, range;
    int status;
    std::string body, content_range;
  };
  for (const Case& c : std::vector<Case>{
           {"digits", "bytes=0-0", 206, "0", "bytes 0-0/10"},
           {"digits", "bytes=2-4", 206, "234", "bytes 2-4/10"},
           {"digits", "bytes=7-", 206, "789", "bytes 7-9/10"},
           {"digits", "bytes=8-100", 206, "89", "bytes 8-9/10"},
           {"digits", "bytes=-3", 206, "789", "bytes 7-9/10"},
           {"digits", "bytes=-100", 206, "0123456789", "bytes 0-9/10"},
           {"digits", "bytes=8-99999999999999999999999", 206, "89", "bytes 8-9/10"},
           {"digits", "bytes=-99999999999999999999999", 206, "0123456789", "bytes 0-9/10"},
           {"digits", "bytes=10-", 416, "", "bytes */10"},
           {"digits", "bytes=99999999999999999999999-", 416, "", "bytes */10"},
           {"digits", "bytes=-0", 416, "", "bytes */10"},
           {"digits", "bytes=4-2", 200, "0123456789", ""},
           {"digits", "bytes=1-2,4-5", 200, "0123456789", ""},
           {"digits", "bytes=x-5", 200, "0123456789", ""},
           {"digits", "items=1-2", 200, "0123456789", ""},
           {"empty", "bytes=0-0", 416, "", "bytes */0"},
           {"empty", "bytes=-1", 416, "", "bytes */0"},
       }) {
    Reply get = send("GET", "/photos/" + c.key, {}, {{"Range", c.range}});
    EXPECT_EQ(get.status, c.status) << c.range;
    EXPECT_EQ(get.header("Content-Range"), c.content_range) << c.range;
    if (c.status == 416) {
      EXPECT_EQ(get.element("Code"), "InvalidRange");
      EXPECT_EQ(get.element("RangeRequested"), c.range);
      EXPECT_EQ(get.element("ActualObjectSize"), c.key == "empty" ? "0" : "10");
    } else {
      EXPECT_EQ(get.body, c.body) << c.range;
    }
  }
  std::string large(100000, 'x');
  large[65536] = 'y';
  send("PUT", "/photos/large", large);
  EXPECT_EQ(send("GET", "/photos/large", {}, {{"Range", "bytes=65535-65537"}}).body, "xyx");
  EXPECT_EQ(send("HEAD", "/photos/large", {}, {{"Range", "bytes=1-2"}}).head_content_length, 2U);
  EXPECT_EQ(send("GET", "/photos/digits?partNumber=1").status, 206);
  EXPECT_EQ(send("GET", "/photos/digits?partNumber=2").element("Code"), "InvalidPartNumber");
}

TEST_F(ObjectTest, ReadConditionsTable) {
  send("PUT", "/photos/k", "hello");
  std::string etag = "\"5d41402abc4b2a76b9719d911017c592\"";
  std::string now = base::to_http_date(clock.now());
  std::string before = base::to_http_date(clock.now() - std::chrono::hours(1));
  std::string after = base::to_http_date(clock.now() + std::chrono::hours(1));
  struct Case {
    http::Headers headers;
    int status;
  };
  std::vector<Case> cases{
      {{{"If-Match", etag}}, 200},
      {{{"If-Match", "5d41402abc4b2a76b9719d911017c592"}}, 200},
      {{{"If-Match", "*"}}, 200},
      {{{"If-Match", "\"x\", " + etag}}, 200},
      {{{"If-Match", "\"x\""}}, 412},
      {{{"If-None-Match", etag}}, 304},
      {{{"If-None-Match", "*"}}, 304},
      {{{"If-None-Match", "\"x\""}}, 200},
      {{{"If-Modified-Since", before}}, 200},
      {{{"If-Modified-Since", now}}, 304},
      {{{"If-Modified-Since", after}}, 304},
      {{{"If-Modified-Since", "rubbish"}}, 200},
      {{{"If-Unmodified-Since", before}}, 412},
      {{{"If-Unmodified-Since", now}}, 200},
      {{{"If-Unmodified-Since", after}}, 200},
      {{{"If-Match", etag}, {"If-Unmodified-Since", before}}, 200},
      {{{"If-None-Match", etag}, {"If-Modified-Since", before}}, 304},
      {{{"If-None-Match", "\"x\""}, {"If-Modified-Since", after}}, 200},
      {{{"If-Match", "\"x\""}, {"If-None-Match", etag}}, 412},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    for (const char* method : {"GET", "HEAD"}) {
      Reply reply = send(method, "/photos/k", {}, cases[i].headers);
      EXPECT_EQ(reply.status, cases[i].status) << method << " case " << i;
      if (reply.status == 304) {
        EXPECT_EQ(reply.header("ETag"), etag);
        EXPECT_EQ(reply.body, "");
      }
    }
  }
}

TEST_F(ObjectTest, WriteConditions) {
  EXPECT_EQ(send("PUT", "/photos/k", "a", {{"If-Match", "\"x\""}}).element("Code"), "NoSuchKey");
  EXPECT_EQ(send("PUT", "/photos/k", "a", {{"If-None-Match", "*"}}).status, 200);
  EXPECT_EQ(send("PUT", "/photos/k", "b", {{"If-None-Match", "*"}}).status, 412);
  EXPECT_EQ(send("PUT", "/photos/k", "b", {{"If-None-Match", "\"x\""}}).status, 501);
  EXPECT_EQ(send("PUT", "/photos/k", "b", {{"If-Match", "\"x\""}}).status, 412);
  std::string etag = send("HEAD", "/photos/k").header("ETag");
  EXPECT_EQ(send("PUT", "/photos/k", "b", {{"If-Match", etag}}).status, 200);
  EXPECT_EQ(send("DELETE", "/photos/k", {}, {{"If-Match", etag}}).status, 412);
  EXPECT_EQ(send("DELETE", "/photos/k", {}, {{"If-Match", base::md5_hex("b")}}).status, 204);
  EXPECT_EQ(send("GET", "/photos/k").status, 404);
}

TEST_F(ObjectTest, ResponseOverrides) {
  send("PUT", "/photos/k", "a", {{"Content-Type", "text/plain"}});
  Reply get = send("GET",
                   "/photos/k?response-content-type=image%2Fpng&response-content-disposition="
                   "attachment%3B%20filename%3Dx&response-cache-control=no-store");
  EXPECT_EQ(get.header("Content-Type"), "image/png");
  EXPECT_EQ(get.header("Content-Disposition"), "attachment; filename=x");
  EXPECT_EQ(get.header("Cache-Control"), "no-store");
}

TEST_F(ObjectTest, AnyUtf8KeyRoundTrips) {
  for (std::string key :
       {std::string("a b"), std::string("a+b"), std::string("%2B"), std::string("../../x"),
        std::string("//x//"), std::string("/x"), std::string("x/"), std::string("."),
        std::string(".."), std::string("\xC3\xA9"), std::string("e\xCC\x81"),
        std::string("\xF0\x9F\x98\x80"), std::string("a\\b;c?d&e=f#g"), std::string(1024, 'k'),
        std::string("tab\there")}) {
    std::string target = "/photos/" + base::percent_encode(key, true);
    EXPECT_EQ(send("PUT", target, key).status, 200) << key;
    EXPECT_EQ(send("GET", target).body, key);
    Reply list =
        send("GET", "/photos?list-type=2&encoding-type=url&prefix=" + base::percent_encode(key));
    ASSERT_GE(list.elements("Key").size(), 1U) << key;
    EXPECT_EQ(base::percent_decode(list.elements("Key")[0], true), key);
  }
  EXPECT_EQ(send("PUT", "/photos/" + std::string(1025, 'k'), "x").element("Code"),
            "KeyTooLongError");
  EXPECT_EQ(send("PUT", "/photos/%FF%FE", "x").status, 400);
  // Nothing was written outside of the service's own folder.
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    EXPECT_TRUE(entry.path().filename() == "s3" ||
                entry.path().filename().string().starts_with("index.db"))
        << entry.path();
}

TEST_F(ObjectTest, UnsupportedRequestsAreRefusedNotIgnored) {
  EXPECT_EQ(send("GET", "/photos/k?torrent").status, 501);
  EXPECT_EQ(send("PUT", "/photos?analytics", "x").status, 501);
  Reply sse = send("PUT", "/photos/k", "x",
                   {{"x-amz-server-side-encryption-customer-algorithm", "AES256"}});
  EXPECT_EQ(sse.status, 501);
  EXPECT_EQ(sse.element("Code"), "NotImplemented");
  EXPECT_EQ(send("PUT", "/photos/k", "x", {{"x-amz-acl", "public-read"}}).element("Code"),
            "AccessControlListNotSupported");
  EXPECT_EQ(send("PATCH", "/photos/k").status, 501);
  http::Body chunked(http::to_reader("x"), std::nullopt);
  EXPECT_EQ(send("PUT", "/photos/k", std::move(chunked)).element("Code"), "MissingContentLength");
  EXPECT_EQ(
      send("PUT", "/photos/k", "x", {{"x-amz-meta-big", std::string(2100, 'm')}}).element("Code"),
      "MetadataTooLarge");
}

TEST_F(ObjectTest, VirtualHostedBuckets) {
  for (std::string host : {"photos.localhost:4566", "photos.s3.localhost", "PHOTOS.localhost",
                           "photos.s3.eu-west-1.amazonaws.com", "photos.s3.amazonaws.com"}) {
    EXPECT_EQ(send("PUT", "/k", host, {{"Host", host}}).status, 200) << host;
    EXPECT_EQ(send("GET", "/photos/k").body, host);
  }
  for (std::string host : {"localhost:4566", "127.0.0.1", "[::1]:4566", "s3.localhost", "cloud",
                           "s3.eu-west-1.amazonaws.com"})
    EXPECT_EQ(send("GET", "/photos/k", {}, {{"Host", host}}).status, 200) << host;
}

TEST_F(ObjectTest, DeleteObjectsReportsEveryKey) {
  send("PUT", "/photos/a", "1");
  send("PUT", "/photos/b", "2");
  Reply reply = send("POST", "/photos?delete",
                     "<Delete><Object><Key>a</Key></Object><Object><Key>zzz</Key></Object>"
                     "<Object><Key>b</Key><ETag>\"x\"</ETag></Object></Delete>");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.elements("Key"), (std::vector<std::string>{"a", "zzz", "b"}));
  EXPECT_EQ(reply.element("Code"), "PreconditionFailed");
  EXPECT_EQ(send("GET", "/photos/a").status, 404);
  EXPECT_EQ(send("GET", "/photos/b").status, 200);
  Reply quiet = send("POST", "/photos?delete=",
                     "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>"
                     "<Object><Key>b</Key></Object></Delete>");
  EXPECT_TRUE(quiet.elements("Key").empty());
  EXPECT_EQ(send("GET", "/photos/b").status, 404);
  for (std::string bad : {"", "<Delete>", "<Delete/>", "<Other/>", "<Delete><Object/></Delete>"})
    EXPECT_EQ(send("POST", "/photos?delete", bad).element("Code"), "MalformedXML") << bad;
}

TEST_F(ObjectTest, KeysOfSpacesCanBeDeletedByTheHundred) {
  send("PUT", "/photos/%20", "1");
  Reply reply =
      send("POST", "/photos?delete", "<Delete> <Object> <Key> </Key> </Object> </Delete>");
  EXPECT_EQ(reply.elements("Key"), std::vector<std::string>{" "}) << reply.body;
  EXPECT_EQ(send("GET", "/photos/%20").status, 404);
}

TEST_F(ObjectTest, HeadersThatChangeAnOperationAreHonouredOrRefused) {
  EXPECT_EQ(
      send("PUT", "/photos/k", "old", {{"x-amz-expected-bucket-owner", "000000000000"}}).status,
      200);
  Reply foreign =
      send("PUT", "/photos/k", "new", {{"x-amz-expected-bucket-owner", "123456789012"}});
  EXPECT_EQ(foreign.status, 403);
  EXPECT_EQ(foreign.element("Code"), "AccessDenied");
  for (const char* header : {"x-amz-write-offset-bytes", "x-amz-checksum-sha512"}) {
    Reply refused = send("PUT", "/photos/k", "new", {{header, "3"}});
    EXPECT_EQ(refused.status, 501) << header;
    EXPECT_EQ(refused.element("Code"), "NotImplemented") << header;
  }
  EXPECT_EQ(send("GET", "/photos/k").body, "old");
  for (const char* method : {"GET", "HEAD"})
    EXPECT_EQ(send(method, "/photos/k", {},
                   {{"x-amz-server-side-encryption-customer-algorithm", "AES256"}})
                  .status,
              501)
        << method << ": it is not encrypted with that key";
}

TEST_F(ObjectTest, BucketsAreCreatedListedAndDeleted) {
  EXPECT_EQ(send("HEAD", "/photos").status, 200);
  EXPECT_EQ(send("HEAD", "/photos").header("x-amz-bucket-region"), "us-east-1");
  EXPECT_EQ(send("PUT", "/photos").status, 200);
  EXPECT_EQ(send("PUT", "/other",
                 "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint>"
                 "</CreateBucketConfiguration>")
                .header("Location"),
            "/other");
  EXPECT_EQ(send("PUT", "/other",
                 "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint>"
                 "</CreateBucketConfiguration>")
                .element("Code"),
            "BucketAlreadyOwnedByYou");
  EXPECT_NE(send("GET", "/other?location").body.find(">eu-west-1</LocationConstraint>"),
            std::string::npos);
  EXPECT_EQ(send("GET", "/").elements("Name"), (std::vector<std::string>{"other", "photos"}));
  for (std::string name :
       {"ab", "Upper", "a..b", "-ab", "ab-", "192.168.1.1", "under_score", "xn--a"})
    EXPECT_EQ(send("PUT", "/" + name).element("Code"), "InvalidBucketName") << name;
  send("PUT", "/photos/k", "x");
  EXPECT_EQ(send("DELETE", "/photos").element("Code"), "BucketNotEmpty");
  send("DELETE", "/photos/k");
  EXPECT_EQ(send("DELETE", "/photos").status, 204);
  EXPECT_EQ(send("HEAD", "/photos").status, 404);
  EXPECT_EQ(send("DELETE", "/photos").element("Code"), "NoSuchBucket");
}

TEST_F(ObjectTest, OverwritingLeavesOneBodyWhateverItsSizes) {
  const std::string small(1000, 's');
  const std::string other(9000, 'o');
  const std::string another(9000, 'a');
  const std::string large(100'000, 'l');
  for (const std::string& body :
       {small, other, large, small, std::string(), large, other, another, another}) {
    ASSERT_EQ(send("PUT", "/photos/k", body).status, 200);
    EXPECT_EQ(send("GET", "/photos/k").body, body);
    EXPECT_EQ(files(), body == large ? 1U : 0U);
    std::int64_t texts = -1;
    ASSERT_TRUE(database->read([&](Connection& connection) -> base::Status {
      IMGPROC_TRY(Statement query, connection.prepare("SELECT count(*) FROM s3_texts"));
      IMGPROC_TRY([[maybe_unused]] bool found, query.step());
      texts = query.column_int(0);
      return {};
    }));
    EXPECT_EQ(texts, body == large || body.empty() ? 0 : 1);
  }
  EXPECT_EQ(send("GET", "/photos?versions").elements("VersionId").size(), 1U);
}

TEST_F(ObjectTest, SequencersGrowOverRestartsEvenIfTheClockStandsStill) {
  ASSERT_EQ(send("PUT", "/photos?notification",
                 "<NotificationConfiguration><CloudFunctionConfiguration><Id>all</Id>"
                 "<CloudFunction>arn:aws:lambda:us-east-1:000000000000:function:f</CloudFunction>"
                 "<Event>s3:ObjectCreated:*</Event></CloudFunctionConfiguration>"
                 "</NotificationConfiguration>")
                .status,
            200);
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 3; ++i) ASSERT_EQ(send("PUT", "/photos/k", "x").status, 200);
    std::vector<std::string> payloads = sink->payloads();
    EXPECT_EQ(payloads.size(), static_cast<std::size_t>(3 * (round + 1)));
    std::string last;
    for (const std::string& payload : payloads) {
      auto event = base::json::parse(payload);
      std::string sequencer(
          event.at("Records").at(0).at("s3").at("object").at("sequencer").as_string());
      EXPECT_GT(sequencer, last);
      last = sequencer;
    }
    stop();
    if (round == 1) clock.advance(std::chrono::seconds(60));
    start();
  }
}

}  // namespace
}  // namespace imgproc::localcloud::s3
