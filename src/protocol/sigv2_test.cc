#include "protocol/sigv2.h"

#include <gtest/gtest.h>

#include "base/time.h"

namespace imgproc::protocol {
namespace {

const Credentials kKey{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};

http::Request make(const std::string& method, const std::string& target) {
  http::Request request;
  request.method = method;
  request.target = target;
  return request;
}

// Developer Guide, "Signing and authenticating REST requests": the examples of virtual-hosted
// requests to johnsmith (awsexamplebucket1 in later editions).
TEST(SigV2, AcceptsThePublishedExamples) {
  http::Request get = make("GET", "/photos/puppy.jpg");
  get.headers.set("Date", "Tue, 27 Mar 2007 19:36:42 +0000");
  EXPECT_EQ(sigv2_signature(
                kKey.secret_access_key,
                sigv2_string_to_sign(get, "Tue, 27 Mar 2007 19:36:42 +0000", "awsexamplebucket1")),
            "qgk2+6Sv9/oM7G3qLEjTH1a1l1g=");

  http::Request list = make("GET", "/?prefix=photos&max-keys=50&marker=puppy");
  EXPECT_EQ(sigv2_string_to_sign(list, "D", "johnsmith"), "GET\n\n\nD\n/johnsmith/");

  http::Request acl = make("GET", "/?acl");
  EXPECT_EQ(sigv2_string_to_sign(acl, "D", "johnsmith"), "GET\n\n\nD\n/johnsmith/?acl");

  http::Request put = make("PUT", "/bucket/k?partNumber=2&uploadId=u");
  put.headers.set("Content-Type", "image/jpeg");
  put.headers.set("Content-MD5", "4gJE4saaMU4BqNR0kLY+lw==");
  put.headers.set("X-Amz-Meta-B", " b ");
  put.headers.set("x-amz-meta-a", "a");
  EXPECT_EQ(sigv2_string_to_sign(put, "D", ""),
            "PUT\n4gJE4saaMU4BqNR0kLY+lw==\nimage/jpeg\nD\nx-amz-meta-a:a\nx-amz-meta-b:b\n"
            "/bucket/k?partNumber=2&uploadId=u");
}

TEST(SigV2, HeaderFormAsSent) {
  http::Request request = make("GET", "/bucket/k");
  request.headers.set("Date", "Fri, 02 Jan 2026 03:04:05 GMT");
  base::SystemTime now = *base::from_amz_date("20260102T030405Z");
  request.headers.set("Authorization",
                      "AWS " + kKey.access_key_id + ":" +
                          sigv2_signature(kKey.secret_access_key,
                                          "GET\n\n\nFri, 02 Jan 2026 03:04:05 GMT\n/bucket/k"));
  auto claim = parse_authorization(request);
  ASSERT_TRUE(claim) << claim.error().describe();
  EXPECT_EQ(claim->form, SignatureForm::v2_header);
  EXPECT_EQ(claim->access_key_id, kKey.access_key_id);
  EXPECT_TRUE(verify_sigv2(request, *claim, kKey, now));
  EXPECT_EQ(verify_sigv2(request, *claim, kKey, now + std::chrono::minutes{16}).error().code,
            "RequestTimeTooSkewed");
  EXPECT_EQ(verify_sigv2(request, *claim, kKey, now, "other").error().code,
            "SignatureDoesNotMatch");
  request.method = "DELETE";
  EXPECT_EQ(verify_sigv2(request, *claim, kKey, now).error().code, "SignatureDoesNotMatch");
  // The Version 4 check never takes it.
  EXPECT_FALSE(verify(request, *claim, kKey, now));
}

// Signed by boto3 1.x generate_presigned_url with key "test", secret "test" for a custom endpoint.
TEST(SigV2, QueryFormOfBoto) {
  Credentials key{"test", "test", ""};
  http::Request request = make(
      "PUT",
      "/boto-bkt/"
      "pp.txt?AWSAccessKeyId=test&Signature=RNHelvbBnc2WEbdtuXX9uuv0hrM%3D&Expires=1795340462");
  auto claim = parse_authorization(request);
  ASSERT_TRUE(claim) << claim.error().describe();
  EXPECT_EQ(claim->form, SignatureForm::v2_query);
  EXPECT_EQ(claim->signature, "RNHelvbBnc2WEbdtuXX9uuv0hrM=");
  base::SystemTime end{std::chrono::seconds{1795340462}};
  auto status = verify_sigv2(request, *claim, key, end);
  EXPECT_TRUE(status) << status.error().describe();
  status = verify_sigv2(request, *claim, key, end + std::chrono::seconds{1});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "Request has expired");
}

TEST(SigV2, RefusesBrokenClaims) {
  EXPECT_FALSE(parse_authorization(make("GET", "/k?AWSAccessKeyId=a&Signature=b&Expires=soon")));
  EXPECT_FALSE(parse_authorization(make("GET", "/k?AWSAccessKeyId=a&Signature=b")));
  EXPECT_FALSE(is_signed(make("GET", "/k?AWSAccessKeyId=a")));
  EXPECT_FALSE(parse_authorization(make("GET", "/k?AWSAccessKeyId=a&Expires=5")));
  EXPECT_FALSE(parse_authorization(
      make("GET", "/k?AWSAccessKeyId=a&Signature=b&Expires=99999999999999999")));
}

}  // namespace
}  // namespace imgproc::protocol
