#pragma once
// AWS Signature Version 4, the client's half: pure functions, time is an argument.
// Source: "Signature Version 4 signing process" in the AWS General Reference and "Authenticating
// Requests" in the Amazon S3 API Reference.

#include <chrono>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "http/message.h"

namespace imgproc::protocol {

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  /// Of temporary credentials (a role); empty for a user's.
  std::string session_token;
};

/// What the signature says about the body.
class PayloadHash {
 public:
  /// The body is covered: its SHA-256.
  [[nodiscard]] static PayloadHash of(std::string_view body);
  /// The body is not covered; S3 accepts this, over TLS best.
  [[nodiscard]] static PayloadHash unsigned_payload();
  /// A hash that is known already (64 hexadecimal digits), or one of S3's STREAMING-… words.
  [[nodiscard]] static PayloadHash stated(std::string value) {
    return PayloadHash(std::move(value));
  }
  /// As it stands in x-amz-content-sha256.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  explicit PayloadHash(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// Longest life of a presigned URL.
inline constexpr std::chrono::seconds kPresignLifeMax{7 * 24 * 3600};

/// Signs in the Authorization header. Sets X-Amz-Date, X-Amz-Security-Token (with a session token)
/// and, for service "s3", x-amz-content-sha256. Every header then present is covered, but those
/// that proxies and transports change (User-Agent, Connection, Expect, X-Amzn-Trace-Id …). The Host
/// header must be set before. A second call signs anew, so a retry may call it again.
void sign(http::Request& request, const Credentials& credentials, std::string_view region,
          std::string_view service, base::SystemTime now, const PayloadHash& payload);

/// Signs in the query of `request.target`, as in a link that works for `life` seconds from `now`.
/// Headers present (Host at least) are covered and must be sent along. For "s3" the body is not
/// covered, for others the body in memory is. Error: AuthorizationQueryParametersError for a life
/// outside 1 s .. 7 days.
[[nodiscard]] base::Status presign(http::Request& request, const Credentials& credentials,
                                   std::string_view region, std::string_view service,
                                   base::SystemTime now, std::chrono::seconds life);

/// The key that signs one day's requests to one service of one region; `date` is YYYYMMDD. Also for
/// S3's POST policies: to_hex(hmac_sha256(signing_key(…), policy)).
[[nodiscard]] std::string signing_key(std::string_view secret_access_key, std::string_view date,
                                      std::string_view region, std::string_view service);

}  // namespace imgproc::protocol
