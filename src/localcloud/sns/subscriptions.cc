#include <fmt/format.h>

#include "base/json.h"
#include "base/random.h"
#include "base/time.h"
#include "localcloud/sns/service.h"
#include "protocol/query.h"

namespace imgproc::localcloud::sns {
namespace json = boost::json;
namespace {

constexpr std::size_t kMessageBytesMax = 262144;
constexpr std::string_view kPending = "pending confirmation";

/// The envelope that SQS and HTTP subscribers get unless delivery is raw.
json::object envelope(std::string_view topic_arn, std::string_view id, std::string_view subject,
                      std::string_view message, base::SystemTime now,
                      const json::object& attributes) {
  json::object body{{"Type", "Notification"}, {"MessageId", id}, {"TopicArn", topic_arn}};
  if (!subject.empty()) body["Subject"] = subject;
  body["Message"] = message;
  body["Timestamp"] = base::to_iso8601(now);
  body["SignatureVersion"] = "1";
  if (!attributes.empty()) body["MessageAttributes"] = attributes;
  return body;
}

std::unexpected<base::Error> no_filter_policies() {
  return std::unexpected(
      base::Error{.code = "NotImplemented",
                  .message = "Filter policies of subscriptions are not implemented.",
                  .http_status = 501});
}

}  // namespace

void SnsService::register_subscription_operations() {
  auto& operations = description_.operations;
  operations["Subscribe"] = [this](const rpc::Call& call) { return subscribe(call); };
  operations["Unsubscribe"] = [this](const rpc::Call& call) { return unsubscribe(call); };
  operations["GetSubscriptionAttributes"] = [this](const rpc::Call& call) {
    return get_subscription_attributes(call);
  };
  operations["SetSubscriptionAttributes"] = [this](const rpc::Call& call) {
    return set_subscription_attributes(call);
  };
  operations["ListSubscriptions"] = [this](const rpc::Call& call) {
    return list_subscriptions(call);
  };
  operations["ListSubscriptionsByTopic"] = [this](const rpc::Call& call) {
    return list_subscriptions(call);
  };
  operations["Publish"] = [this](const rpc::Call& call) { return publish_call(call); };
}

SnsService::Output SnsService::subscribe(const rpc::Call& call) {
  IMGPROC_TRY(std::string topic, call.require("TopicArn"));
  IMGPROC_TRY(std::string protocol, call.require("Protocol"));
  IMGPROC_TRY(std::string endpoint, call.require("Endpoint"));
  if (!has_topic(topic)) return sns_not_found("Topic");
  bool delivered = protocol == "sqs" || protocol == "lambda";
  bool known = delivered || protocol == "email" || protocol == "email-json" || protocol == "http" ||
               protocol == "https" || protocol == "sms";
  if (!known)
    return base::permanent(
        "InvalidParameter",
        fmt::format("Invalid parameter: Does not support this protocol string: {}", protocol));
  IMGPROC_TRY(auto existing, documents_.list("subscription", topic + ":"));
  for (const auto& [arn, document] : existing)
    if (document.at("protocol") == json::value(protocol) &&
        document.at("endpoint") == json::value(endpoint))
      return json::object{
          {"SubscriptionArn", document.at("pending").get_bool() ? std::string(kPending) : arn}};
  std::string arn = topic + ":" + base::random_uuid();
  json::object attributes = call.object("Attributes");
  if (attributes.contains("FilterPolicy")) return no_filter_policies();
  IMGPROC_CHECK(documents_.put("subscription", arn,
                               {{"topic", topic},
                                {"protocol", protocol},
                                {"endpoint", endpoint},
                                {"pending", !delivered},
                                {"attributes", attributes}}));
  bool wants_arn = delivered || call.flag("ReturnSubscriptionArn");
  return json::object{{"SubscriptionArn", wants_arn ? arn : std::string(kPending)}};
}

SnsService::Output SnsService::unsubscribe(const rpc::Call& call) {
  IMGPROC_TRY(std::string arn, call.require("SubscriptionArn"));
  IMGPROC_TRY(bool removed, documents_.remove("subscription", arn));
  static_cast<void>(removed);
  return json::object{};
}

SnsService::Output SnsService::get_subscription_attributes(const rpc::Call& call) {
  IMGPROC_TRY(std::string arn, call.require("SubscriptionArn"));
  IMGPROC_TRY(auto document, documents_.get("subscription", arn));
  if (!document) return sns_not_found("Subscription");
  json::object attributes = document->at("attributes").get_object();
  attributes["SubscriptionArn"] = arn;
  attributes["TopicArn"] = document->at("topic");
  attributes["Protocol"] = document->at("protocol");
  attributes["Endpoint"] = document->at("endpoint");
  attributes["Owner"] = kAccountId;
  attributes["PendingConfirmation"] = document->at("pending").get_bool() ? "true" : "false";
  attributes["ConfirmationWasAuthenticated"] =
      document->at("pending").get_bool() ? "false" : "true";
  if (!attributes.contains("RawMessageDelivery")) attributes["RawMessageDelivery"] = "false";
  return json::object{{"Attributes", protocol::query_entries(attributes)}};
}

SnsService::Output SnsService::set_subscription_attributes(const rpc::Call& call) {
  IMGPROC_TRY(std::string arn, call.require("SubscriptionArn"));
  IMGPROC_TRY(std::string name, call.require("AttributeName"));
  if (name == "FilterPolicy" && !call.text("AttributeValue").empty()) return no_filter_policies();
  IMGPROC_CHECK(documents_.update(
      "subscription", arn, [&](std::optional<json::object>& document) -> base::Status {
        if (!document) return sns_not_found("Subscription");
        document->at("attributes").get_object()[name] = call.text("AttributeValue");
        return {};
      }));
  return json::object{};
}

SnsService::Output SnsService::list_subscriptions(const rpc::Call& call) {
  std::string topic = call.text("TopicArn");
  IMGPROC_TRY(auto subscriptions,
              documents_.list("subscription", topic.empty() ? "" : topic + ":"));
  json::array shown;
  for (const auto& [arn, document] : subscriptions)
    shown.push_back(json::object{
        {"SubscriptionArn", document.at("pending").get_bool() ? "PendingConfirmation" : arn},
        {"Owner", kAccountId},
        {"Protocol", document.at("protocol")},
        {"Endpoint", document.at("endpoint")},
        {"TopicArn", document.at("topic")}});
  return json::object{{"Subscriptions", shown}};
}

SnsService::Output SnsService::publish_call(const rpc::Call& call) {
  std::string topic = call.text("TopicArn", call.text("TargetArn"));
  if (topic.empty())
    return base::permanent("InvalidParameter",
                           "Invalid parameter: TopicArn or TargetArn Reason: no value");
  std::string message = call.text("Message");
  if (message.empty())
    return base::permanent("InvalidParameter", "Invalid parameter: Empty message");
  if (message.size() > kMessageBytesMax)
    return base::permanent("InvalidParameter", "Invalid parameter: Message too long");
  json::object attributes;
  for (const auto& [name, value] : call.object("MessageAttributes"))
    if (const auto* object = value.if_object())
      attributes[name] =
          json::object{{"Type", base::json_string(*object, "DataType").value_or("String")},
                       {"Value", base::json_string(*object, "StringValue").value_or("")}};
  IMGPROC_TRY(std::string id, deliver(topic, call.text("Subject"), message, attributes));
  return json::object{{"MessageId", id}};
}

base::Status SnsService::publish(std::string_view topic_arn, std::string_view subject,
                                 std::string_view message) {
  IMGPROC_TRY(std::string id, deliver(topic_arn, subject, message, {}));
  return {};
}

base::Result<std::string> SnsService::deliver(std::string_view topic_arn, std::string_view subject,
                                              std::string_view message,
                                              const json::object& attributes) {
  if (!has_topic(topic_arn)) return sns_not_found("Topic");
  IMGPROC_TRY(auto subscriptions, documents_.list("subscription", std::string(topic_arn) + ":"));
  std::string id = base::random_uuid();
  json::object notification =
      envelope(topic_arn, id, subject, message, context_.clock.now(), attributes);
  IMGPROC_CHECK(context_.database.write([&](Connection& connection) -> base::Status {
    for (const auto& [arn, document] : subscriptions) {
      std::string endpoint(document.at("endpoint").get_string());
      std::string_view protocol = document.at("protocol").get_string();
      if (protocol == "sqs") {
        bool raw = base::json_string(document.at("attributes").get_object(),
                                     "RawMessageDelivery") == "true";
        auto sent = queues_.send(connection, endpoint,
                                 raw ? std::string(message) : json::serialize(notification), {});
        // A subscriber that is gone does not keep the others from their message.
        if (!sent && sent.error().code != "QueueDoesNotExist") return sent;
      } else if (protocol == "lambda" && functions_.has_function(endpoint)) {
        json::object record{{"EventSource", "aws:sns"},
                            {"EventVersion", "1.0"},
                            {"EventSubscriptionArn", arn},
                            {"Sns", notification}};
        IMGPROC_CHECK(functions_.enqueue(
            connection, endpoint, json::serialize(json::object{{"Records", json::array{record}}})));
      }
    }
    return {};
  }));
  queues_.wake();
  functions_.wake();
  return id;
}

}  // namespace imgproc::localcloud::sns
