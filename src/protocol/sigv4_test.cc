#include "protocol/sigv4.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/time.h"
#include "protocol/sigv4_canonical.h"
#include "protocol/sigv4_chunk.h"
#include "protocol/sigv4_verify.h"

// The examples that AWS publishes: the Signature Version 4 test suite (data of aws-c-auth,
// Apache-2.0), the signing pages of the General Reference and of the S3 API Reference.

namespace imgproc::protocol {
namespace {

using Fields = std::vector<http::Headers::Field>;

std::string signature_in(const http::Request& request) {
  auto header = request.headers.get("Authorization");
  std::string_view text = header ? *header : std::string_view(request.target);
  return std::string(text.substr(text.rfind("Signature=") + 10));
}

struct Vector {
  const char* name;
  const char* method;
  const char* target;
  Fields headers;
  const char* body;
  const char* session_token;
  const char* signature;
};

const Credentials kSuiteKey{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};
const char* const kVanilla = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";

const std::vector<Vector>& suite() {
  static const std::vector<Vector> vectors = {
      {"get-vanilla", "GET", "/", {}, "", "", kVanilla},
      {"post-vanilla",
       "POST",
       "/",
       {},
       "",
       "",
       "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
      {"get-vanilla-with-session-token",
       "GET",
       "/",
       {},
       "",
       "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267",
       "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"},
      {"get-header-key-duplicate",
       "GET",
       "/",
       {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}},
       "",
       "",
       "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
      {"get-header-value-order",
       "GET",
       "/",
       {{"My-Header1", "value4"},
        {"My-Header1", "value1"},
        {"My-Header1", "value3"},
        {"My-Header1", "value2"}},
       "",
       "",
       "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
      {"get-header-value-trim",
       "GET",
       "/",
       {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
       "",
       "",
       "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
      {"get-relative-relative-normalized", "GET", "/example1/example2/../..", {}, "", "", kVanilla},
      {"get-slash-normalized", "GET", "//", {}, "", "", kVanilla},
      {"get-slash-dot-slash-normalized", "GET", "/./", {}, "", "", kVanilla},
      {"get-slash-pointless-dot-normalized",
       "GET",
       "/./example",
       {},
       "",
       "",
       "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
      {"get-slashes-normalized",
       "GET",
       "//example//",
       {},
       "",
       "",
       "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
      {"get-space-normalized",
       "GET",
       "/example space/",
       {},
       "",
       "",
       "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
      {"get-unreserved",
       "GET",
       "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
       {},
       "",
       "",
       "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
      {"get-utf8",
       "GET",
       "/\xE1\x88\xB4",
       {},
       "",
       "",
       "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
      {"get-vanilla-empty-query-key",
       "GET",
       "/?Param1=value1",
       {},
       "",
       "",
       "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
      {"get-vanilla-query", "GET", "/?", {}, "", "", kVanilla},
      {"get-vanilla-query-order-encoded",
       "GET",
       "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
       {},
       "",
       "",
       "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
      {"get-vanilla-query-order-key-case",
       "GET",
       "/?Param2=value2&Param1=value1",
       {},
       "",
       "",
       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
      {"get-vanilla-query-unreserved",
       "GET",
       "/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~"
       "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
       {},
       "",
       "",
       "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
      {"get-vanilla-utf8-query",
       "GET",
       "/?\xE1\x88\xB4=bar",
       {},
       "",
       "",
       "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
      {"post-header-key-sort",
       "POST",
       "/",
       {{"My-Header1", "value1"}},
       "",
       "",
       "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
      {"post-sts-header-before",
       "POST",
       "/",
       {},
       "",
       "AQoDYXdzEPT//////////"
       "wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoI"
       "YRqTflfKD8YUuwthAx7mSEI/qkPpKPi/"
       "kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSX"
       "Dvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+"
       "scqKmlzm8FDrypNC9Yjc8f"
       "POLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==",
       "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"},
      {"post-x-www-form-urlencoded",
       "POST",
       "/",
       {{"Content-Type", "application/x-www-form-urlencoded"},
        {"Content-Length", "13"},
        {"x-amz-content-sha256",
         "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"}},
       "Param1=value1",
       "",
       "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b"},
  };
  return vectors;
}

http::Request request_of(const char* method, const char* target, const char* host,
                         const Fields& headers, const char* body = "") {
  http::Request request;
  request.method = method;
  request.target = target;
  request.headers.set("Host", host);
  for (const auto& [name, value] : headers) request.headers.add(name, value);
  request.body = body;
  return request;
}

TEST(SigV4, SignsAndAcceptsThePublishedSuite) {
  base::SystemTime now = *base::from_amz_date("20150830T123600Z");
  for (const Vector& vector : suite()) {
    SCOPED_TRACE(vector.name);
    Credentials key = kSuiteKey;
    key.session_token = vector.session_token;
    http::Request request = request_of(vector.method, vector.target, "example.amazonaws.com",
                                       vector.headers, vector.body);
    sign(request, key, "us-east-1", "service", now, PayloadHash::of(vector.body));
    EXPECT_EQ(signature_in(request), vector.signature);
    auto claim = parse_authorization(request);
    ASSERT_TRUE(claim) << claim.error().describe();
    EXPECT_EQ(claim->access_key_id, "AKIDEXAMPLE");
    EXPECT_EQ(claim->scope(), "20150830/us-east-1/service/aws4_request");
    auto status = verify(request, *claim, key, now);
    EXPECT_TRUE(status) << status.error().describe();
  }
}

TEST(SigV4, PresignsAsThePublishedSuite) {
  base::SystemTime now = *base::from_amz_date("20150830T123600Z");
  http::Request request = request_of("GET", "/", "example.amazonaws.com", {});
  ASSERT_TRUE(presign(request, kSuiteKey, "us-east-1", "service", now, std::chrono::hours{1}));
  EXPECT_EQ(signature_in(request),
            "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d");

  Credentials key = kSuiteKey;
  key.session_token = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
  request = request_of("GET", "/", "example.amazonaws.com", {});
  ASSERT_TRUE(presign(request, key, "us-east-1", "service", now, std::chrono::hours{1}));
  EXPECT_EQ(signature_in(request),
            "7ff2b50b376cb4d151970630573d6291dc128cc5c2a12ffb237f73cc53f67b6c");
  auto claim = parse_authorization(request);
  ASSERT_TRUE(claim) << claim.error().describe();
  EXPECT_TRUE(verify(request, *claim, key, now + std::chrono::minutes{59}));
  // Without the token, or with another one, the same signature is worth nothing.
  EXPECT_EQ(verify(request, *claim, kSuiteKey, now).error().code, "UnrecognizedClientException");
}

// General Reference, "Signing AWS API requests": IAM ListUsers.
TEST(SigV4, SignsTheListUsersExample) {
  base::SystemTime now = *base::from_amz_date("20150830T123600Z");
  http::Request request =
      request_of("GET", "/?Action=ListUsers&Version=2010-05-08", "iam.amazonaws.com",
                 {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}});
  sign(request, kSuiteKey, "us-east-1", "iam", now, PayloadHash::of(""));
  EXPECT_EQ(signature_in(request),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
  EXPECT_EQ(base::to_hex(signing_key(kSuiteKey.secret_access_key, "20150830", "us-east-1", "iam")),
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
}

const Credentials kS3Key{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};
const char* const kExampleHost = "examplebucket.s3.amazonaws.com";
const base::SystemTime kS3Time = *base::from_amz_date("20130524T000000Z");

// S3 API Reference, "Signature calculations … single chunk", examples 1 to 4.
TEST(SigV4, SignsTheS3Examples) {
  const std::vector<Vector> examples = {
      {"get with range",
       "GET",
       "/test.txt",
       {{"Range", "bytes=0-9"}},
       "",
       "",
       "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
      {"put",
       "PUT",
       "/test$file.text",
       {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
       "Welcome to Amazon S3.",
       "",
       "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
      {"lifecycle",
       "GET",
       "/?lifecycle",
       {},
       "",
       "",
       "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
      {"list",
       "GET",
       "/?max-keys=2&prefix=J",
       {},
       "",
       "",
       "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
  };
  for (const Vector& example : examples) {
    SCOPED_TRACE(example.name);
    http::Request request =
        request_of(example.method, example.target, kExampleHost, example.headers, example.body);
    sign(request, kS3Key, "us-east-1", "s3", kS3Time, PayloadHash::of(example.body));
    EXPECT_EQ(signature_in(request), example.signature);
    auto claim = parse_authorization(request);
    ASSERT_TRUE(claim);
    EXPECT_TRUE(verify(request, *claim, kS3Key, kS3Time));
  }
}

TEST(SigV4, PresignsTheS3Example) {
  http::Request request = request_of("GET", "/test.txt", kExampleHost, {});
  ASSERT_TRUE(presign(request, kS3Key, "us-east-1", "s3", kS3Time, std::chrono::hours{24}));
  EXPECT_EQ(
      request.target,
      "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%"
      "2F"
      "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-"
      "SignedHeaders="
      "host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
  auto claim = parse_authorization(request);
  ASSERT_TRUE(claim);
  EXPECT_EQ(claim->form, SignatureForm::v4_query);
  EXPECT_EQ(claim->payload_hash, "UNSIGNED-PAYLOAD");
  EXPECT_TRUE(verify(request, *claim, kS3Key, kS3Time + std::chrono::hours{24}));
}

TEST(SigV4, RefusesToPresignBeyondSevenDays) {
  http::Request request = request_of("GET", "/k", "b", {});
  EXPECT_EQ(presign(request, kS3Key, "r", "s3", kS3Time, kPresignLifeMax + std::chrono::seconds{1})
                .error()
                .code,
            "AuthorizationQueryParametersError");
  EXPECT_FALSE(presign(request, kS3Key, "r", "s3", kS3Time, std::chrono::seconds{0}));
  EXPECT_EQ(request.target, "/k");
}

// S3 API Reference, "… multiple chunks": 66,560 letters a in chunks of 65,536, 1,024 and 0 bytes.
TEST(SigV4, FollowsTheChunkedExample) {
  http::Request request = request_of("PUT", "/examplebucket/chunkObject.txt", "s3.amazonaws.com",
                                     {{"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                                      {"Content-Encoding", "aws-chunked"},
                                      {"x-amz-decoded-content-length", "66560"},
                                      {"Content-Length", "66824"}});
  sign(request, kS3Key, "us-east-1", "s3", kS3Time,
       PayloadHash::stated(std::string(kStreamingSigned)));
  EXPECT_EQ(signature_in(request),
            "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
  auto claim = parse_authorization(request);
  ASSERT_TRUE(claim);
  ASSERT_TRUE(verify(request, *claim, kS3Key, kS3Time));
  ChunkVerifier chunks = chunk_verifier(*claim, kS3Key);
  EXPECT_EQ(chunks.next_chunk(base::sha256_hex(std::string(65536, 'a'))),
            "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648");
  EXPECT_EQ(chunks.next_chunk(base::sha256_hex(std::string(1024, 'a'))),
            "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497");
  EXPECT_EQ(chunks.next_chunk(base::sha256_hex("")),
            "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");
}

// S3 API Reference, "… multiple chunks, including trailing headers".
TEST(SigV4, FollowsTheChunkedExampleWithTrailer) {
  http::Request request = request_of("PUT", "/examplebucket/chunkObject.txt", "s3.amazonaws.com",
                                     {{"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                                      {"Content-Encoding", "aws-chunked"},
                                      {"x-amz-decoded-content-length", "66560"},
                                      {"x-amz-trailer", "x-amz-checksum-crc32c"}});
  sign(request, kS3Key, "us-east-1", "s3", kS3Time,
       PayloadHash::stated(std::string(kStreamingSignedTrailer)));
  EXPECT_EQ(signature_in(request),
            "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e");
  auto claim = parse_authorization(request);
  ASSERT_TRUE(claim);
  ChunkVerifier chunks = chunk_verifier(*claim, kS3Key);
  EXPECT_EQ(chunks.next_chunk(base::sha256_hex(std::string(65536, 'a'))),
            "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2");
  EXPECT_EQ(chunks.next_chunk(base::sha256_hex(std::string(1024, 'a'))),
            "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7");
  EXPECT_EQ(chunks.next_chunk(base::sha256_hex("")),
            "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992");
  EXPECT_EQ(chunks.trailer(base::sha256_hex("x-amz-checksum-crc32c:sOO8/Q==\n")),
            "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435");
}

TEST(SigV4, SigningAgainReplacesWhatWasThere) {
  http::Request request = request_of("GET", "/k", "b.s3.amazonaws.com", {});
  sign(request, kS3Key, "us-east-1", "s3", kS3Time, PayloadHash::of(""));
  base::SystemTime later = kS3Time + std::chrono::hours{1};
  sign(request, kS3Key, "us-east-1", "s3", later, PayloadHash::of(""));
  auto claim = parse_authorization(request);
  ASSERT_TRUE(claim);
  EXPECT_EQ(claim->amz_date, "20130524T010000Z");
  EXPECT_TRUE(verify(request, *claim, kS3Key, later));
}

TEST(SigV4, LeavesOutWhatProxiesChange) {
  http::Request request =
      request_of("GET", "/k", "b", {{"User-Agent", "x"}, {"X-Amzn-Trace-Id", "Root=1"}});
  sign(request, kS3Key, "us-east-1", "s3", kS3Time, PayloadHash::of(""));
  auto claim = parse_authorization(request);
  ASSERT_TRUE(claim);
  EXPECT_EQ(claim->signed_headers,
            (std::vector<std::string>{"host", "x-amz-content-sha256", "x-amz-date"}));
  request.headers.set("User-Agent", "changed");
  EXPECT_TRUE(verify(request, *claim, kS3Key, kS3Time));
}

// S3 keeps "//" and ".." and encodes once; the others tidy up and encode twice.
TEST(SigV4, S3PathsAreNotNormalised) {
  EXPECT_EQ(canonical_path("/b//a/../k%20%2b", "s3"), "/b//a/../k%20%2B");
  EXPECT_EQ(canonical_path("/b//a/../k%20%2b", "lambda"), "/b/k%2520%252b");
  for (const char* target : {"/b//a/../k", "/b/a%20b%2Bc", "/b/%E1%88%B4", "/b/."}) {
    http::Request request = request_of("GET", target, "h", {});
    sign(request, kS3Key, "us-east-1", "s3", kS3Time, PayloadHash::of(""));
    auto claim = parse_authorization(request);
    ASSERT_TRUE(claim);
    EXPECT_TRUE(verify(request, *claim, kS3Key, kS3Time)) << target;
  }
}

}  // namespace
}  // namespace imgproc::protocol
