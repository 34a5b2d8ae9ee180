#include <fmt/format.h>

#include <array>

#include "base/bytes.h"
#include "base/time.h"
#include "protocol/sigv4_canonical.h"
#include "protocol/sigv4_verify.h"

namespace imgproc::protocol {
namespace {

constexpr std::string_view kSigV4Asymmetric = "AWS4-ECDSA-P256-SHA256";
constexpr std::size_t kAuthorizationBytesMax = 8 * 1024;

std::unexpected<base::Error> failure(int status, std::string code, std::string message) {
  base::Error error{.code = std::move(code), .message = std::move(message)};
  error.http_status = status;
  return std::unexpected(std::move(error));
}

std::unexpected<base::Error> header_malformed(std::string why) {
  return failure(400, "AuthorizationHeaderMalformed",
                 "The authorization header is malformed; " + std::move(why));
}

std::unexpected<base::Error> query_malformed(std::string why) {
  return failure(400, "AuthorizationQueryParametersError", std::move(why));
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    auto cut = text.find(separator);
    parts.emplace_back(text.substr(0, cut));
    if (cut == std::string_view::npos) return parts;
    text.remove_prefix(cut + 1);
  }
}

/// KEY/DATE/REGION/SERVICE/aws4_request; the key itself may hold slashes.
bool read_credential(std::string_view text, SignatureClaim& claim) {
  std::array<std::string_view, 4> tail;
  for (auto at = tail.rbegin(); at != tail.rend(); ++at) {
    auto cut = text.rfind('/');
    if (cut == std::string_view::npos) return false;
    *at = text.substr(cut + 1);
    text = text.substr(0, cut);
  }
  if (text.empty() || tail[0].size() != 8 || tail[1].empty() || tail[2].empty() ||
      tail[3] != "aws4_request")
    return false;
  claim.access_key_id = text;
  claim.date = tail[0];
  claim.region = tail[1];
  claim.service = tail[2];
  return true;
}

bool read_date(std::string_view text, SignatureClaim& claim) {
  auto time = base::from_amz_date(text);
  if (!time) return false;
  claim.time = *time;
  claim.amz_date = text;
  return true;
}

base::Result<SignatureClaim> parse_v4_header(const http::Request& request, std::string_view value) {
  SignatureClaim claim;
  std::string_view rest = value.substr(kSigV4Algorithm.size());
  std::optional<std::string_view> credential, names, signature;
  while (!rest.empty()) {
    auto comma = rest.find(',');
    std::string_view part = base::trim(rest.substr(0, comma));
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    auto equals = part.find('=');
    if (equals == std::string_view::npos) return header_malformed("a part of it has no value.");
    std::string_view name = part.substr(0, equals);
    auto* slot = name == "Credential"      ? &credential
                 : name == "SignedHeaders" ? &names
                 : name == "Signature"     ? &signature
                                           : nullptr;
    if (slot == nullptr || *slot)
      return header_malformed(fmt::format("'{}' is unknown or stands there twice.", name));
    *slot = part.substr(equals + 1);
  }
  if (!credential) return header_malformed("it lacks Credential.");
  if (!names || names->empty()) return header_malformed("it lacks SignedHeaders.");
  if (!signature || signature->empty()) return header_malformed("it lacks Signature.");
  if (!read_credential(*credential, claim))
    return header_malformed(
        "the Credential is mal-formed; expecting "
        "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
  claim.signed_headers = split(*names, ';');
  claim.signature = *signature;
  claim.session_token = request.headers.get("X-Amz-Security-Token").value_or("");
  claim.payload_hash = request.headers.get("X-Amz-Content-Sha256").value_or("");

  auto amz_date = request.headers.get("X-Amz-Date");
  if (amz_date ? !read_date(*amz_date, claim) : true) {
    // Without X-Amz-Date the Date header serves, in either spelling.
    auto date = request.headers.get("Date");
    auto time = date && !amz_date ? base::from_http_date(*date) : std::nullopt;
    if (time) {
      claim.time = *time;
      claim.amz_date = base::to_amz_date(*time);
    } else if (amz_date || !date || !read_date(*date, claim)) {
      return failure(403, "AccessDenied",
                     "AWS authentication requires a valid Date or x-amz-date header");
    }
  }
  if (claim.amz_date.substr(0, 8) != claim.date)
    return header_malformed(
        fmt::format("Invalid credential date \"{}\". This date is not the same as "
                    "X-Amz-Date: \"{}\".",
                    claim.date, claim.amz_date.substr(0, 8)));
  return claim;
}

base::Result<SignatureClaim> parse_v4_query(const http::Request& request,
                                            const http::QueryParams& query) {
  SignatureClaim claim;
  claim.form = SignatureForm::v4_query;
  constexpr std::array<std::string_view, 6> kRequired = {"X-Amz-Algorithm",     "X-Amz-Credential",
                                                         "X-Amz-Date",          "X-Amz-Expires",
                                                         "X-Amz-SignedHeaders", "X-Amz-Signature"};
  for (std::string_view name : kRequired) {
    int count = 0;
    for (const auto& param : query.all()) count += param.first == name;
    if (count != 1)
      return query_malformed(
          "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
          "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters, each "
          "once.");
  }
  if (!read_credential(*query.get("X-Amz-Credential"), claim))
    return query_malformed(
        "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "
        "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
  if (!read_date(*query.get("X-Amz-Date"), claim))
    return query_malformed(
        "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  if (claim.amz_date.substr(0, 8) != claim.date)
    return query_malformed(
        fmt::format("Invalid credential date \"{}\". This date is not the same as "
                    "X-Amz-Date: \"{}\".",
                    claim.date, claim.amz_date.substr(0, 8)));
  auto life = base::parse_unsigned(*query.get("X-Amz-Expires"));
  if (!life) return query_malformed("X-Amz-Expires should be a number");
  if (*life < 1 || *life > static_cast<unsigned long long>(kPresignLifeMax.count()))
    return query_malformed(
        "X-Amz-Expires must be at least 1 and less than a week (in seconds); that is, the given "
        "X-Amz-Expires must be no more than 604800 seconds");
  claim.life = std::chrono::seconds(*life);
  claim.signed_headers = split(*query.get("X-Amz-SignedHeaders"), ';');
  claim.signature = *query.get("X-Amz-Signature");
  claim.session_token = query.get("X-Amz-Security-Token").value_or("");
  if (auto stated = query.get("X-Amz-Content-Sha256")) {
    claim.payload_hash = *stated;
  } else if (auto header = request.headers.get("X-Amz-Content-Sha256")) {
    claim.payload_hash = *header;
  } else if (claim.service == "s3") {
    claim.payload_hash = kUnsignedPayload;
  }
  return claim;
}

/// Authorization: AWS ACCESS_KEY_ID:SIGNATURE
base::Result<SignatureClaim> parse_v2_header(const http::Request& request, std::string_view value) {
  SignatureClaim claim;
  claim.form = SignatureForm::v2_header;
  std::string_view pair = base::trim(value.substr(4));
  auto colon = pair.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == pair.size())
    return failure(400, "InvalidArgument",
                   "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature");
  claim.access_key_id = pair.substr(0, colon);
  claim.signature = pair.substr(colon + 1);
  claim.session_token = request.headers.get("X-Amz-Security-Token").value_or("");
  auto date = request.headers.get("X-Amz-Date");
  if (!date) date = request.headers.get("Date");
  auto time = date ? base::from_http_date(*date) : std::nullopt;
  if (!time && date) time = base::from_amz_date(*date);
  if (!time)
    return failure(403, "AccessDenied",
                   "AWS authentication requires a valid Date or x-amz-date header");
  claim.time = *time;
  claim.service = "s3";
  return claim;
}

base::Result<SignatureClaim> parse_v2_query(const http::QueryParams& query) {
  SignatureClaim claim;
  claim.form = SignatureForm::v2_query;
  for (std::string_view name : {"AWSAccessKeyId", "Signature", "Expires"}) {
    int count = 0;
    for (const auto& param : query.all()) count += param.first == name;
    if (count != 1)
      return failure(
          403, "AccessDenied",
          "Query-string authentication requires the Signature, Expires and AWSAccessKeyId "
          "parameters");
  }
  claim.access_key_id = *query.get("AWSAccessKeyId");
  claim.signature = *query.get("Signature");
  claim.session_token = query.get("x-amz-security-token").value_or("");
  auto expires = base::parse_unsigned(*query.get("Expires"));
  // Beyond this the milliseconds of our clock would overflow.
  constexpr unsigned long long kEpochSecondsMax = 1ULL << 40;
  if (!expires || *expires > kEpochSecondsMax)
    return failure(403, "AccessDenied", "Invalid date (should be seconds since epoch)");
  claim.expires_at = static_cast<long long>(*expires);
  claim.service = "s3";
  return claim;
}

bool names_v4(const http::QueryParams& query) {
  return query.has("X-Amz-Algorithm") || query.has("X-Amz-Signature") ||
         query.has("X-Amz-Credential");
}

bool names_v2(const http::QueryParams& query) {
  return query.has("AWSAccessKeyId") && (query.has("Signature") || query.has("Expires"));
}

}  // namespace

std::string SignatureClaim::scope() const {
  return fmt::format("{}/{}/{}/aws4_request", date, region, service);
}

bool is_signed(const http::Request& request) {
  if (request.headers.has("Authorization")) return true;
  http::QueryParams query(request.query());
  return names_v4(query) || names_v2(query);
}

base::Result<SignatureClaim> parse_authorization(const http::Request& request) {
  http::QueryParams query(request.query());
  std::optional<std::string_view> header;
  for (const auto& [name, value] : request.headers.fields()) {
    if (!base::equals_ignoring_case(name, "Authorization")) continue;
    if (header) return failure(400, "InvalidArgument", "Only one Authorization header is allowed");
    header = value;
  }
  bool in_query = names_v4(query) || names_v2(query);
  if (header && in_query)
    return failure(
        400, "InvalidArgument",
        "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature "
        "query string parameter or the Authorization header should be specified");
  if (header) {
    if (header->size() > kAuthorizationBytesMax) return header_malformed("it is too long.");
    if (header->starts_with(std::string(kSigV4Algorithm) + " "))
      return parse_v4_header(request, *header);
    if (header->starts_with("AWS ")) return parse_v2_header(request, *header);
    if (header->starts_with(kSigV4Asymmetric))
      return failure(501, "NotImplemented", "Signature Version 4A is not supported.");
    return failure(400, "InvalidArgument", "Unsupported Authorization Type");
  }
  if (names_v4(query)) {
    auto algorithm = query.get("X-Amz-Algorithm");
    if (algorithm == kSigV4Asymmetric)
      return failure(501, "NotImplemented", "Signature Version 4A is not supported.");
    if (algorithm && *algorithm != kSigV4Algorithm)
      return query_malformed("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
    return parse_v4_query(request, query);
  }
  if (names_v2(query)) return parse_v2_query(query);
  return failure(403, "MissingAuthenticationToken", "The request is not signed.");
}

}  // namespace imgproc::protocol
