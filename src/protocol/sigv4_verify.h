#pragma once
// Signatures, the server's half: read what a request claims, then check it against the secret.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "http/message.h"
#include "protocol/sigv4.h"
#include "protocol/sigv4_chunk.h"

namespace imgproc::protocol {

/// How far a client's clock may differ from ours.
inline constexpr std::chrono::minutes kClockSkewMax{15};

enum class SignatureForm { v4_header, v4_query, v2_header, v2_query };

/// What a request says about who signed it and how. Nothing of it is trusted before verify().
struct SignatureClaim {
  SignatureForm form = SignatureForm::v4_header;
  std::string access_key_id;
  /// X-Amz-Security-Token; empty without temporary credentials.
  std::string session_token;
  /// Hexadecimal in Version 4, base64 in Version 2.
  std::string signature;

  // Version 4 only.
  /// 20261122T093000Z, and the same as a time (Version 2 header form: from Date or x-amz-date).
  std::string amz_date;
  base::SystemTime time;
  /// Of the credential scope.
  std::string date, region, service;
  /// Lower-case names in the order in which they were signed.
  std::vector<std::string> signed_headers;
  /// As the client states it: 64 hexadecimal digits, UNSIGNED-PAYLOAD or STREAMING-…; empty if it
  /// does not, then the body in memory is hashed. With a streamed body the reader of the body must
  /// compare a stated hash with what it read.
  std::string payload_hash;

  /// Query forms only: seconds from `time` on (Version 4).
  std::optional<std::chrono::seconds> life;
  /// Version 2 query form: epoch seconds at which it ends.
  std::optional<long long> expires_at;

  /// DATE/REGION/SERVICE/aws4_request
  [[nodiscard]] std::string scope() const;
};

/// True if the request carries any signature. An unsigned request is anonymous.
[[nodiscard]] bool is_signed(const http::Request& request);

/// Reads the Authorization header or the query (Version 4 and 2). Errors, all permanent, with AWS's
/// codes and HTTP statuses: MissingAuthenticationToken (nothing there),
/// AuthorizationHeaderMalformed, AuthorizationQueryParametersError, InvalidArgument (two mechanisms
/// at once, unknown scheme), AccessDenied (no date), NotImplemented (SigV4A).
[[nodiscard]] base::Result<SignatureClaim> parse_authorization(const http::Request& request);

/// Checks a Version 4 claim: session token, dates, expiry, signature (in constant time), that Host
/// and for S3 every x-amz-* header is covered, and a stated payload hash where the body is in
/// memory. `credentials` are those of claim.access_key_id, which the caller looked up
/// (InvalidAccessKeyId is the caller's answer). The claim's region and service are for the caller
/// to judge. Errors, permanent: SignatureDoesNotMatch (the hint shows the canonical request and the
/// string to sign; InvalidSignatureException from services that speak JSON), RequestTimeTooSkewed,
/// AccessDenied
/// ("Request has expired", headers not signed), AuthorizationQueryParametersError, InvalidToken,
/// InvalidRequest, XAmzContentSHA256Mismatch.
[[nodiscard]] base::Status verify(const http::Request& request, const SignatureClaim& claim,
                                  const Credentials& credentials, base::SystemTime now);

/// Follows the chunk signatures of a request that was verified.
[[nodiscard]] ChunkVerifier chunk_verifier(const SignatureClaim& claim,
                                           const Credentials& credentials);

}  // namespace imgproc::protocol
