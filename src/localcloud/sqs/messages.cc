#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/json.h"
#include "localcloud/sqs/limits.h"
#include "localcloud/sqs/service.h"

namespace imgproc::localcloud::sqs {
namespace json = boost::json;
namespace {

/// MD5 over the attributes in order of their names, each part with its length in front, as clients
/// check it. Source: "Calculating the MD5 message digest for message attributes", SQS
/// documentation.
std::string md5_of_attributes(const json::object& attributes) {
  std::map<std::string, const json::object*> sorted;
  for (const auto& [name, value] : attributes)
    if (const auto* object = value.if_object()) sorted[std::string(name)] = object;
  base::Hasher hasher(base::HashAlgorithm::md5);
  auto add = [&](std::string_view part) {
    std::string length(4, '\0');
    for (std::size_t i = 0; i < 4; ++i)
      length[i] = static_cast<char>(part.size() >> (24 - 8 * i) & 255);
    hasher.update(length);
    hasher.update(part);
  };
  for (const auto& [name, value] : sorted) {
    auto binary = base::json_string(*value, "BinaryValue");
    add(name);
    add(base::json_string(*value, "DataType").value_or(""));
    hasher.update(binary ? "\x02" : "\x01");
    add(binary ? base::from_base64(*binary).value_or("")
               : std::string(base::json_string(*value, "StringValue").value_or("")));
  }
  return base::to_hex(hasher.finish());
}

/// Characters outside XML 1.0 cannot be sent through SQS.
bool has_allowed_characters(std::string_view body) {
  return base::is_utf8(body) && std::ranges::none_of(body, [](char c) {
           return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
         });
}

base::Status check_seconds(std::string_view name, int value, int most) {
  if (value >= 0 && value <= most) return {};
  return base::permanent(
      "InvalidParameterValue",
      fmt::format("Value {} for parameter {} is invalid. Must be between 0 and {}.", value, name,
                  most));
}

base::Result<json::array> batch_entries(const rpc::Call& call) {
  json::array entries = call.list("Entries");
  if (entries.empty())
    return base::permanent("EmptyBatchRequest",
                           "There should be at least one entry in the request.");
  if (entries.size() > kBatchEntriesMax)
    return base::permanent(
        "TooManyEntriesInBatchRequest",
        fmt::format("Maximum number of entries per request are {}. You have sent {}.",
                    kBatchEntriesMax, entries.size()));
  std::set<std::string> ids;
  for (const json::value& entry : entries) {
    if (!entry.is_object() || !base::json_string(entry.get_object(), "Id"))
      return base::permanent("InvalidBatchEntryId", "A batch entry has no Id.");
    if (!ids.emplace(*base::json_string(entry.get_object(), "Id")).second)
      return base::permanent("BatchEntryIdsNotDistinct",
                             "Two or more batch entries in the request have the same Id.");
  }
  return entries;
}

/// Runs `one` for every entry; each answers for itself.
template <class One>
base::Result<json::object> run_batch(const rpc::Call& call, One one) {
  IMGPROC_TRY(json::array entries, batch_entries(call));
  json::array successful;
  json::array failed;
  for (const json::value& value : entries) {
    const json::object& entry = value.get_object();
    json::string id = entry.at("Id").get_string();
    base::Result<json::object> result = one(entry);
    if (result) {
      (*result)["Id"] = id;
      successful.push_back(std::move(*result));
    } else {
      failed.push_back(json::object{{"Id", id},
                                    {"SenderFault", !result.error().retryable},
                                    {"Code", result.error().code},
                                    {"Message", result.error().message}});
    }
  }
  json::object output{{"Successful", successful}};
  if (!failed.empty()) output["Failed"] = failed;
  return output;
}

}  // namespace

void SqsService::register_message_operations() {
  auto& operations = description_.operations;
  operations["SendMessage"] = [this](const rpc::Call& call) { return send_message(call); };
  operations["SendMessageBatch"] = [this](const rpc::Call& call) {
    return send_message_batch(call);
  };
  operations["ReceiveMessage"] = [this](const rpc::Call& call) { return receive_message(call); };
  operations["DeleteMessage"] = [this](const rpc::Call& call) { return delete_message(call); };
  operations["DeleteMessageBatch"] = [this](const rpc::Call& call) {
    return delete_message_batch(call);
  };
  operations["ChangeMessageVisibility"] = [this](const rpc::Call& call) {
    return change_message_visibility(call);
  };
  operations["ChangeMessageVisibilityBatch"] = [this](const rpc::Call& call) {
    return change_message_visibility_batch(call);
  };
}

SqsService::Output SqsService::send_entry(const std::string& queue, const json::object& attributes,
                                          const json::object& entry) {
  auto body = base::json_string(entry, "MessageBody");
  if (!body || body->empty())
    return base::permanent("MissingParameter",
                           "The request must contain the parameter MessageBody.");
  int size_max =
      int_attribute(attributes, "MaximumMessageSize", static_cast<int>(kMessageBytesMax));
  if (body->size() > static_cast<std::size_t>(size_max))
    return base::permanent(
        "InvalidParameterValue",
        fmt::format(
            "One or more parameters are invalid. Reason: Message must be shorter than {} bytes.",
            size_max));
  if (!has_allowed_characters(*body))
    return base::permanent("InvalidMessageContents",
                           "The message contains characters outside the allowed set.");
  const json::object* message_attributes = base::json_object(entry, "MessageAttributes");
  if (message_attributes != nullptr && message_attributes->size() > kMessageAttributesMax)
    return base::permanent("InvalidParameterValue", "A message has at most 10 attributes.");
  int delay = static_cast<int>(
      base::json_int(entry, "DelaySeconds").value_or(int_attribute(attributes, "DelaySeconds", 0)));
  IMGPROC_CHECK(check_seconds("DelaySeconds", delay, kDelaySecondsMax));
  std::string id;
  IMGPROC_CHECK(context_.database.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(id, MessageStore::send(connection, queue, *body,
                                       message_attributes ? *message_attributes : json::object{},
                                       context_.clock.now(), std::chrono::seconds{delay}));
    return {};
  }));
  json::object output{{"MessageId", id}, {"MD5OfMessageBody", base::md5_hex(*body)}};
  if (message_attributes != nullptr && !message_attributes->empty())
    output["MD5OfMessageAttributes"] = md5_of_attributes(*message_attributes);
  return output;
}

SqsService::Output SqsService::send_message(const rpc::Call& call) {
  IMGPROC_TRY(Queue queue, find_queue(call));
  auto output = send_entry(queue.name, queue.attributes, call.input);
  if (output) wake();
  return output;
}

SqsService::Output SqsService::send_message_batch(const rpc::Call& call) {
  IMGPROC_TRY(Queue queue, find_queue(call));
  auto output = run_batch(call, [&](const json::object& entry) {
    return send_entry(queue.name, queue.attributes, entry);
  });
  wake();
  return output;
}

SqsService::Output SqsService::receive_message(const rpc::Call& call) {
  IMGPROC_TRY(Queue queue, find_queue(call));
  int count = static_cast<int>(call.number("MaxNumberOfMessages").value_or(1));
  if (count < 1 || count > kReceiveMessagesMax)
    return base::permanent(
        "InvalidParameterValue",
        fmt::format(
            "Value {} for parameter MaxNumberOfMessages is invalid. Must be between 1 and {}.",
            count, kReceiveMessagesMax));
  int wait = static_cast<int>(
      call.number("WaitTimeSeconds")
          .value_or(int_attribute(queue.attributes, "ReceiveMessageWaitTimeSeconds", 0)));
  IMGPROC_CHECK(check_seconds("WaitTimeSeconds", wait, kWaitSecondsMax));
  int visibility =
      static_cast<int>(call.number("VisibilityTimeout")
                           .value_or(int_attribute(queue.attributes, "VisibilityTimeout", 30)));
  IMGPROC_CHECK(check_seconds("VisibilityTimeout", visibility, kVisibilitySecondsMax));
  IMGPROC_TRY(auto messages, receive_from(queue, count, std::chrono::seconds{visibility},
                                          std::chrono::seconds{wait}));

  auto wants = [&](std::string_view list, std::string_view name) {
    return std::ranges::any_of(call.list(list), [&](const json::value& value) {
      return value.is_string() && (value.get_string() == "All" || value.get_string() == ".*" ||
                                   value.get_string() == name);
    });
  };
  json::array output;
  for (QueueMessage& message : messages) {
    json::object item{{"MessageId", message.message_id},
                      {"ReceiptHandle", message.receipt_handle},
                      {"MD5OfBody", message.md5_of_body},
                      {"Body", message.body}};
    json::object system;
    for (const auto& [name, value] : message.attributes)
      if (wants("AttributeNames", name) || wants("MessageSystemAttributeNames", name))
        system[name] = value;
    json::object own;
    for (const auto& [name, value] : message.message_attributes)
      if (wants("MessageAttributeNames", name)) own[name] = value;
    if (!system.empty()) item["Attributes"] = system;
    if (!own.empty()) {
      item["MD5OfMessageAttributes"] = md5_of_attributes(own);
      item["MessageAttributes"] = own;
    }
    output.push_back(std::move(item));
  }
  if (output.empty()) return json::object{};
  return json::object{{"Messages", output}};
}

SqsService::Output SqsService::delete_message(const rpc::Call& call) {
  IMGPROC_TRY(Queue queue, find_queue(call));
  IMGPROC_TRY(std::string handle, call.require("ReceiptHandle"));
  IMGPROC_CHECK(context_.database.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(bool removed, MessageStore::remove(connection, queue.name, handle));
    static_cast<void>(removed);
    return {};
  }));
  return json::object{};
}

SqsService::Output SqsService::delete_message_batch(const rpc::Call& call) {
  IMGPROC_TRY(Queue queue, find_queue(call));
  return run_batch(call, [&](const json::object& entry) -> Output {
    rpc::Call one{call.caller, call.host, entry, call.is_json};
    one.input["QueueUrl"] = call.text("QueueUrl");
    return delete_message(one);
  });
}

SqsService::Output SqsService::change_message_visibility(const rpc::Call& call) {
  IMGPROC_TRY(Queue queue, find_queue(call));
  IMGPROC_TRY(std::string handle, call.require("ReceiptHandle"));
  int visibility = static_cast<int>(call.number("VisibilityTimeout").value_or(-1));
  IMGPROC_CHECK(check_seconds("VisibilityTimeout", visibility, kVisibilitySecondsMax));
  bool changed = false;
  IMGPROC_CHECK(context_.database.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(changed, MessageStore::change_visibility(connection, queue.name, handle,
                                                         std::chrono::seconds{visibility},
                                                         context_.clock.now()));
    return {};
  }));
  if (!changed)
    return base::permanent("MessageNotInflight", "The specified message is not in flight.");
  if (visibility == 0) wake();
  return json::object{};
}

SqsService::Output SqsService::change_message_visibility_batch(const rpc::Call& call) {
  return run_batch(call, [&](const json::object& entry) -> Output {
    rpc::Call one{call.caller, call.host, entry, call.is_json};
    one.input["QueueUrl"] = call.text("QueueUrl");
    return change_message_visibility(one);
  });
}

}  // namespace imgproc::localcloud::sqs
