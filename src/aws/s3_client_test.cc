#include "aws/s3_client.h"

#include <gtest/gtest.h>

#include "aws/s3_headers.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/time.h"
#include "http/fake_exchange_test.h"

namespace imgproc::aws {
namespace {

using http::BorrowedExchange;
using http::FakeExchange;

class S3 : public testing::Test {
 protected:
  S3() : client_(make(true)) {}

  std::unique_ptr<S3Client> make(bool custom) {
    Endpoint endpoint;
    endpoint.custom = custom;
    endpoint.origin = custom ? http::Origin{false, "127.0.0.1", 4566}
                             : http::Origin{true, "s3.eu-west-1.amazonaws.com", 443};
    return std::make_unique<S3Client>(endpoint, [this](const http::Origin& origin) {
      hosts_.push_back(origin.host);
      return std::make_unique<BorrowedExchange>(fake_);
    });
  }

  base::Result<std::string> get(const ports::GetOptions& options = {}, std::string_view key = "k") {
    std::string received;
    ports::BlobSink sink{.begin =
                             [this](const ports::BlobInfo& info) {
                               ++begun_;
                               info_ = info;
                               return base::Status{};
                             },
                         .write =
                             [&](std::span<const std::byte> bytes) {
                               received += base::as_text(bytes);
                               return base::Status{};
                             }};
    auto info = client_->get("bucket", key, options, sink);
    if (!info) return std::unexpected(info.error());
    return received;
  }

  static http::Headers object_headers(const std::string& body) {
    return {{"ETag", "\"" + base::md5_hex(body) + "\""},
            {"Content-Length", std::to_string(body.size())}};
  }
  static FakeExchange::Answer breaks_after(const std::string& part, const std::string& whole,
                                           int status = 200, http::Headers extra = {}) {
    return [=](const http::Request&) -> base::Result<http::Response> {
      http::Response response{.status = status, .headers = object_headers(whole)};
      for (const auto& [name, value] : extra.fields()) response.headers.set(name, value);
      response.body = http::Body(
          std::make_unique<http::BrokenBody>(
              part, base::Error{.code = "CONNECTION_CLOSED", .message = "gone", .retryable = true}),
          whole.size());
      return response;
    };
  }

  FakeExchange fake_;
  std::vector<std::string> hosts_;
  std::unique_ptr<S3Client> client_;
  ports::BlobInfo info_;
  int begun_ = 0;
};

TEST_F(S3, PutSendsWhatAnSdkSends) {
  fake_.then(
      200, {{"ETag", "\"abc\""}, {"x-amz-version-id", "v1"}, {"x-amz-checksum-crc32", "Z1H8Uw=="}});
  ports::PutOptions options{
      .content_type = "image/jpeg",
      .cache_control = "no-cache",
      .metadata = {{"imgproc-source", "b/größe.jpg"}, {"imgproc-generated", "true"}},
      .if_match = "",
      .if_none_match = true};
  auto info = client_->put("bucket", "a b/c+d%.jpg", base::as_bytes("1\n"), options);
  ASSERT_TRUE(info) << info.error().describe();
  EXPECT_EQ(info->etag, "abc");
  EXPECT_EQ(info->version_id, "v1");
  auto sent = fake_.sent().at(0);
  EXPECT_EQ(sent.method, "PUT");
  EXPECT_EQ(sent.target, "/bucket/a%20b/c%2Bd%25.jpg");
  EXPECT_EQ(sent.body, "1\n");
  // The recorded upload of the same two bytes by AWS CLI carries the same CRC32.
  EXPECT_EQ(sent.headers.get("x-amz-checksum-crc32"), "Z1H8Uw==");
  EXPECT_EQ(sent.headers.get("x-amz-sdk-checksum-algorithm"), "CRC32");
  EXPECT_EQ(sent.headers.get("If-None-Match"), "*");
  EXPECT_FALSE(sent.headers.has("If-Match"));
  EXPECT_EQ(sent.headers.get("Content-Type"), "image/jpeg");
  EXPECT_EQ(sent.headers.get("Cache-Control"), "no-cache");
  EXPECT_EQ(sent.headers.get("x-amz-meta-imgproc-generated"), "true");
  EXPECT_EQ(sent.headers.get("x-amz-meta-imgproc-source"), "=?UTF-8?B?Yi9ncsO2w59lLmpwZw==?=");
  EXPECT_EQ(sent.headers.get("Host"), "127.0.0.1:4566");
}

TEST_F(S3, PutOverAnETag) {
  fake_.then(412, {},
             "<Error><Code>PreconditionFailed</Code><Message>At least one</Message></Error>");
  auto info = client_->put("bucket", "k", {}, {.if_match = "abc"});
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error().code, ports::kPreconditionFailed);
  EXPECT_FALSE(info.error().retryable);
  EXPECT_EQ(fake_.sent()[0].headers.get("If-Match"), "\"abc\"");
}

TEST_F(S3, PutConflictMayBeTriedAgain) {
  fake_.then(409, {}, "<Error><Code>ConditionalRequestConflict</Code></Error>");
  auto info = client_->put("bucket", "k", {}, {.if_none_match = true});
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error().code, ports::kConditionalConflict);
  EXPECT_TRUE(info.error().retryable);
}

TEST_F(S3, PutNoticesWhatWasDamagedOnTheWay) {
  fake_.then(200, {{"ETag", "\"abc\""}, {"x-amz-checksum-crc32", "AAAAAA=="}});
  EXPECT_EQ(client_->put("bucket", "k", base::as_bytes("x"), {}).error().code, "CHECKSUM_MISMATCH");
  fake_.then(200);
  EXPECT_EQ(client_->put("bucket", "k", base::as_bytes("x"), {}).error().code, "BAD_RESPONSE");
}

TEST_F(S3, AddressesBucketsByHostOnAws) {
  client_ = make(false);
  fake_.then(200, {{"Content-Length", "0"}});
  fake_.then(200, {{"Content-Length", "0"}});
  fake_.then(200, {{"Content-Length", "0"}});
  ASSERT_TRUE(client_->head("bucket", "k"));
  ASSERT_TRUE(client_->head("bucket", "l"));
  // TLS certificates are for one label below s3.
  ASSERT_TRUE(client_->head("bucket.with.dots", "k"));
  EXPECT_EQ(fake_.sent()[0].target, "/k");
  EXPECT_EQ(fake_.sent()[0].headers.get("Host"), "bucket.s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(fake_.sent()[2].target, "/bucket.with.dots/k");
  EXPECT_EQ(fake_.sent()[2].headers.get("Host"), "s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(hosts_, (std::vector<std::string>{"bucket.s3.eu-west-1.amazonaws.com",
                                              "s3.eu-west-1.amazonaws.com"}));
}

TEST_F(S3, RefusesNamesThatLeadElsewhere) {
  for (const char* bucket : {"", "ab", "a/b", "evil.example/x?", "a b c", "a@bc", "a\r\nb"})
    EXPECT_EQ(client_->head(bucket, "k").error().code, "InvalidBucketName") << bucket;
  EXPECT_EQ(client_->head("bucket", "").error().code, "InvalidKey");
  EXPECT_EQ(client_->remove("bucket", "").error().code, "InvalidKey");
  EXPECT_EQ(client_->head("bucket", std::string(1025, 'k')).error().code, "InvalidKey");
  EXPECT_TRUE(fake_.sent().empty());
}

TEST_F(S3, GetStreamsAndTellsFirst) {
  http::Headers headers = object_headers("hello");
  headers.set("Content-Type", "image/png");
  headers.set("Last-Modified", "Sun, 22 Nov 2026 08:29:41 GMT");
  headers.set("x-amz-meta-Imgproc-Source", "=?utf-8?B?w7Y=?=");
  headers.set("x-amz-version-id", "v2");
  fake_.then(200, headers, "hello");
  EXPECT_EQ(get({.version_id = "v 2", .if_match = "e"}).value_or("failed"), "hello");
  EXPECT_EQ(begun_, 1);
  EXPECT_EQ(info_.size, 5U);
  EXPECT_EQ(info_.content_type, "image/png");
  EXPECT_EQ(info_.version_id, "v2");
  EXPECT_EQ(info_.metadata.at("imgproc-source"), "ö");
  EXPECT_EQ(base::to_iso8601(info_.last_modified), "2026-11-22T08:29:41.000Z");
  auto sent = fake_.sent()[0];
  EXPECT_EQ(sent.target, "/bucket/k?versionId=v%202");
  EXPECT_EQ(sent.headers.get("If-Match"), "\"e\"");
  EXPECT_EQ(sent.headers.get("x-amz-checksum-mode"), "ENABLED");
  EXPECT_FALSE(sent.headers.has("Range"));
}

TEST_F(S3, GetResumesWhereItBroke) {
  fake_.then(breaks_after("hel", "hello"));
  fake_.then([](const http::Request&) -> base::Result<http::Response> {
    http::Response response{.status = 206};
    response.headers = {{"Content-Range", "bytes 3-4/5"}, {"Content-Length", "2"}};
    response.body = "lo";
    return response;
  });
  EXPECT_EQ(get().value_or("failed"), "hello");
  EXPECT_EQ(begun_, 1);
  ASSERT_EQ(fake_.sent().size(), 2U);
  EXPECT_EQ(fake_.sent()[1].headers.get("Range"), "bytes=3-");
  EXPECT_EQ(fake_.sent()[1].headers.get("If-Match"), "\"" + base::md5_hex("hello") + "\"");
}

TEST_F(S3, GetDoesNotMixTwoVersions) {
  fake_.then(breaks_after("hel", "hello"));
  fake_.then(412, {}, "<Error><Code>PreconditionFailed</Code></Error>");
  auto result = get();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ports::kPreconditionFailed);
  EXPECT_TRUE(result.error().retryable) << "a new beginning gets the new version";
  fake_.then(breaks_after("hel", "hello"));
  fake_.then(206, {{"Content-Range", "bytes 0-4/5"}}, "hello");
  EXPECT_EQ(get().error().code, "BAD_RESPONSE");
}

TEST_F(S3, GetGivesUpAtLast) {
  fake_.then(breaks_after("h", "hello"));
  for (int i = 1; i < 9; ++i)
    fake_.then(breaks_after("", "hello", 206, {{"Content-Range", "bytes 1-4/5"}}));
  auto result = get();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "CONNECTION_CLOSED");
  EXPECT_TRUE(result.error().retryable);
  EXPECT_EQ(fake_.sent().size(), 4U);
}

TEST_F(S3, ABreakBehindTheLastByteIsNone) {
  fake_.then(breaks_after("hello", "hello"));
  EXPECT_EQ(get().value_or("failed"), "hello");
}

TEST_F(S3, GetNoticesDamage) {
  // ETag of one part is the MD5.
  fake_.then(200, object_headers("hello"), "hallo");
  auto result = get();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "CHECKSUM_MISMATCH");
  EXPECT_TRUE(result.error().retryable);
  // A checksum header counts before the ETag.
  http::Headers crc{
      {"ETag", "\"x-2\""}, {"Content-Length", "5"}, {"x-amz-checksum-crc32", "AAAAAA=="}};
  fake_.then(200, crc, "hello");
  EXPECT_EQ(get().error().code, "CHECKSUM_MISMATCH");
  crc.set("x-amz-checksum-crc32", base::to_base64(base::hash(base::HashAlgorithm::crc32, "hello")));
  fake_.then(200, crc, "hello");
  EXPECT_TRUE(get());
  // Too much, or not announced at all.
  fake_.then(200, object_headers("hello"), "hello!");
  EXPECT_EQ(get().error().code, "BAD_RESPONSE");
  fake_.then(200, {{"ETag", "\"e\""}}, "hello");
  EXPECT_EQ(get().error().code, "BAD_RESPONSE");
}

TEST_F(S3, ETagsThatAreNoMd5AreNotCompared) {
  for (const http::Headers& headers :
       {http::Headers{{"ETag", "\"83bafe0c3c7df08f9798bcf468dc34b8-4\""}},
        http::Headers{{"ETag", "\"83bafe0c3c7df08f9798bcf468dc34b8\""},
                      {"x-amz-server-side-encryption", "aws:kms"}},
        http::Headers{{"ETag", "\"83bafe0c3c7df08f9798bcf468dc34b8\""},
                      {"x-amz-server-side-encryption-customer-algorithm", "AES256"}},
        http::Headers{{"ETag", "\"e-2\""},
                      {"x-amz-checksum-crc32", "AAAAAA=="},
                      {"x-amz-checksum-type", "COMPOSITE"}},
        http::Headers{{"ETag", "\"e-2\""}, {"x-amz-checksum-crc32", "AAAAAA==-2"}}}) {
    http::Headers all = headers;
    all.set("Content-Length", "5");
    fake_.then(200, all, "hello");
    EXPECT_EQ(get().value_or("failed"), "hello");
  }
}

TEST_F(S3, TheSinkMayRefuse) {
  fake_.then(200, object_headers("hello"), "hello");
  auto refusal = client_->get("bucket", "k", {},
                              {.begin = [](const ports::BlobInfo&) -> base::Status {
                                 return base::permanent("TOO_MANY_BYTES", "no");
                               },
                               .write = {}});
  EXPECT_EQ(refusal.error().code, "TOO_MANY_BYTES");
}

TEST_F(S3, ErrorsKeepTheirCodes) {
  fake_.then(404, {}, "<Error><Code>NoSuchBucket</Code><Message>m</Message></Error>");
  EXPECT_EQ(get().error().code, ports::kNoSuchBucket);
  fake_.then(404);
  EXPECT_EQ(client_->head("bucket", "k").error().code, ports::kNoSuchKey);
  fake_.then(301, {{"x-amz-bucket-region", "us-east-2"}},
             "<Error><Code>PermanentRedirect</Code></Error>");
  auto moved = client_->head("bucket", "k");
  EXPECT_EQ(moved.error().code, "PermanentRedirect");
  EXPECT_NE(moved.error().hint.find("us-east-2"), std::string::npos);
  fake_.then(503);
  EXPECT_TRUE(client_->head("bucket", "k").error().retryable);
}

TEST_F(S3, RemoveIsDoneWhenItIsGone) {
  fake_.then(204);
  EXPECT_TRUE(client_->remove("bucket", "k"));
  fake_.then(404, {}, "<Error><Code>NoSuchKey</Code></Error>");
  EXPECT_TRUE(client_->remove("bucket", "k", "e"));
  EXPECT_EQ(fake_.sent()[1].headers.get("If-Match"), "\"e\"");
  fake_.then(412, {}, "<Error><Code>PreconditionFailed</Code></Error>");
  EXPECT_EQ(client_->remove("bucket", "k", "e").error().code, ports::kPreconditionFailed);
  fake_.then(404, {}, "<Error><Code>NoSuchBucket</Code></Error>");
  EXPECT_EQ(client_->remove("bucket", "k").error().code, ports::kNoSuchBucket);
}

TEST(S3Headers, MetadataSurvives) {
  for (const char* text :
       {"plain", "größe", "=?x", " edge ", "line\r\nbreak", "", "=?UTF-8?B?broken"})
    EXPECT_EQ(decode_metadata(encode_metadata(text)), text);
  EXPECT_EQ(encode_metadata("line\r\nbreak").find('\n'), std::string::npos);
}

TEST_F(S3, SaysWhichPermissionARefusedHeadLacks) {
  fake_.then(403);
  auto refused = client_->head("bucket", "a/k");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "AccessDenied");
  EXPECT_NE(refused.error().message.find("s3:GetObject on resource: arn:aws:s3:::bucket/a/k"),
            std::string::npos);
  EXPECT_NE(refused.error().message.find("s3:ListBucket on resource: arn:aws:s3:::bucket"),
            std::string::npos);
}

}  // namespace
}  // namespace imgproc::aws
