#include "protocol/sigv4.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/time.h"
#include "protocol/sigv4_canonical.h"

namespace imgproc::protocol {
namespace {

/// Headers that may change on the way, or that belong to one connection only.
constexpr std::array<std::string_view, 9> kNotSigned = {
    "authorization", "connection", "expect",          "keep-alive",       "te",
    "trailer",       "user-agent", "x-amzn-trace-id", "transfer-encoding"};

std::vector<std::string> names_to_sign(const http::Headers& headers) {
  std::vector<std::string> names;
  for (const auto& field : headers.fields()) {
    std::string name = base::to_lower(field.first);
    if (std::ranges::find(kNotSigned, name) == kNotSigned.end()) names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  return names;
}

std::string signature_of(const http::Request& request, const Credentials& credentials,
                         std::string_view region, std::string_view service,
                         std::string_view amz_date, std::string_view scope,
                         std::span<const std::string> names, std::string_view payload) {
  std::string text =
      string_to_sign(amz_date, scope, canonical_request(request, service, names, payload));
  return base::to_hex(base::hmac_sha256(
      signing_key(credentials.secret_access_key, amz_date.substr(0, 8), region, service), text));
}

}  // namespace

PayloadHash PayloadHash::of(std::string_view body) {
  return PayloadHash(base::sha256_hex(body));
}

PayloadHash PayloadHash::unsigned_payload() {
  return PayloadHash(std::string(kUnsignedPayload));
}

std::string signing_key(std::string_view secret_access_key, std::string_view date,
                        std::string_view region, std::string_view service) {
  std::string key = "AWS4";
  key += secret_access_key;
  key = base::hmac_sha256(key, date);
  key = base::hmac_sha256(key, region);
  key = base::hmac_sha256(key, service);
  return base::hmac_sha256(key, "aws4_request");
}

void sign(http::Request& request, const Credentials& credentials, std::string_view region,
          std::string_view service, base::SystemTime now, const PayloadHash& payload) {
  std::string amz_date = base::to_amz_date(now);
  request.headers.erase("Authorization");
  request.headers.set("X-Amz-Date", amz_date);
  if (service == "s3") request.headers.set("X-Amz-Content-Sha256", payload.text());
  if (!credentials.session_token.empty())
    request.headers.set("X-Amz-Security-Token", credentials.session_token);

  std::string scope = fmt::format("{}/{}/{}/aws4_request", amz_date.substr(0, 8), region, service);
  std::vector<std::string> names = names_to_sign(request.headers);
  std::string signature =
      signature_of(request, credentials, region, service, amz_date, scope, names, payload.text());
  request.headers.set(
      "Authorization",
      fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kSigV4Algorithm,
                  credentials.access_key_id, scope, join_names(names), signature));
}

base::Status presign(http::Request& request, const Credentials& credentials,
                     std::string_view region, std::string_view service, base::SystemTime now,
                     std::chrono::seconds life) {
  if (life < std::chrono::seconds{1} || life > kPresignLifeMax)
    return base::permanent("AuthorizationQueryParametersError",
                           fmt::format("a presigned URL cannot live for {} seconds", life.count()),
                           "choose 1 second to 7 days");
  std::string amz_date = base::to_amz_date(now);
  std::string scope = fmt::format("{}/{}/{}/aws4_request", amz_date.substr(0, 8), region, service);
  std::vector<std::string> names = names_to_sign(request.headers);
  request.target += request.target.find('?') == std::string::npos ? '?' : '&';
  request.target += fmt::format(
      "X-Amz-Algorithm={}&X-Amz-Credential={}&X-Amz-Date={}&X-Amz-Expires={}&X-Amz-SignedHeaders={"
      "}",
      kSigV4Algorithm, base::percent_encode(credentials.access_key_id + "/" + scope), amz_date,
      life.count(), base::percent_encode(join_names(names)));
  if (!credentials.session_token.empty())
    request.target += "&X-Amz-Security-Token=" + base::percent_encode(credentials.session_token);
  std::string payload =
      service == "s3" ? std::string(kUnsignedPayload) : base::sha256_hex(request.body.text);
  request.target += "&X-Amz-Signature=" + signature_of(request, credentials, region, service,
                                                       amz_date, scope, names, payload);
  return {};
}

}  // namespace imgproc::protocol
