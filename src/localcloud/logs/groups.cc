// Log groups: create, describe, delete, retention, tags.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "localcloud/logs/service.h"

namespace imgproc::localcloud::logs {

namespace json = boost::json;

namespace {

constexpr std::size_t kNameLengthMax = 512;
constexpr double kDescribeMax = 50;
constexpr std::size_t kTagsMax = 50;
/// The days that PutRetentionPolicy takes.
constexpr std::array kRetentionDays = {1,    3,    5,    7,    14,   30,  60,  90,
                                       120,  150,  180,  365,  400,  545, 731, 1096,
                                       1827, 2192, 2557, 2922, 3288, 3653};

bool is_group_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameLengthMax && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(".-_/#").find(c) != std::string_view::npos;
  });
}

std::map<std::string, std::string> read_tags(const json::object& tags) {
  std::map<std::string, std::string> out;
  for (const auto& [key, value] : tags)
    if (value.is_string()) out[std::string(key)] = std::string(value.get_string());
  return out;
}

}  // namespace

std::unexpected<base::Error> invalid_parameter(std::string message) {
  base::Error error{"InvalidParameterException", std::move(message)};
  error.http_status = 400;
  return std::unexpected(std::move(error));
}

std::string group_arn(const Caller& caller, std::string_view name) {
  return fmt::format("arn:aws:logs:{}:{}:log-group:{}", caller.region, kAccountId, name);
}

std::string group_name_of(std::string_view name_or_arn) {
  constexpr std::string_view kMark = ":log-group:";
  std::size_t at = name_or_arn.find(kMark);
  if (!name_or_arn.starts_with("arn:") || at == std::string_view::npos)
    return std::string(name_or_arn);
  std::string_view name = name_or_arn.substr(at + kMark.size());
  return std::string(name.substr(0, name.find(':')));
}

base::Result<std::string> group_of(const rpc::Call& call) {
  std::string name = call.text("logGroupName");
  std::string identifier = call.text("logGroupIdentifier");
  if (!name.empty() && !identifier.empty())
    return invalid_parameter("logGroupName and logGroupIdentifier must not both be given");
  name = group_name_of(name.empty() ? identifier : name);
  if (!is_group_name(name))
    return invalid_parameter("logGroupName must be 1 to 512 of a-z A-Z 0-9 . - _ / #");
  return name;
}

LogsService::Output LogsService::create_log_group(const rpc::Call& call) {
  LogGroup group;
  IMGPROC_TRY(group.name, group_of(call));
  group.tags = read_tags(call.object("tags"));
  if (group.tags.size() > kTagsMax) return invalid_parameter("more than 50 tags");
  group.log_class = call.text("logGroupClass", "STANDARD");
  IMGPROC_CHECK(store_->create_group(group));
  if (std::string key = call.text("kmsKeyId"); !key.empty())
    IMGPROC_CHECK(documents_.put("key", group.name, {{"arn", key}}));
  return json::object{};
}

LogsService::Output LogsService::delete_log_group(const rpc::Call& call) {
  IMGPROC_TRY(auto name, group_of(call));
  IMGPROC_CHECK(store_->delete_group(name));
  IMGPROC_TRY([[maybe_unused]] bool had_key, documents_.remove("key", name));
  return json::object{};
}

LogsService::Output LogsService::describe_log_groups(const rpc::Call& call) {
  std::string prefix = call.text("logGroupNamePrefix");
  std::string contained = call.text("logGroupNamePattern");
  if (!prefix.empty() && !contained.empty())
    return invalid_parameter("logGroupNamePrefix and logGroupNamePattern must not both be given");
  auto count_max = static_cast<std::size_t>(
      std::clamp(call.number("limit").value_or(kDescribeMax), 1.0, kDescribeMax));
  IMGPROC_TRY(auto groups,
              store_->groups(prefix, contained, call.text("nextToken"), count_max + 1));
  json::object out;
  if (groups.size() > count_max) {
    groups.pop_back();
    out["nextToken"] = groups.back().name;
  }
  json::array list;
  for (const LogGroup& group : groups) {
    std::string arn = group_arn(call.caller, group.name);
    json::object item{{"logGroupName", group.name},
                      {"arn", arn + ":*"},
                      {"logGroupArn", arn},
                      {"creationTime", group.created_at.time_since_epoch().count()},
                      {"metricFilterCount", 0},
                      {"storedBytes", group.stored_bytes},
                      {"logGroupClass", group.log_class}};
    if (group.retention_days) item["retentionInDays"] = *group.retention_days;
    IMGPROC_TRY(auto key, documents_.get("key", group.name));
    if (key) item["kmsKeyId"] = key->at("arn");
    list.push_back(std::move(item));
  }
  out["logGroups"] = std::move(list);
  return out;
}

LogsService::Output LogsService::put_retention_policy(const rpc::Call& call) {
  IMGPROC_TRY(auto name, group_of(call));
  int days =
      static_cast<int>(std::clamp(call.number("retentionInDays").value_or(0), 0.0, 10'000.0));
  if (std::ranges::find(kRetentionDays, days) == kRetentionDays.end())
    return invalid_parameter(
        fmt::format("retentionInDays must be one of {}", fmt::join(kRetentionDays, ", ")));
  IMGPROC_CHECK(store_->set_retention(name, days));
  IMGPROC_CHECK(store_->apply_retention());
  return json::object{};
}

LogsService::Output LogsService::delete_retention_policy(const rpc::Call& call) {
  IMGPROC_TRY(auto name, group_of(call));
  IMGPROC_CHECK(store_->set_retention(name, std::nullopt));
  return json::object{};
}

LogsService::Output LogsService::tag_resource(const rpc::Call& call) {
  auto tags = read_tags(call.object("tags"));
  std::string name = group_name_of(call.text("resourceArn"));
  IMGPROC_TRY(auto group, store_->group(name));
  group.tags.insert(tags.begin(), tags.end());
  if (group.tags.size() > kTagsMax) {
    base::Error error{"TooManyTagsException", "A resource can have no more than 50 tags."};
    error.http_status = 400;
    return std::unexpected(std::move(error));
  }
  IMGPROC_CHECK(store_->change_tags(name, tags, {}));
  return json::object{};
}

LogsService::Output LogsService::untag_resource(const rpc::Call& call) {
  std::vector<std::string> keys;
  for (const json::value& key : call.list("tagKeys"))
    if (key.is_string()) keys.emplace_back(key.get_string());
  IMGPROC_CHECK(store_->change_tags(group_name_of(call.text("resourceArn")), {}, keys));
  return json::object{};
}

LogsService::Output LogsService::list_tags_for_resource(const rpc::Call& call) {
  IMGPROC_TRY(auto group, store_->group(group_name_of(call.text("resourceArn"))));
  json::object tags;
  for (const auto& [key, value] : group.tags) tags[key] = value;
  return json::object{{"tags", std::move(tags)}};
}

LogsService::Output LogsService::associate_kms_key(const rpc::Call& call) {
  IMGPROC_TRY(auto name, group_of(call));
  IMGPROC_TRY(std::string key, call.require("kmsKeyId"));
  IMGPROC_TRY([[maybe_unused]] auto group, store_->group(name));
  IMGPROC_CHECK(documents_.put("key", name, {{"arn", key}}));
  return json::object{};
}

LogsService::Output LogsService::disassociate_kms_key(const rpc::Call& call) {
  IMGPROC_TRY(auto name, group_of(call));
  IMGPROC_TRY([[maybe_unused]] auto group, store_->group(name));
  IMGPROC_TRY([[maybe_unused]] bool had_key, documents_.remove("key", name));
  return json::object{};
}

}  // namespace imgproc::localcloud::logs
