#include "localcloud/cloud/authentication.h"

#include "base/bytes.h"
#include "protocol/sigv2.h"
#include "protocol/sigv4_verify.h"

namespace imgproc::localcloud {
namespace {

std::unexpected<base::Error> refuse(std::string code, std::string message) {
  base::Error error{std::move(code), std::move(message)};
  error.http_status = 403;
  return std::unexpected(std::move(error));
}

/// The bucket of a virtual-hosted request, which Version 2 signs as part of the path.
std::string virtual_bucket(const http::Request& request) {
  std::string host = base::to_lower(request.headers.get("Host").value_or(""));
  host = host.substr(0, host.rfind(':'));
  for (std::string_view suffix : {".s3.localhost", ".localhost"})
    if (host.size() > suffix.size() && host.ends_with(suffix)) {
      std::string bucket = host.substr(0, host.size() - suffix.size());
      return bucket == "s3" ? "" : bucket;
    }
  return "";
}

}  // namespace

std::unexpected<base::Error> unknown_key(const Route& route) {
  if (route.protocol == Protocol::s3)
    return refuse("InvalidAccessKeyId",
                  "The AWS Access Key Id you provided does not exist in our records.");
  return refuse(
      route.protocol == Protocol::query ? "InvalidClientTokenId" : "UnrecognizedClientException",
      "The security token included in the request is invalid.");
}

std::unexpected<base::Error> expired_key(const Route& route) {
  bool spelled_out = route.protocol == Protocol::json || route.protocol == Protocol::rest_json;
  auto error = refuse(spelled_out ? "ExpiredTokenException" : "ExpiredToken",
                      route.protocol == Protocol::s3
                          ? "The provided token has expired."
                          : "The security token included in the request is expired");
  if (route.protocol == Protocol::s3 || route.protocol == Protocol::json)
    error.error().http_status = 400;
  return error;
}

base::Status check_expiry(const http::Request& request, base::SystemTime now) {
  if (request.query().find("Signature=") == std::string_view::npos) return {};
  auto claim = protocol::parse_authorization(request);
  // Whoever may sign as they like may also sign badly; only a whole claim can have expired.
  if (!claim) return {};
  bool over =
      (claim->life && now > claim->time + *claim->life) ||
      (claim->expires_at && now > base::SystemTime{std::chrono::seconds{*claim->expires_at}});
  if (over) return refuse("AccessDenied", "Request has expired");
  return {};
}

base::Result<std::optional<protocol::ChunkVerifier>> Authenticator::verify(
    http::Request& request, const Route& route) const {
  bool is_s3 = route.protocol == Protocol::s3;
  if (!protocol::is_signed(request)) {
    if (is_s3) return refuse("AccessDenied", "Access Denied: the request is not signed");
    return refuse("MissingAuthenticationTokenException", "Missing Authentication Token");
  }
  IMGPROC_TRY(auto claim, protocol::parse_authorization(request));
  protocol::Credentials credentials;
  if (auto known = secrets_.find(claim.access_key_id); known != secrets_.end()) {
    credentials = {known->first, known->second, ""};
  } else {
    auto session = sessions_(claim.access_key_id);
    if (!session && session.error().code == "ExpiredToken") return expired_key(route);
    if (!session) return std::unexpected(std::move(session).error());
    if (!*session) return unknown_key(route);
    credentials = std::move(**session);
  }
  if (claim.form == protocol::SignatureForm::v2_header ||
      claim.form == protocol::SignatureForm::v2_query) {
    if (!is_s3)
      return refuse("InvalidSignatureException", "Signature Version 2 is accepted by S3 only");
    IMGPROC_CHECK(
        protocol::verify_sigv2(request, claim, credentials, clock_.now(), virtual_bucket(request)));
    return std::nullopt;
  }
  if (!is_s3) {
    // These services sign the body's hash without stating it.
    auto body = http::read_all(request.body, kVerifiedBodyBytesMax);
    if (!body) return std::unexpected(std::move(body).error());
    request.body = http::Body(std::move(*body));
  }
  IMGPROC_CHECK(protocol::verify(request, claim, credentials, clock_.now()));
  if (claim.payload_hash == protocol::kStreamingSigned ||
      claim.payload_hash == protocol::kStreamingSignedTrailer)
    return protocol::chunk_verifier(claim, credentials);
  return std::nullopt;
}

}  // namespace imgproc::localcloud
