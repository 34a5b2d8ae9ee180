#include "protocol/sigv4_verify.h"

#include <gtest/gtest.h>

#include <random>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/time.h"
#include "protocol/sigv4_canonical.h"

namespace imgproc::protocol {
namespace {

const Credentials kKey{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};
const base::SystemTime kNow = *base::from_amz_date("20260102T030405Z");

http::Request make(const std::string& method, const std::string& target,
                   const std::string& body = "") {
  http::Request request;
  request.method = method;
  request.target = target;
  request.headers.set("Host", "bucket.s3.amazonaws.com");
  request.body = body;
  return request;
}

http::Request signed_request(std::string_view service = "s3", const std::string& body = "hello") {
  http::Request request = make("PUT", "/photos/a%20b.jpg?x-id=PutObject&tag=1", body);
  request.headers.set("Content-Type", "image/jpeg");
  request.headers.set("x-amz-meta-owner", "Ada");
  sign(request, kKey, "eu-west-1", service, kNow, PayloadHash::of(body));
  return request;
}

http::Request presigned(std::chrono::seconds life = std::chrono::seconds{900}) {
  http::Request request = make("GET", "/photos/a.jpg?versionId=3");
  EXPECT_TRUE(presign(request, kKey, "eu-west-1", "s3", kNow, life));
  return request;
}

/// OK, or the code of what failed, of parsing and verifying together.
std::string outcome(const http::Request& request, base::SystemTime now = kNow,
                    const Credentials& key = kKey) {
  auto claim = parse_authorization(request);
  if (!claim) return claim.error().code;
  if (claim->access_key_id != key.access_key_id) return "InvalidAccessKeyId";
  auto status = verify(request, *claim, key, now);
  return status ? "OK" : status.error().code;
}

std::string with(std::string text, const std::string& from, const std::string& to) {
  auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

http::Request clone(const http::Request& from) {
  http::Request request;
  request.method = from.method;
  request.target = from.target;
  request.headers = from.headers;
  request.body = from.body.text;
  return request;
}

TEST(SigV4Verify, AcceptsWhatWasSigned) {
  EXPECT_EQ(outcome(signed_request()), "OK");
  EXPECT_EQ(outcome(signed_request("dynamodb")), "OK");
  EXPECT_EQ(outcome(presigned()), "OK");
}

TEST(SigV4Verify, UnsignedRequestsAreTold) {
  http::Request request = make("GET", "/k?prefix=x");
  EXPECT_FALSE(is_signed(request));
  auto claim = parse_authorization(request);
  ASSERT_FALSE(claim);
  EXPECT_EQ(claim.error().code, "MissingAuthenticationToken");
  EXPECT_EQ(claim.error().http_status, 403);
  EXPECT_TRUE(is_signed(signed_request()));
  EXPECT_TRUE(is_signed(presigned()));
  EXPECT_TRUE(is_signed(make("GET", "/k?AWSAccessKeyId=a&Signature=b&Expires=1")));
}

TEST(SigV4Verify, WrongSecretShowsTheCanonicalRequest) {
  http::Request request = signed_request();
  Credentials other = kKey;
  other.secret_access_key = "other";
  auto status = verify(request, *parse_authorization(request), other, kNow);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, "SignatureDoesNotMatch");
  EXPECT_EQ(status.error().http_status, 403);
  EXPECT_NE(status.error().hint.find("PUT\n/photos/a%20b.jpg\ntag=1&x-id=PutObject\n"),
            std::string::npos);
  EXPECT_EQ(status.error().hint.find("other"), std::string::npos);
}

TEST(SigV4Verify, SpeaksTheServicesOwnWords) {
  Credentials other = kKey;
  other.secret_access_key = "other";
  EXPECT_EQ(outcome(signed_request("dynamodb"), kNow, other), "InvalidSignatureException");
  EXPECT_EQ(outcome(signed_request("lambda"), kNow, other), "InvalidSignatureException");
  EXPECT_EQ(outcome(signed_request("iam"), kNow, other), "SignatureDoesNotMatch");
  EXPECT_EQ(outcome(signed_request("sts"), kNow + std::chrono::hours{1}), "SignatureDoesNotMatch");
  EXPECT_EQ(outcome(signed_request("dynamodb"), kNow + std::chrono::hours{1}),
            "InvalidSignatureException");
}

TEST(SigV4Verify, ClockMayDifferByFifteenMinutes) {
  using std::chrono::minutes;
  using std::chrono::seconds;
  EXPECT_EQ(outcome(signed_request(), kNow + minutes{15}), "OK");
  EXPECT_EQ(outcome(signed_request(), kNow - minutes{15}), "OK");
  EXPECT_EQ(outcome(signed_request(), kNow + minutes{15} + seconds{1}), "RequestTimeTooSkewed");
  EXPECT_EQ(outcome(signed_request(), kNow - minutes{15} - seconds{1}), "RequestTimeTooSkewed");
}

TEST(SigV4Verify, PresignedUrlsEnd) {
  using std::chrono::minutes;
  using std::chrono::seconds;
  EXPECT_EQ(outcome(presigned(seconds{900}), kNow + seconds{900}), "OK");
  auto request = presigned(seconds{900});
  auto status = verify(request, *parse_authorization(request), kKey, kNow + seconds{901});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, "AccessDenied");
  EXPECT_EQ(status.error().message, "Request has expired");
  EXPECT_EQ(outcome(presigned(), kNow - minutes{16}), "AccessDenied");
  EXPECT_EQ(outcome(presigned(kPresignLifeMax), kNow + kPresignLifeMax), "OK");
}

TEST(SigV4Verify, RefusesBadQueryParameters) {
  const std::string code = "AuthorizationQueryParametersError";
  std::vector<std::pair<std::string, std::string>> edits = {
      {"X-Amz-Expires=900", "X-Amz-Expires=604801"},
      {"X-Amz-Expires=900", "X-Amz-Expires=0"},
      {"X-Amz-Expires=900", "X-Amz-Expires=-1"},
      {"X-Amz-Expires=900", "X-Amz-Expires=9e2"},
      {"X-Amz-Expires=900", "X-Amz-Expires=99999999999999999999"},
      {"&X-Amz-Expires=900", ""},
      {"X-Amz-Expires=900", "X-Amz-Expires=900&X-Amz-Expires=604800"},
      {"&X-Amz-SignedHeaders=host", ""},
      {"X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Algorithm=AWS4-HMAC-SHA1"},
      {"X-Amz-Date=20260102T030405Z", "X-Amz-Date=20260103T030405Z"},
      {"X-Amz-Date=20260102T030405Z", "X-Amz-Date=yesterday"},
      {"aws4_request", "aws5_request"},
      {"%2F20260102%2F", "%2F"},
  };
  for (const auto& [from, to] : edits) {
    http::Request request = presigned();
    request.target = with(request.target, from, to);
    EXPECT_EQ(outcome(request), code) << to;
  }
  http::Request request = presigned();
  request.target = with(request.target, "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256");
  EXPECT_EQ(outcome(request), "NotImplemented");
}

TEST(SigV4Verify, RefusesBadAuthorizationHeaders) {
  const std::string good(*signed_request().headers.get("Authorization"));
  std::vector<std::pair<std::string, std::string>> edits = {
      {with(good, "Credential=", "Credentials="), "AuthorizationHeaderMalformed"},
      {with(good, "/aws4_request", ""), "AuthorizationHeaderMalformed"},
      {with(good, "/20260102/", "/20260103/"), "AuthorizationHeaderMalformed"},
      {with(good, ", Signature=", ", Signature=a, Signature="), "AuthorizationHeaderMalformed"},
      {"AWS4-HMAC-SHA256 ", "AuthorizationHeaderMalformed"},
      {"AWS4-HMAC-SHA256 Credential", "AuthorizationHeaderMalformed"},
      {"AWS4-HMAC-SHA256", "InvalidArgument"},
      {"AWS4-ECDSA-P256-SHA256 Credential=a", "NotImplemented"},
      {"AWS nocolon", "InvalidArgument"},
      {"Basic dXNlcjpwYXNz", "InvalidArgument"},
      {"", "InvalidArgument"},
      {"AWS4-HMAC-SHA256 " + std::string(10000, 'x'), "AuthorizationHeaderMalformed"},
  };
  for (const auto& [header, code] : edits) {
    http::Request request = signed_request();
    request.headers.set("Authorization", header);
    EXPECT_EQ(outcome(request), code) << header.substr(0, 120);
  }
  http::Request twice = signed_request();
  twice.headers.add("Authorization", good);
  EXPECT_EQ(outcome(twice), "InvalidArgument");
  http::Request both = presigned();
  both.headers.set("Authorization", good);
  EXPECT_EQ(outcome(both), "InvalidArgument");
  http::Request dateless = signed_request();
  dateless.headers.erase("X-Amz-Date");
  EXPECT_EQ(outcome(dateless), "AccessDenied");
}

TEST(SigV4Verify, HeadersAddedAfterSigningAreRefused) {
  http::Request request = signed_request();
  request.headers.set("x-amz-acl", "public-read");
  EXPECT_EQ(outcome(request), "AccessDenied");
  http::Request link = presigned();
  link.headers.set("x-amz-copy-source", "/other/key");
  EXPECT_EQ(outcome(link), "AccessDenied");
}

TEST(SigV4Verify, TheBodyIsCovered) {
  http::Request request = signed_request();
  request.body = "changed";
  EXPECT_EQ(outcome(request), "XAmzContentSHA256Mismatch");
  http::Request item = signed_request("dynamodb");
  item.body = "changed";
  EXPECT_EQ(outcome(item), "InvalidSignatureException");
}

TEST(SigV4Verify, SessionTokenMustBeTheKeysOwn) {
  Credentials temporary = kKey;
  temporary.session_token = "token";
  http::Request request = make("GET", "/k");
  sign(request, temporary, "eu-west-1", "s3", kNow, PayloadHash::of(""));
  EXPECT_EQ(outcome(request, kNow, temporary), "OK");
  EXPECT_EQ(outcome(request, kNow, kKey), "InvalidToken");
  request.headers.set("X-Amz-Security-Token", "tokem");
  EXPECT_EQ(outcome(request, kNow, temporary), "InvalidToken");
}

// Every one-bit change of what is covered must be refused. A change that leaves the canonical
// request as it was (%2f for %2F) is the same request, so it is told apart by comparing what
// servers would act on.
TEST(SigV4Verify, NoMutantIsAccepted) {
  std::mt19937_64 random(20260102);
  int tried = 0;
  int accepted = 0;
  const std::vector<std::string> covered = {
      "Host",       "Content-Type",         "x-amz-meta-owner",
      "X-Amz-Date", "X-Amz-Content-Sha256", "Authorization"};
  auto meaning = [](const http::Request& request) {
    return std::pair(canonical_path(request.path(), "s3"), canonical_query(request.query()));
  };
  while (tried < 100000) {
    bool query_form = random() % 2 == 0;
    static const http::Request header_form = signed_request();
    static const http::Request link = presigned();
    const http::Request& original = query_form ? link : header_form;
    http::Request mutant = clone(original);
    auto flip = [&](std::string text) {
      if (!text.empty()) text[random() % text.size()] ^= static_cast<char>(1U << (random() % 8));
      return text;
    };
    std::size_t part = random() % (query_form ? 3 : 9);
    if (part == 0) {
      mutant.method = flip(mutant.method);
    } else if (part == 1) {
      mutant.target = flip(mutant.target);
      if (meaning(mutant) == meaning(original) &&
          parse_authorization(mutant).value_or(SignatureClaim{}).signature ==
              parse_authorization(original)->signature)
        continue;
    } else if (query_form) {
      mutant.headers.set("Host", flip(std::string(*mutant.headers.get("Host"))));
    } else if (part == 2) {
      mutant.body = flip(mutant.body.text);
    } else {
      const std::string& name = covered[part - 3];
      mutant.headers.set(name, flip(std::string(*mutant.headers.get(name))));
    }
    ++tried;
    if (outcome(mutant) != "OK") continue;
    ++accepted;
    ADD_FAILURE() << mutant.method << ' ' << mutant.target << ' '
                  << mutant.headers.get("Authorization").value_or("");
  }
  EXPECT_EQ(accepted, 0);
}

}  // namespace
}  // namespace imgproc::protocol
