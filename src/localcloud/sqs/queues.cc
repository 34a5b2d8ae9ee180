#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "localcloud/sqs/limits.h"
#include "localcloud/sqs/service.h"

namespace imgproc::localcloud::sqs {
namespace json = boost::json;
namespace {

struct NumberAttribute {
  std::string_view name;
  int least;
  int most;
  std::string_view fallback;
};

constexpr NumberAttribute kNumberAttributes[] = {
    {"DelaySeconds", 0, kDelaySecondsMax, "0"},
    {"MaximumMessageSize", 1024, static_cast<int>(kMessageBytesMax), "262144"},
    {"MessageRetentionPeriod", 60, 1209600, "345600"},
    {"ReceiveMessageWaitTimeSeconds", 0, kWaitSecondsMax, "0"},
    {"VisibilityTimeout", 0, kVisibilitySecondsMax, "30"},
    {"KmsDataKeyReusePeriodSeconds", 60, 86400, ""},
};

constexpr std::string_view kTextAttributes[] = {"Policy", "RedrivePolicy", "RedriveAllowPolicy",
                                                "KmsMasterKeyId", "SqsManagedSseEnabled"};

base::Status check_attribute(std::string_view name, std::string_view value) {
  for (const NumberAttribute& known : kNumberAttributes) {
    if (known.name != name) continue;
    json::object one{{name, value}};
    int number = int_attribute(one, name, -1);
    if (number < known.least || number > known.most)
      return base::permanent(
          "InvalidAttributeValue",
          fmt::format("Invalid value for the parameter {}: must be from {} to {}.", name,
                      known.least, known.most));
    return {};
  }
  if (std::ranges::find(kTextAttributes, name) != std::end(kTextAttributes)) return {};
  if (name == "FifoQueue" || name == "ContentBasedDeduplication" || name == "DeduplicationScope" ||
      name == "FifoThroughputLimit")
    return base::permanent("InvalidAttributeValue",
                           fmt::format("{}: FIFO queues are not supported here.", name),
                           "use a standard queue; the pipeline does not need order");
  return base::permanent("InvalidAttributeName", fmt::format("Unknown Attribute {}.", name));
}

base::Status check_name(std::string_view name) {
  bool good =
      !name.empty() && name.size() <= kQueueNameBytesMax && std::ranges::all_of(name, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '-' || c == '_';
      });
  if (good) return {};
  return base::permanent(
      "InvalidParameterValue",
      "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length");
}

/// Sets what the request holds; an empty text removes a text attribute, as in SQS.
base::Status apply_attributes(json::object& attributes, const json::object& changes) {
  for (const auto& [name, value] : changes) {
    std::string text = value.is_string() ? std::string(value.get_string()) : json::serialize(value);
    bool removes = text.empty() && std::ranges::find(kTextAttributes, std::string_view(name)) !=
                                       std::end(kTextAttributes);
    if (removes) {
      attributes.erase(name);
      continue;
    }
    IMGPROC_CHECK(check_attribute(name, text));
    attributes[name] = text;
  }
  return {};
}

std::string queue_url(const rpc::Call& call, std::string_view name) {
  return fmt::format("http://{}/{}/{}", call.host, kAccountId, name);
}

std::string queue_arn(const rpc::Call& call, std::string_view name) {
  return fmt::format("arn:aws:sqs:{}:{}:{}", call.caller.region, kAccountId, name);
}

}  // namespace

void SqsService::register_queue_operations() {
  auto& operations = description_.operations;
  operations["CreateQueue"] = [this](const rpc::Call& call) { return create_queue(call); };
  operations["GetQueueUrl"] = [this](const rpc::Call& call) { return get_queue_url(call); };
  operations["ListQueues"] = [this](const rpc::Call& call) { return list_queues(call); };
  operations["DeleteQueue"] = [this](const rpc::Call& call) { return delete_queue(call); };
  operations["PurgeQueue"] = [this](const rpc::Call& call) { return purge_queue(call); };
  operations["GetQueueAttributes"] = [this](const rpc::Call& call) {
    return get_queue_attributes(call);
  };
  operations["SetQueueAttributes"] = [this](const rpc::Call& call) {
    return set_queue_attributes(call);
  };
  operations["TagQueue"] = [this](const rpc::Call& call) { return tag_queue(call); };
  operations["UntagQueue"] = [this](const rpc::Call& call) { return untag_queue(call); };
  operations["ListQueueTags"] = [this](const rpc::Call& call) { return list_queue_tags(call); };
  operations["ListDeadLetterSourceQueues"] = [this](const rpc::Call& call) {
    return list_dead_letter_source_queues(call);
  };
}

SqsService::Output SqsService::create_queue(const rpc::Call& call) {
  IMGPROC_TRY(std::string name, call.require("QueueName"));
  IMGPROC_CHECK(check_name(name));
  json::object wanted;
  IMGPROC_CHECK(apply_attributes(wanted, call.object("Attributes")));
  auto now = std::to_string(context_.clock.now().time_since_epoch().count() / 1000);
  IMGPROC_CHECK(
      documents_.update("queue", name, [&](std::optional<json::object>& queue) -> base::Status {
        if (queue) {
          const json::object& existing = queue->at("attributes").get_object();
          for (const auto& [attribute, value] : wanted) {
            const json::value* current = existing.if_contains(attribute);
            if (current == nullptr || *current != value)
              return base::permanent("QueueNameExists",
                                     fmt::format("A queue already exists with the same name and a "
                                                 "different value for attribute {}",
                                                 std::string_view(attribute)));
          }
          return {};
        }
        json::object attributes;
        for (const NumberAttribute& known : kNumberAttributes)
          if (!known.fallback.empty()) attributes[known.name] = known.fallback;
        for (const auto& [attribute, value] : wanted) attributes[attribute] = value;
        if (!attributes.contains("SqsManagedSseEnabled"))
          attributes["SqsManagedSseEnabled"] =
              attributes.contains("KmsMasterKeyId") ? "false" : "true";
        attributes["CreatedTimestamp"] = now;
        attributes["LastModifiedTimestamp"] = now;
        queue = json::object{{"attributes", attributes}, {"tags", call.object("tags")}};
        return {};
      }));
  return json::object{{"QueueUrl", queue_url(call, name)}};
}

SqsService::Output SqsService::get_queue_url(const rpc::Call& call) {
  IMGPROC_TRY(std::string name, call.require("QueueName"));
  IMGPROC_TRY(Queue queue, load_queue(name));
  return json::object{{"QueueUrl", queue_url(call, queue.name)}};
}

SqsService::Output SqsService::list_queues(const rpc::Call& call) {
  IMGPROC_TRY(auto queues, documents_.list("queue", call.text("QueueNamePrefix")));
  json::array urls;
  for (const auto& [name, document] : queues) urls.push_back(json::string(queue_url(call, name)));
  return json::object{{"QueueUrls", urls}};
}

SqsService::Output SqsService::delete_queue(const rpc::Call& call) {
  IMGPROC_TRY(Queue queue, find_queue(call));
  IMGPROC_TRY(bool removed, documents_.remove("queue", queue.name));
  static_cast<void>(removed);
  IMGPROC_CHECK(context_.database.write(
      [&](Connection& connection) { return MessageStore::purge(connection, queue.name); }));
  return json::object{};
}

SqsService::Output SqsService::purge_queue(const rpc::Call& call) {
  IMGPROC_TRY(Queue queue, find_queue(call));
  IMGPROC_CHECK(context_.database.write(
      [&](Connection& connection) { return MessageStore::purge(connection, queue.name); }));
  return json::object{};
}

SqsService::Output SqsService::get_queue_attributes(const rpc::Call& call) {
  IMGPROC_TRY(Queue queue, find_queue(call));
  MessageCounts counts;
  IMGPROC_CHECK(context_.database.read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(counts, MessageStore::count(connection, queue.name, context_.clock.now()));
    return {};
  }));
  queue.attributes["QueueArn"] = queue_arn(call, queue.name);
  queue.attributes["ApproximateNumberOfMessages"] = std::to_string(counts.visible);
  queue.attributes["ApproximateNumberOfMessagesNotVisible"] = std::to_string(counts.in_flight);
  queue.attributes["ApproximateNumberOfMessagesDelayed"] = std::to_string(counts.delayed);
  json::object wanted;
  for (const json::value& value : call.list("AttributeNames")) {
    std::string name = value.is_string() ? std::string(value.get_string()) : std::string();
    if (name == "All") {
      wanted = queue.attributes;
      break;
    }
    if (const json::value* found = queue.attributes.if_contains(name)) {
      wanted[name] = *found;
    } else if (!check_attribute(name, "60")) {
      return base::permanent("InvalidAttributeName", fmt::format("Unknown Attribute {}.", name));
    }
  }
  if (wanted.empty()) return json::object{};
  return json::object{{"Attributes", wanted}};
}

SqsService::Output SqsService::set_queue_attributes(const rpc::Call& call) {
  IMGPROC_TRY(Queue queue, find_queue(call));
  IMGPROC_CHECK(documents_.update(
      "queue", queue.name, [&](std::optional<json::object>& document) -> base::Status {
        if (!document)
          return base::permanent("QueueDoesNotExist", "The specified queue does not exist.");
        json::object& attributes = document->at("attributes").get_object();
        json::object changes = call.object("Attributes");
        IMGPROC_CHECK(apply_attributes(attributes, changes));
        // One kind of encryption at a time: choosing a key turns SQS's own off, as in SQS.
        if (changes.contains("KmsMasterKeyId") && attributes.contains("KmsMasterKeyId"))
          attributes["SqsManagedSseEnabled"] = "false";
        attributes["LastModifiedTimestamp"] =
            std::to_string(context_.clock.now().time_since_epoch().count() / 1000);
        return {};
      }));
  return json::object{};
}

SqsService::Output SqsService::tag_queue(const rpc::Call& call) {
  IMGPROC_TRY(Queue queue, find_queue(call));
  IMGPROC_CHECK(documents_.update(
      "queue", queue.name, [&](std::optional<json::object>& document) -> base::Status {
        if (!document)
          return base::permanent("QueueDoesNotExist", "The specified queue does not exist.");
        json::object& tags = document->at("tags").get_object();
        for (const auto& [key, value] : call.object("Tags")) tags[key] = value;
        return {};
      }));
  return json::object{};
}

SqsService::Output SqsService::untag_queue(const rpc::Call& call) {
  IMGPROC_TRY(Queue queue, find_queue(call));
  IMGPROC_CHECK(documents_.update(
      "queue", queue.name, [&](std::optional<json::object>& document) -> base::Status {
        if (!document)
          return base::permanent("QueueDoesNotExist", "The specified queue does not exist.");
        for (const json::value& key : call.list("TagKeys"))
          if (key.is_string()) document->at("tags").get_object().erase(key.get_string());
        return {};
      }));
  return json::object{};
}

SqsService::Output SqsService::list_queue_tags(const rpc::Call& call) {
  IMGPROC_TRY(Queue queue, find_queue(call));
  if (queue.tags.empty()) return json::object{};
  return json::object{{"Tags", queue.tags}};
}

SqsService::Output SqsService::list_dead_letter_source_queues(const rpc::Call& call) {
  IMGPROC_TRY(Queue queue, find_queue(call));
  std::string suffix = ":" + queue.name + "\"";
  IMGPROC_TRY(auto queues, documents_.list("queue"));
  json::array urls;
  for (const auto& [name, document] : queues) {
    auto policy = base::json_string(document.at("attributes").get_object(), "RedrivePolicy");
    if (policy && policy->find(suffix) != std::string_view::npos)
      urls.push_back(json::string(queue_url(call, name)));
  }
  return json::object{{"queueUrls", urls}};
}

}  // namespace imgproc::localcloud::sqs
