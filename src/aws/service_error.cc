#include "aws/service_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/json.h"
#include "ports/blob_store.h"

namespace imgproc::aws {
namespace {

struct Words {
  std::string code;
  std::string message;
};

/// "com.amazonaws.dynamodb.v20120810#Code:http://…" to "Code".
std::string bare_code(std::string_view text) {
  text = text.substr(0, text.find(':'));
  if (auto at = text.rfind('#'); at != std::string_view::npos) text = text.substr(at + 1);
  return std::string(text);
}

/// XML's own five entities replaced; any other `&` stays as it is.
std::string unescape(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, char>, 5> kEntities = {
      {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}};
  std::string plain;
  while (!text.empty()) {
    auto entity = std::ranges::find_if(
        kEntities, [&](const auto& known) { return text.starts_with(known.first); });
    bool found = entity != kEntities.end();
    plain += found ? entity->second : text.front();
    text.remove_prefix(found ? entity->first.size() : 1);
  }
  return plain;
}

/// What stands between <name> and </name>, at their first occurrence; empty if there is none or if
/// another tag stands within.
std::string text_of(std::string_view body, std::string_view name) {
  auto begin = body.find(fmt::format("<{}>", name));
  if (begin == std::string_view::npos) return {};
  body.remove_prefix(begin + name.size() + 2);
  auto end = body.find('<');
  if (end == std::string_view::npos || !body.substr(end).starts_with(fmt::format("</{}>", name)))
    return {};
  return unescape(body.substr(0, end));
}

/// The two words are all that is read of XML here; a parser for them would be a twentieth of the
/// Lambda package's own code, since it brings the C++ library's streams along.
Words words_in_xml(std::string_view body) {
  if (!body.contains("<Error>")) return {};
  return {text_of(body, "Code"), text_of(body, "Message")};
}

Words words_in_json(std::string_view body) {
  auto value = base::parse_json(body);
  if (!value || !value->is_object()) return {};
  const auto& object = value->get_object();
  auto type = base::json_string(object, "__type");
  if (!type) type = base::json_string(object, "code");
  auto message = base::json_string(object, "message");
  if (!message) message = base::json_string(object, "Message");
  return {bare_code(type.value_or("")), std::string(message.value_or(""))};
}

base::Error make_error(const http::Response& response, Words words, std::string_view no_body_code) {
  base::Error error;
  error.http_status = response.status;
  error.code = words.code.empty() ? std::string(no_body_code) : std::move(words.code);
  error.message = words.message.empty() ? fmt::format("the service answered {} {}", response.status,
                                                      http::reason_phrase(response.status))
                                        : std::move(words.message);
  error.retryable = is_retryable_status(response.status) || is_retryable_code(error.code);
  auto id = response.headers.get("x-amz-request-id");
  if (!id) id = response.headers.get("x-amzn-RequestId");
  if (id) error.message += fmt::format(" [request {}]", *id);
  return error;
}

std::string code_of_status(int status) {
  switch (status) {
    case 403:
      return "AccessDenied";
    case 404:
      return ports::kNoSuchKey;
    case 409:
      return ports::kConditionalConflict;
    case 412:
      return ports::kPreconditionFailed;
    case 429:
    case 503:
      return "SlowDown";
    default:
      return fmt::format("HTTP_{}", status);
  }
}

}  // namespace

bool is_retryable_code(std::string_view code) {
  constexpr std::array<std::string_view, 22> kCodes = {"BandwidthLimitExceeded",
                                                       "ConditionalRequestConflict",
                                                       "EC2ThrottledException",
                                                       "InternalError",
                                                       "InternalServerError",
                                                       "LimitExceededException",
                                                       "PriorRequestNotComplete",
                                                       "ProvisionedThroughputExceededException",
                                                       "ReplicatedWriteConflictException",
                                                       "RequestLimitExceeded",
                                                       "RequestThrottled",
                                                       "RequestThrottledException",
                                                       "RequestTimeout",
                                                       "RequestTimeoutException",
                                                       "ServiceUnavailable",
                                                       "SlowDown",
                                                       "ThrottledException",
                                                       "Throttling",
                                                       "ThrottlingException",
                                                       "TooManyRequestsException",
                                                       "TransactionConflictException",
                                                       "TransactionInProgressException"};
  return std::ranges::find(kCodes, code) != kCodes.end();
}

bool is_retryable_status(int status) {
  return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

std::string error_code_in(const http::Response& response, std::string_view body) {
  if (auto type = response.headers.get("X-Amzn-ErrorType")) return bare_code(*type);
  auto first = body.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return body[first] == '<' ? words_in_xml(body).code : words_in_json(body).code;
}

base::Error s3_error_of(http::Response& response) {
  auto body = http::read_all(response.body, kErrorBytesMax);
  base::Error error =
      make_error(response, body ? words_in_xml(*body) : Words{}, code_of_status(response.status));
  if (error.code == "AccessDenied") {
    error.hint =
        "give the role the permission; without s3:ListBucket S3 says AccessDenied for an object "
        "that is not there";
  } else if (auto region = response.headers.get("x-amz-bucket-region");
             region && response.status / 100 == 3) {
    error.hint = fmt::format("the bucket is in {}: set AWS_REGION", *region);
  }
  return error;
}

base::Error json_error_of(const http::Response& response, std::string_view body) {
  Words words = words_in_json(body);
  if (words.code.empty()) words.code = error_code_in(response, body);
  base::Error error =
      make_error(response, std::move(words), fmt::format("HTTP_{}", response.status));
  if (error.code == "AccessDeniedException") error.hint = "give the function's role the permission";
  return error;
}

}  // namespace imgproc::aws
