#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "localcloud/sns/service.h"
#include "protocol/query.h"

namespace imgproc::localcloud::sns {
namespace json = boost::json;
namespace {

constexpr std::size_t kTopicNameBytesMax = 256;

std::string default_policy(std::string_view arn) {
  json::object statement{
      {"Effect", "Allow"},
      {"Sid", "__default_statement_ID"},
      {"Principal", {{"AWS", "*"}}},
      {"Action", json::array{"SNS:GetTopicAttributes", "SNS:SetTopicAttributes",
                             "SNS:AddPermission", "SNS:RemovePermission", "SNS:DeleteTopic",
                             "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish"}},
      {"Resource", arn},
      {"Condition", {{"StringEquals", {{"AWS:SourceOwner", kAccountId}}}}}};
  return json::serialize(json::object{{"Version", "2008-10-17"},
                                      {"Id", "__default_policy_ID"},
                                      {"Statement", json::array{statement}}});
}

}  // namespace

std::unexpected<base::Error> sns_not_found(std::string_view what) {
  return std::unexpected(base::Error{
      .code = "NotFound", .message = fmt::format("{} does not exist", what), .http_status = 404});
}

base::Result<std::unique_ptr<SnsService>> SnsService::create(Context& context, Queues& queues,
                                                             EventSink& functions) {
  IMGPROC_TRY(Documents documents, Documents::open(context.database, "sns"));
  return std::unique_ptr<SnsService>(
      new SnsService(context, std::move(documents), queues, functions));
}

SnsService::SnsService(Context& context, Documents documents, Queues& queues, EventSink& functions)
    : context_(context), documents_(std::move(documents)), queues_(queues), functions_(functions) {
  description_.xmlns = "http://sns.amazonaws.com/doc/2010-03-31/";
  register_topic_operations();
  register_subscription_operations();
}

http::Response SnsService::handle(const Caller& caller, http::Request request) {
  return rpc::dispatch(description_, caller, std::move(request));
}

void SnsService::register_topic_operations() {
  auto& operations = description_.operations;
  operations["CreateTopic"] = [this](const rpc::Call& call) { return create_topic(call); };
  operations["DeleteTopic"] = [this](const rpc::Call& call) { return delete_topic(call); };
  operations["GetTopicAttributes"] = [this](const rpc::Call& call) {
    return get_topic_attributes(call);
  };
  operations["SetTopicAttributes"] = [this](const rpc::Call& call) {
    return set_topic_attributes(call);
  };
  operations["ListTopics"] = [this](const rpc::Call& call) { return list_topics(call); };
  operations["ListTagsForResource"] = [this](const rpc::Call& call) {
    return list_tags_for_resource(call);
  };
  operations["TagResource"] = [this](const rpc::Call& call) { return tag_resource(call); };
  operations["UntagResource"] = [this](const rpc::Call& call) { return untag_resource(call); };
}

bool SnsService::has_topic(std::string_view topic_arn) {
  auto topic = documents_.get("topic", topic_arn);
  return topic && topic->has_value();
}

base::Status SnsService::change_topic(const std::string& arn,
                                      const std::function<base::Status(json::object&)>& change) {
  return documents_.update("topic", arn, [&](std::optional<json::object>& topic) -> base::Status {
    if (!topic) return sns_not_found("Topic");
    return change(*topic);
  });
}

SnsService::Output SnsService::create_topic(const rpc::Call& call) {
  IMGPROC_TRY(std::string name, call.require("Name"));
  bool good = name.size() <= kTopicNameBytesMax && std::ranges::all_of(name, [](char c) {
                return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '-' || c == '_';
              });
  if (!good)
    return base::permanent(
        "InvalidParameter", "Invalid parameter: Topic Name",
        "letters, digits, - and _, at most 256; FIFO topics are not supported here");
  std::string arn = fmt::format("arn:aws:sns:{}:{}:{}", call.caller.region, kAccountId, name);
  IMGPROC_CHECK(
      documents_.update("topic", arn, [&](std::optional<json::object>& topic) -> base::Status {
        if (topic) return {};
        json::object attributes{{"Owner", kAccountId},
                                {"Policy", default_policy(arn)},
                                {"TopicArn", arn},
                                {"DisplayName", ""}};
        for (const auto& [key, value] : call.object("Attributes")) attributes[key] = value;
        topic =
            json::object{{"attributes", attributes}, {"tags", rpc::tags_to_map(call.list("Tags"))}};
        return {};
      }));
  return json::object{{"TopicArn", arn}};
}

SnsService::Output SnsService::delete_topic(const rpc::Call& call) {
  IMGPROC_TRY(std::string arn, call.require("TopicArn"));
  IMGPROC_TRY(bool removed, documents_.remove("topic", arn));
  static_cast<void>(removed);
  IMGPROC_TRY(auto subscriptions, documents_.list("subscription", arn + ":"));
  for (const auto& [name, document] : subscriptions) {
    IMGPROC_TRY(bool gone, documents_.remove("subscription", name));
    static_cast<void>(gone);
  }
  return json::object{};
}

SnsService::Output SnsService::get_topic_attributes(const rpc::Call& call) {
  IMGPROC_TRY(std::string arn, call.require("TopicArn"));
  IMGPROC_TRY(auto topic, documents_.get("topic", arn));
  if (!topic) return sns_not_found("Topic");
  json::object attributes = topic->at("attributes").get_object();
  IMGPROC_TRY(auto subscriptions, documents_.list("subscription", arn + ":"));
  std::size_t pending = 0;
  for (const auto& [name, document] : subscriptions)
    pending += document.at("pending").get_bool() ? 1 : 0;
  attributes["SubscriptionsPending"] = std::to_string(pending);
  attributes["SubscriptionsConfirmed"] = std::to_string(subscriptions.size() - pending);
  attributes["SubscriptionsDeleted"] = "0";
  return json::object{{"Attributes", protocol::query_entries(attributes)}};
}

SnsService::Output SnsService::set_topic_attributes(const rpc::Call& call) {
  IMGPROC_TRY(std::string arn, call.require("TopicArn"));
  IMGPROC_TRY(std::string name, call.require("AttributeName"));
  std::string value = call.text("AttributeValue");
  IMGPROC_CHECK(change_topic(arn, [&](json::object& topic) -> base::Status {
    json::object& attributes = topic.at("attributes").get_object();
    if (name == "Policy") {
      if (auto policy = base::parse_json(value); !policy || !policy->is_object())
        return base::permanent("InvalidParameter",
                               "Invalid parameter: Policy Error: PrincipalNotFound");
    }
    if (value.empty() && name == "KmsMasterKeyId") {
      attributes.erase(name);
    } else {
      attributes[name] = value;
    }
    return {};
  }));
  return json::object{};
}

SnsService::Output SnsService::list_topics(const rpc::Call&) {
  IMGPROC_TRY(auto topics, documents_.list("topic"));
  json::array shown;
  for (const auto& [arn, document] : topics) shown.push_back(json::object{{"TopicArn", arn}});
  return json::object{{"Topics", shown}};
}

SnsService::Output SnsService::list_tags_for_resource(const rpc::Call& call) {
  IMGPROC_TRY(std::string arn, call.require("ResourceArn"));
  IMGPROC_TRY(auto topic, documents_.get("topic", arn));
  if (!topic)
    return std::unexpected(base::Error{
        .code = "ResourceNotFound", .message = "Resource does not exist", .http_status = 404});
  return json::object{{"Tags", rpc::map_to_tags(topic->at("tags").get_object())}};
}

SnsService::Output SnsService::tag_resource(const rpc::Call& call) {
  IMGPROC_TRY(std::string arn, call.require("ResourceArn"));
  IMGPROC_CHECK(change_topic(arn, [&](json::object& topic) -> base::Status {
    for (const auto& [key, value] : rpc::tags_to_map(call.list("Tags")))
      topic.at("tags").get_object()[key] = value;
    return {};
  }));
  return json::object{};
}

SnsService::Output SnsService::untag_resource(const rpc::Call& call) {
  IMGPROC_TRY(std::string arn, call.require("ResourceArn"));
  IMGPROC_CHECK(change_topic(arn, [&](json::object& topic) -> base::Status {
    for (const json::value& key : call.list("TagKeys"))
      if (key.is_string()) topic.at("tags").get_object().erase(key.get_string());
    return {};
  }));
  return json::object{};
}

}  // namespace imgproc::localcloud::sns
