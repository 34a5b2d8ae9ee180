#pragma once
// S3's Signature Version 2. New software signs with Version 4, but boto3 and AWS CLI v1 still write
// presigned URLs in this form for custom endpoints.
// Source: "Signing and authenticating REST requests" in the Amazon S3 Developer Guide.

#include <string>
#include <string_view>

#include "protocol/sigv4_verify.h"

namespace imgproc::protocol {

/// base64(HMAC-SHA1(secret, text)); also what a Version 2 POST policy is signed with.
[[nodiscard]] std::string sigv2_signature(std::string_view secret_access_key,
                                          std::string_view text);

/// The text that is signed. `virtual_bucket` is the bucket that the Host header names, empty for
/// path style. `date` is the Date header's text, empty when x-amz-date is sent, or Expires.
[[nodiscard]] std::string sigv2_string_to_sign(const http::Request& request, std::string_view date,
                                               std::string_view virtual_bucket);

/// Checks a claim of form v2_header or v2_query. Errors, permanent: SignatureDoesNotMatch (hint:
/// the string to sign), RequestTimeTooSkewed, AccessDenied ("Request has expired"), InvalidToken.
[[nodiscard]] base::Status verify_sigv2(const http::Request& request, const SignatureClaim& claim,
                                        const Credentials& credentials, base::SystemTime now,
                                        std::string_view virtual_bucket = {});

}  // namespace imgproc::protocol
