#include "protocol/sigv2.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/bytes.h"
#include "base/hash.h"
#include "protocol/sigv4_canonical.h"

namespace imgproc::protocol {
namespace {

/// Query parameters that name a part of a resource and are therefore signed, in order.
constexpr std::array<std::string_view, 41> kSubresources = {"accelerate",
                                                            "acl",
                                                            "analytics",
                                                            "cors",
                                                            "defaultObjectAcl",
                                                            "delete",
                                                            "inventory",
                                                            "legal-hold",
                                                            "lifecycle",
                                                            "location",
                                                            "logging",
                                                            "metrics",
                                                            "notification",
                                                            "object-lock",
                                                            "partNumber",
                                                            "policy",
                                                            "policyStatus",
                                                            "publicAccessBlock",
                                                            "replication",
                                                            "requestPayment",
                                                            "response-cache-control",
                                                            "response-content-disposition",
                                                            "response-content-encoding",
                                                            "response-content-language",
                                                            "response-content-type",
                                                            "response-expires",
                                                            "restore",
                                                            "retention",
                                                            "select",
                                                            "select-type",
                                                            "storageClass",
                                                            "tagging",
                                                            "torrent",
                                                            "uploadId",
                                                            "uploads",
                                                            "versionId",
                                                            "versioning",
                                                            "versions",
                                                            "website",
                                                            "x-amz-security-token",
                                                            "encryption"};

std::unexpected<base::Error> failure(int status, std::string code, std::string message,
                                     std::string hint = {}) {
  base::Error error{.code = std::move(code), .message = std::move(message)};
  error.hint = std::move(hint);
  error.http_status = status;
  return std::unexpected(std::move(error));
}

}  // namespace

std::string sigv2_signature(std::string_view secret_access_key, std::string_view text) {
  return base::to_base64(base::hmac_sha1(secret_access_key, text));
}

std::string sigv2_string_to_sign(const http::Request& request, std::string_view date,
                                 std::string_view virtual_bucket) {
  std::string out = request.method;
  out += '\n';
  out += base::trim(request.headers.get("Content-MD5").value_or(""));
  out += '\n';
  out += base::trim(request.headers.get("Content-Type").value_or(""));
  out += '\n';
  out += date;
  out += '\n';

  std::map<std::string, std::string> amz;
  for (const auto& field : request.headers.fields()) {
    std::string name = base::to_lower(field.first);
    if (name.starts_with("x-amz-")) amz[name] = canonical_header(request.headers, name);
  }
  for (const auto& [name, value] : amz) out += fmt::format("{}:{}\n", name, value);

  if (!virtual_bucket.empty()) {
    out += '/';
    out += virtual_bucket;
  }
  out += request.path();
  http::QueryParams query(request.query());
  std::vector<std::pair<std::string, std::string>> signed_params;
  for (const auto& param : query.all())
    if (std::ranges::find(kSubresources, param.first) != kSubresources.end())
      signed_params.push_back(param);
  std::ranges::sort(signed_params);
  char separator = '?';
  for (const auto& [name, value] : signed_params) {
    out += separator;
    out += name;
    if (!value.empty()) out += "=" + value;
    separator = '&';
  }
  return out;
}

base::Status verify_sigv2(const http::Request& request, const SignatureClaim& claim,
                          const Credentials& credentials, base::SystemTime now,
                          std::string_view virtual_bucket) {
  std::string date;
  if (claim.form == SignatureForm::v2_query) {
    if (!claim.expires_at || now > base::SystemTime{std::chrono::seconds{*claim.expires_at}})
      return failure(403, "AccessDenied", "Request has expired");
    date = std::to_string(*claim.expires_at);
  } else if (claim.form == SignatureForm::v2_header) {
    if (claim.time > now + kClockSkewMax || claim.time < now - kClockSkewMax)
      return failure(403, "RequestTimeTooSkewed",
                     "The difference between the request time and the current time is too large.",
                     "set the client's clock");
    if (!request.headers.has("X-Amz-Date")) date = request.headers.get("Date").value_or("");
  } else {
    return failure(400, "InvalidArgument", "This is not a Version 2 signature.");
  }
  if (!base::equals_constant_time(claim.session_token, credentials.session_token))
    return failure(400, "InvalidToken", "The provided token is malformed or otherwise invalid.");
  std::string text = sigv2_string_to_sign(request, date, virtual_bucket);
  if (base::equals_constant_time(sigv2_signature(credentials.secret_access_key, text),
                                 claim.signature))
    return {};
  return failure(
      403, "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided. Check "
      "your key and signing method.",
      fmt::format("the string to sign was '{}'", text));
}

}  // namespace imgproc::protocol
