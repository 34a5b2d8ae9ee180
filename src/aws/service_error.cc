#include "aws/service_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <pugixml.hpp>

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

Words words_in_xml(std::string_view body) {
  pugi::xml_document document;
  // No DTD, no entities but XML's own five: pugixml expands none.
  if (!document.load_buffer(body.data(), body.size(), pugi::parse_minimal | pugi::parse_escapes))
    return {};
  pugi::xml_node error = document.child("Error");
  if (!error) error = document.child("ErrorResponse").child("Error");
  return {error.child_value("Code"), error.child_value("Message")};
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
