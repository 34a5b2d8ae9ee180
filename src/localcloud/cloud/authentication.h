#pragma once
// Who a request comes from, and whether its signature proves it.

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "http/message.h"
#include "localcloud/cloud/routing.h"
#include "protocol/sigv4.h"
#include "protocol/sigv4_chunk.h"

namespace imgproc::localcloud {

/// A body that must be hashed to be verified (all services but S3, whose bodies are streamed).
inline constexpr std::size_t kVerifiedBodyBytesMax = 72 * 1024 * 1024;

/// Why a key is refused, in the words of the route's protocol: it belongs to nobody
/// (InvalidAccessKeyId, InvalidClientTokenId, UnrecognizedClientException; 403) ...
[[nodiscard]] std::unexpected<base::Error> unknown_key(const Route& route);
/// ... or to a session that is over (ExpiredToken, ExpiredTokenException; 400 or 403).
[[nodiscard]] std::unexpected<base::Error> expired_key(const Route& route);

/// Checks Version 4 (header, presigned, chunked) and Version 2 signatures. Thread-safe.
class Authenticator {
 public:
  /// Secrets that are not permanent ones: sessions of roles. Nullopt for unknown keys, ExpiredToken
  /// for those that are over.
  using SessionLookup = std::function<base::Result<std::optional<protocol::Credentials>>(
      std::string_view access_key_id)>;

  Authenticator(std::map<std::string, std::string> secrets, SessionLookup sessions,
                base::Clock& clock)
      : secrets_(std::move(secrets)), sessions_(std::move(sessions)), clock_(clock) {}

  /// On success the request is proven; for a signed stream the result follows its chunks while the
  /// body is read. Unsigned requests are refused (AccessDenied, 403). Other errors: those
  /// of unknown_key() and expired_key(), and those of protocol::verify.
  [[nodiscard]] base::Result<std::optional<protocol::ChunkVerifier>> verify(
      http::Request& request, const Route& route) const;

 private:
  std::map<std::string, std::string> secrets_;
  SessionLookup sessions_;
  base::Clock& clock_;
};

/// Refuses a presigned URL whose time is over (AccessDenied, 403). It holds without verified
/// signatures too: an expiry that never bites locally would be found out on AWS.
[[nodiscard]] base::Status check_expiry(const http::Request& request, base::SystemTime now);

}  // namespace imgproc::localcloud
