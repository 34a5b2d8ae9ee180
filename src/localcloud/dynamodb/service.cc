#include "localcloud/dynamodb/service.h"

#include <fmt/format.h>

#include <mutex>
#include <shared_mutex>

#include "base/json.h"
#include "base/log.h"
#include "localcloud/dynamodb/operation.h"
#include "protocol/error_response.h"

namespace imgproc::localcloud::dynamodb {
namespace {

constexpr std::string_view kTargetPrefix = "DynamoDB_20120810.";

/// Errors that are not DynamoDB's own (the store's, a socket's) reach clients as this one.
base::Error public_error(const base::Error& error) {
  if (error.code.ends_with("Exception") || error.code == "InternalServerError") return error;
  return {.code = "InternalServerError",
          .message = error.describe(),
          .retryable = error.retryable,
          .http_status = 500};
}

}  // namespace

DynamoDbService::DynamoDbService(Context& context)
    : context_(context), store_(std::make_unique<Store>(context)), opened_(store_->open()) {}

DynamoDbService::~DynamoDbService() = default;

http::Response DynamoDbService::handle(const Caller& caller, http::Request request) {
  json::object error_members;
  base::Result<std::string> body = std::string();
  try {
    body = run(caller, request, error_members);
  } catch (const std::exception& exception) {
    base::log_error("DynamoDB request failed",
                    {{"what", exception.what()}, {"request_id", caller.request_id}});
    body = base::permanent("InternalServerError",
                           "The request failed inside the local cloud; see its log.");
    body.error().http_status = 500;
  }
  if (body) {
    http::Response response;
    response.headers.set("Content-Type", "application/x-amz-json-1.0");
    response.headers.set("x-amzn-RequestId", caller.request_id);
    response.body = *std::move(body);
    return response;
  }
  base::Error error = public_error(body.error());
  error.code = wire_type(error.code);
  http::Response response = protocol::json_error(error, "1.0", caller.request_id);
  if (!error_members.empty()) {
    json::object object = json::parse(response.body.text).as_object();
    for (auto& [name, value] : error_members) object[name] = value;
    response.body = json::serialize(object);
  }
  return response;
}

base::Result<std::string> DynamoDbService::run(const Caller& caller, http::Request& request,
                                               json::object& error_members) {
  IMGPROC_CHECK(opened_);
  auto target = request.headers.get("X-Amz-Target");
  if (request.method != "POST" || !target || !target->starts_with(kTargetPrefix))
    return base::permanent(
        "UnknownOperationException",
        "DynamoDB expects POST with a header X-Amz-Target: DynamoDB_20120810.OPERATION");
  std::string_view name = target->substr(kTargetPrefix.size());
  const Operation* operation = find_operation(name);
  if (operation == nullptr)
    return base::permanent(
        "UnknownOperationException",
        fmt::format("The operation {} is not implemented by the local cloud", name));
  auto text = http::read_all(request.body, kRequestBytesMax);
  if (!text) {
    if (text.error().code != "BODY_TOO_LARGE") return std::unexpected(text.error());
    return std::unexpected(
        base::Error{.code = "SerializationException",
                    .message = fmt::format("Request is larger than {} bytes", kRequestBytesMax),
                    .http_status = 413});
  }
  auto document = base::parse_json(*text);
  if (!document) return not_serializable(document.error().message);
  if (!document->is_object()) return not_serializable("Start of structure expected");

  Caller regional = caller;
  if (regional.region.empty()) regional.region = context_.region;
  Call call{.store = *store_, .caller = regional, .request = document->get_object()};
  std::shared_lock shared(store_->mutex(), std::defer_lock);
  std::unique_lock alone(store_->mutex(), std::defer_lock);
  if (operation->changes_tables) {
    alone.lock();
  } else {
    shared.lock();
  }
  auto body = operation->run(call);
  error_members = std::move(call.error_members);
  return body;
}

}  // namespace imgproc::localcloud::dynamodb
