#include "aws/dynamodb_client.h"

#include <fmt/format.h>

#include <utility>

#include "aws/record_item.h"
#include "aws/service_error.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/json.h"

namespace imgproc::aws {
namespace {

/// An item has at most 400 KB; as JSON, with every byte escaped, it stays below this.
constexpr std::size_t kAnswerBytesMax = 4 * 1024 * 1024;

/// DynamoDB sends the CRC32 of its body as a decimal number.
base::Status check_crc32(const http::Response& response, std::string_view body) {
  auto header = response.headers.get("x-amz-crc32");
  if (!header) return {};
  std::string raw = base::hash(base::HashAlgorithm::crc32, body);
  unsigned long long actual = 0;
  for (char byte : raw) actual = actual << 8 | static_cast<unsigned char>(byte);
  if (base::parse_unsigned(*header) == actual) return {};
  return base::transient(
      "CHECKSUM_MISMATCH",
      fmt::format("CRC32 of the answer is {}, DynamoDB says {}", actual, *header));
}

base::Result<std::optional<ports::Record>> record_in(const boost::json::object& body,
                                                     std::string_view name) {
  const auto* json = base::json_object(body, name);
  if (json == nullptr || json->empty()) return std::nullopt;
  IMGPROC_TRY(protocol::AttributeMap item, protocol::parse_attribute_map(*json));
  IMGPROC_TRY(ports::Record record, record_of(item));
  return record;
}

}  // namespace

DynamoDbClient::DynamoDbClient(Endpoint endpoint, std::string table,
                               std::unique_ptr<http::Exchange> exchange)
    : host_(endpoint.origin.host_header()),
      table_(std::move(table)),
      exchange_(std::move(exchange)) {}

base::Result<DynamoDbClient::Answer> DynamoDbClient::call(std::string_view operation,
                                                          std::string body) {
  http::Request request;
  request.method = "POST";
  request.target = "/";
  request.headers.set("Host", host_);
  request.headers.set("Content-Type", "application/x-amz-json-1.0");
  request.headers.set("X-Amz-Target", fmt::format("DynamoDB_20120810.{}", operation));
  request.body = std::move(body);
  IMGPROC_TRY(http::Response response, exchange_->send(std::move(request)));
  IMGPROC_TRY(std::string text, http::read_all(response.body, kAnswerBytesMax));
  IMGPROC_CHECK(check_crc32(response, text));
  Answer answer;
  answer.status = response.status;
  if (auto json = base::parse_json(text); json && json->is_object())
    answer.body = std::move(json->get_object());
  if (response.status == 200) return answer;
  answer.error = json_error_of(response, text);
  return answer;
}

base::Result<std::optional<ports::Record>> DynamoDbClient::get(std::string_view path) {
  std::string body = "{\"TableName\":";
  protocol::append_json_string(body, table_);
  body += ",\"Key\":{\"path\":{\"S\":";
  protocol::append_json_string(body, path);
  body += "}},\"ConsistentRead\":true}";
  IMGPROC_TRY(Answer answer, call("GetItem", std::move(body)));
  if (answer.status != 200) return std::unexpected(std::move(answer.error));
  return record_in(answer.body, "Item");
}

base::Result<DynamoDbClient::Answer> DynamoDbClient::put(const ports::Record& record,
                                                         bool return_old) {
  if (!base::is_utf8(record.path))
    return base::permanent("INVALID_KEY",
                           "the object's key is not UTF-8, so no record can bear its name");
  std::string body = "{\"TableName\":";
  protocol::append_json_string(body, table_);
  body += ",\"Item\":";
  protocol::append_json(body, item_of(record));
  // attribute_not_exists(#sequencer) holds for a missing item too. A record without a sequencer (a
  // direct invocation) is older than every event.
  body += R"(,"ConditionExpression":"attribute_not_exists(#sequencer))";
  if (!record.sequencer.empty()) body += " OR #sequencer <= :sequencer";
  body += R"(","ExpressionAttributeNames":{"#sequencer":"sequencer"})";
  if (!record.sequencer.empty()) {
    body += R"(,"ExpressionAttributeValues":{":sequencer":{"S":)";
    protocol::append_json_string(body, record.sequencer);
    body += "}}";
  }
  if (return_old)
    body += R"(,"ReturnValues":"ALL_OLD","ReturnValuesOnConditionCheckFailure":"ALL_OLD")";
  body += '}';
  return call("PutItem", std::move(body));
}

base::Result<ports::PutOutcome> DynamoDbClient::put_if_not_older(const ports::Record& record) {
  IMGPROC_TRY(Answer answer, put(record, false));
  if (answer.status == 200) return ports::PutOutcome::written;
  if (answer.error.code == "ConditionalCheckFailedException") return ports::PutOutcome::superseded;
  return std::unexpected(std::move(answer.error));
}

base::Result<ports::Replacement> DynamoDbClient::replace_if_not_older(const ports::Record& record) {
  IMGPROC_TRY(Answer answer, put(record, true));
  ports::Replacement replacement;
  if (answer.status == 200) {
    IMGPROC_TRY(replacement.before, record_in(answer.body, "Attributes"));
    return replacement;
  }
  if (answer.error.code != "ConditionalCheckFailedException")
    return std::unexpected(std::move(answer.error));
  replacement.outcome = ports::PutOutcome::superseded;
  IMGPROC_TRY(replacement.before, record_in(answer.body, "Item"));
  // Older imitations of DynamoDB do not send the item along.
  if (!replacement.before) {
    IMGPROC_TRY(replacement.before, get(record.path));
  }
  return replacement;
}

}  // namespace imgproc::aws
