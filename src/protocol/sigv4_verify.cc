#include "protocol/sigv4_verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/time.h"
#include "protocol/sigv4_canonical.h"

namespace imgproc::protocol {
namespace {

std::unexpected<base::Error> failure(int status, std::string code, std::string message,
                                     std::string hint = {}) {
  base::Error error{.code = std::move(code), .message = std::move(message)};
  error.hint = std::move(hint);
  error.http_status = status;
  return std::unexpected(std::move(error));
}

/// Services of the Query protocol keep S3's word for a wrong signature; those that speak JSON say
/// InvalidSignatureException, DynamoDB and its like with 400, REST services with 403.
struct Words {
  std::string_view mismatch;
  std::string_view bad_token;
  int status;
};

Words words_of(std::string_view service) {
  if (service == "s3") return {"SignatureDoesNotMatch", "InvalidToken", 403};
  constexpr std::array<std::string_view, 4> kQueryServices = {"iam", "sts", "sns", "monitoring"};
  if (std::ranges::find(kQueryServices, service) != kQueryServices.end())
    return {"SignatureDoesNotMatch", "InvalidClientTokenId", 403};
  return {"InvalidSignatureException", "UnrecognizedClientException",
          service == "lambda" ? 403 : 400};
}

bool is_sha256_hex(std::string_view text) {
  return text.size() == 64 && base::from_hex(text).has_value();
}

base::Status check_time(const SignatureClaim& claim, base::SystemTime now) {
  if (claim.life) {
    if (claim.time > now + kClockSkewMax)
      return failure(403, "AccessDenied", "Request is not yet valid");
    if (now > claim.time + *claim.life) return failure(403, "AccessDenied", "Request has expired");
    return {};
  }
  if (claim.time <= now + kClockSkewMax && claim.time >= now - kClockSkewMax) return {};
  if (claim.service == "s3")
    return failure(
        403, "RequestTimeTooSkewed",
        fmt::format("The difference between the request time and the current time is too "
                    "large: the request says {}, the server's clock {}.",
                    claim.amz_date, base::to_amz_date(now)),
        "set the client's clock");
  Words words = words_of(claim.service);
  bool past = claim.time < now;
  return failure(
      words.status, std::string(words.mismatch),
      fmt::format("Signature {}: {} is now {} than {} ({} {} 15 min.)",
                  past ? "expired" : "not yet current", claim.amz_date, past ? "earlier" : "later",
                  base::to_amz_date(past ? now - kClockSkewMax : now + kClockSkewMax),
                  base::to_amz_date(now), past ? "-" : "+"),
      "set the client's clock");
}

/// A header that changes the meaning of a request must not be added behind the signer's back.
base::Status check_coverage(const http::Request& request, const SignatureClaim& claim,
                            std::string_view payload) {
  auto covered = [&](std::string_view name) {
    return std::ranges::find(claim.signed_headers, name) != claim.signed_headers.end();
  };
  if (!covered("host") && !covered(":authority"))
    return failure(403, "AccessDenied", "The Host header is not signed.");
  if (claim.service != "s3") return {};
  for (const auto& [name, value] : request.headers.fields()) {
    std::string lower = base::to_lower(name);
    if (!lower.starts_with("x-amz-") || covered(lower)) continue;
    // Part of the canonical request already.
    if (lower == "x-amz-content-sha256" && value == payload) continue;
    return failure(
        403, "AccessDenied",
        fmt::format("There were headers present in the request which were not signed: {}", lower));
  }
  return {};
}

}  // namespace

base::Status verify(const http::Request& request, const SignatureClaim& claim,
                    const Credentials& credentials, base::SystemTime now) {
  if (claim.form != SignatureForm::v4_header && claim.form != SignatureForm::v4_query)
    return failure(400, "InvalidArgument", "This service takes Signature Version 4 only.");
  Words words = words_of(claim.service);
  if (!base::equals_constant_time(claim.session_token, credentials.session_token))
    return failure(words.status == 403 && claim.service == "s3" ? 400 : words.status,
                   std::string(words.bad_token),
                   "The provided token is malformed or otherwise invalid.");
  IMGPROC_CHECK(check_time(claim, now));

  std::string payload = claim.payload_hash;
  if (payload.empty()) {
    if (claim.service == "s3")
      return failure(400, "InvalidRequest",
                     "Missing required header for this request: x-amz-content-sha256");
    if (request.body.stream)
      return failure(400, "InvalidRequest",
                     "The body must be read before its signature can be checked.");
    payload = base::sha256_hex(request.body.text);
  } else if (!request.body.stream && is_sha256_hex(payload) &&
             !base::equals_constant_time(payload, base::sha256_hex(request.body.text))) {
    return failure(400, "XAmzContentSHA256Mismatch",
                   "The provided 'x-amz-content-sha256' header does not match what was computed.");
  }
  IMGPROC_CHECK(check_coverage(request, claim, payload));

  std::string canonical = canonical_request(request, claim.service, claim.signed_headers, payload);
  std::string text = string_to_sign(claim.amz_date, claim.scope(), canonical);
  std::string expected = base::to_hex(base::hmac_sha256(
      signing_key(credentials.secret_access_key, claim.date, claim.region, claim.service), text));
  if (base::equals_constant_time(expected, claim.signature)) return {};
  return failure(
      words.status, std::string(words.mismatch),
      "The request signature we calculated does not match the signature you provided. Check "
      "your key and signing method.",
      fmt::format("the canonical request was '{}', the string to sign '{}'", canonical, text));
}

ChunkVerifier chunk_verifier(const SignatureClaim& claim, const Credentials& credentials) {
  return {signing_key(credentials.secret_access_key, claim.date, claim.region, claim.service),
          claim.signature, claim.amz_date, claim.scope()};
}

}  // namespace imgproc::protocol
