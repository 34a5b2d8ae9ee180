#include "localcloud/eventbridge/service.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/random.h"
#include "base/time.h"
#include "localcloud/eventbridge/pattern.h"

namespace imgproc::localcloud::eventbridge {
namespace json = boost::json;
namespace {

constexpr std::size_t kTargetsMax = 5;
constexpr std::size_t kEntriesMax = 10;

std::unexpected<base::Error> no_such_rule(std::string_view name) {
  return base::permanent("ResourceNotFoundException",
                         fmt::format("Rule {} does not exist on EventBus default.", name));
}

std::unexpected<base::Error> not_implemented(std::string_view what) {
  return std::unexpected(base::Error{.code = "NotImplemented",
                                     .message = fmt::format("{} are not implemented.", what),
                                     .hint = "see docs/local-cloud-compatibility.md",
                                     .http_status = 501});
}

std::string rule_arn(std::string_view region, std::string_view name) {
  return fmt::format("arn:aws:events:{}:{}:rule/{}", region, kAccountId, name);
}

base::Status check_bus(const rpc::Call& call) {
  std::string bus = call.text("EventBusName", "default");
  if (bus == "default" || bus.ends_with(":event-bus/default")) return {};
  return not_implemented("Event buses other than the default one");
}

json::object describe(const rpc::Call& call, std::string_view name, const json::object& document) {
  json::object shown{{"Name", name},
                     {"Arn", rule_arn(call.caller.region, name)},
                     {"EventPattern", document.at("pattern")},
                     {"State", document.at("state")},
                     {"EventBusName", "default"}};
  if (!document.at("description").get_string().empty())
    shown["Description"] = document.at("description");
  return shown;
}

}  // namespace

base::Result<std::unique_ptr<EventBridgeService>> EventBridgeService::create(Context& context,
                                                                             Queues& queues,
                                                                             EventSink& functions) {
  IMGPROC_TRY(Documents documents, Documents::open(context.database, "eventbridge"));
  return std::unique_ptr<EventBridgeService>(
      new EventBridgeService(context, std::move(documents), queues, functions));
}

EventBridgeService::EventBridgeService(Context& context, Documents documents, Queues& queues,
                                       EventSink& functions)
    : context_(context), documents_(std::move(documents)), queues_(queues), functions_(functions) {
  description_.target_prefix = "AWSEvents";
  description_.json_version = "1.1";
  register_operations();
}

http::Response EventBridgeService::handle(const Caller& caller, http::Request request) {
  return rpc::dispatch(description_, caller, std::move(request));
}

void EventBridgeService::register_operations() {
  auto& operations = description_.operations;
  operations["PutRule"] = [this](const rpc::Call& call) { return put_rule(call); };
  operations["DescribeRule"] = [this](const rpc::Call& call) { return describe_rule(call); };
  operations["ListRules"] = [this](const rpc::Call& call) { return list_rules(call); };
  operations["DeleteRule"] = [this](const rpc::Call& call) { return delete_rule(call); };
  operations["EnableRule"] = [this](const rpc::Call& call) { return set_state(call, "ENABLED"); };
  operations["DisableRule"] = [this](const rpc::Call& call) { return set_state(call, "DISABLED"); };
  operations["PutTargets"] = [this](const rpc::Call& call) { return put_targets(call); };
  operations["RemoveTargets"] = [this](const rpc::Call& call) { return remove_targets(call); };
  operations["ListTargetsByRule"] = [this](const rpc::Call& call) {
    return list_targets_by_rule(call);
  };
  operations["ListRuleNamesByTarget"] = [this](const rpc::Call& call) {
    return list_rule_names_by_target(call);
  };
  operations["PutEvents"] = [this](const rpc::Call& call) { return put_events(call); };
  operations["ListTagsForResource"] = [this](const rpc::Call& call) {
    return list_tags_for_resource(call);
  };
  operations["TagResource"] = [this](const rpc::Call& call) { return tag_resource(call); };
  operations["UntagResource"] = [this](const rpc::Call& call) { return untag_resource(call); };
}

base::Status EventBridgeService::change_rule(
    const std::string& name, const std::function<base::Status(json::object&)>& change) {
  return documents_.update("rule", name, [&](std::optional<json::object>& rule) -> base::Status {
    if (!rule) return no_such_rule(name);
    return change(*rule);
  });
}

EventBridgeService::Output EventBridgeService::put_rule(const rpc::Call& call) {
  IMGPROC_CHECK(check_bus(call));
  IMGPROC_TRY(std::string name, call.require("Name"));
  if (call.input.contains("ScheduleExpression") && !call.text("ScheduleExpression").empty())
    return not_implemented("Scheduled rules");
  IMGPROC_TRY(std::string pattern, call.require("EventPattern"));
  auto parsed = base::parse_json(pattern);
  if (!parsed || !parsed->is_object())
    return base::permanent("InvalidEventPatternException",
                           "Event pattern is not valid. Reason: it is no JSON object");
  IMGPROC_CHECK(check_pattern(parsed->get_object()));
  IMGPROC_CHECK(
      documents_.update("rule", name, [&](std::optional<json::object>& rule) -> base::Status {
        json::array targets = rule ? rule->at("targets").get_array() : json::array{};
        json::object tags =
            rule ? rule->at("tags").get_object() : rpc::tags_to_map(call.list("Tags"));
        rule = json::object{{"pattern", pattern},
                            {"state", call.text("State", "ENABLED")},
                            {"description", call.text("Description")},
                            {"targets", targets},
                            {"tags", tags}};
        return {};
      }));
  return json::object{{"RuleArn", rule_arn(call.caller.region, name)}};
}

EventBridgeService::Output EventBridgeService::describe_rule(const rpc::Call& call) {
  IMGPROC_CHECK(check_bus(call));
  IMGPROC_TRY(std::string name, call.require("Name"));
  IMGPROC_TRY(auto rule, documents_.get("rule", name));
  if (!rule) return no_such_rule(name);
  return describe(call, name, *rule);
}

EventBridgeService::Output EventBridgeService::list_rules(const rpc::Call& call) {
  IMGPROC_CHECK(check_bus(call));
  IMGPROC_TRY(auto rules, documents_.list("rule", call.text("NamePrefix")));
  json::array shown;
  for (const auto& [name, document] : rules) shown.push_back(describe(call, name, document));
  return json::object{{"Rules", shown}};
}

EventBridgeService::Output EventBridgeService::delete_rule(const rpc::Call& call) {
  IMGPROC_CHECK(check_bus(call));
  IMGPROC_TRY(std::string name, call.require("Name"));
  IMGPROC_CHECK(
      documents_.update("rule", name, [&](std::optional<json::object>& rule) -> base::Status {
        if (rule && !rule->at("targets").get_array().empty())
          return base::permanent("ValidationException",
                                 "Rule can't be deleted since it has targets.");
        rule.reset();
        return {};
      }));
  return json::object{};
}

EventBridgeService::Output EventBridgeService::set_state(const rpc::Call& call, const char* state) {
  IMGPROC_CHECK(check_bus(call));
  IMGPROC_TRY(std::string name, call.require("Name"));
  IMGPROC_CHECK(change_rule(name, [&](json::object& rule) -> base::Status {
    rule["state"] = state;
    return {};
  }));
  return json::object{};
}

EventBridgeService::Output EventBridgeService::put_targets(const rpc::Call& call) {
  IMGPROC_CHECK(check_bus(call));
  IMGPROC_TRY(std::string name, call.require("Rule"));
  json::array wanted = call.list("Targets");
  for (const json::value& value : wanted) {
    if (!value.is_object())
      return base::permanent("ValidationException", "A target must be a structure.");
    const json::object& target = value.get_object();
    auto arn = base::json_string(target, "Arn");
    if (!arn || !base::json_string(target, "Id"))
      return base::permanent("ValidationException", "A target needs Id and Arn.");
    if (!arn->starts_with("arn:aws:lambda:") && !arn->starts_with("arn:aws:sqs:"))
      return not_implemented("Targets other than Lambda functions and SQS queues");
    if (target.contains("InputTransformer") || target.contains("InputPath") ||
        target.contains("Input"))
      return not_implemented("Inputs, input paths and transformers of targets");
  }
  IMGPROC_CHECK(change_rule(name, [&](json::object& rule) -> base::Status {
    json::array& targets = rule.at("targets").get_array();
    for (const json::value& value : wanted) {
      auto same = std::ranges::find_if(
          targets, [&](const json::value& known) { return known.at("Id") == value.at("Id"); });
      if (same != targets.end()) {
        *same = value;
      } else {
        targets.push_back(value);
      }
    }
    if (targets.size() > kTargetsMax)
      return base::permanent("LimitExceededException",
                             fmt::format("A rule has at most {} targets.", kTargetsMax));
    return {};
  }));
  return json::object{{"FailedEntryCount", 0}, {"FailedEntries", json::array{}}};
}

EventBridgeService::Output EventBridgeService::remove_targets(const rpc::Call& call) {
  IMGPROC_CHECK(check_bus(call));
  IMGPROC_TRY(std::string name, call.require("Rule"));
  json::array ids = call.list("Ids");
  IMGPROC_CHECK(change_rule(name, [&](json::object& rule) -> base::Status {
    json::array kept;
    for (const json::value& target : rule.at("targets").get_array())
      if (std::ranges::find(ids, target.at("Id")) == ids.end()) kept.push_back(target);
    rule["targets"] = kept;
    return {};
  }));
  return json::object{{"FailedEntryCount", 0}, {"FailedEntries", json::array{}}};
}

EventBridgeService::Output EventBridgeService::list_targets_by_rule(const rpc::Call& call) {
  IMGPROC_CHECK(check_bus(call));
  IMGPROC_TRY(std::string name, call.require("Rule"));
  IMGPROC_TRY(auto rule, documents_.get("rule", name));
  if (!rule) return no_such_rule(name);
  return json::object{{"Targets", rule->at("targets")}};
}

EventBridgeService::Output EventBridgeService::list_rule_names_by_target(const rpc::Call& call) {
  IMGPROC_TRY(std::string arn, call.require("TargetArn"));
  IMGPROC_TRY(auto rules, documents_.list("rule"));
  json::array names;
  for (const auto& [name, document] : rules) {
    const json::array& targets = document.at("targets").get_array();
    if (std::ranges::any_of(targets, [&](const json::value& target) {
          return target.at("Arn") == json::value(arn);
        }))
      names.push_back(json::string(name));
  }
  return json::object{{"RuleNames", names}};
}

base::Status EventBridgeService::deliver(Connection& transaction, const json::object& target,
                                         const json::object& event) {
  std::string arn(target.at("Arn").get_string());
  std::string payload = json::serialize(event);
  if (arn.starts_with("arn:aws:lambda:")) {
    if (!functions_.has_function(arn)) return {};
    return functions_.enqueue(transaction, arn, payload);
  }
  auto sent = queues_.send(transaction, arn, payload, {});
  // A target that is gone loses its events, as on AWS; the cause of the event must not fail for it.
  if (!sent && sent.error().code == "QueueDoesNotExist") return {};
  return sent;
}

base::Status EventBridgeService::put_event(Connection& transaction, json::object event) {
  json::object whole{
      {"version", "0"},
      {"id", base::random_uuid()},
      {"detail-type", ""},
      {"source", ""},
      {"account", kAccountId},
      {"time", base::to_iso8601(std::chrono::floor<std::chrono::seconds>(context_.clock.now()))},
      {"region", context_.region},
      {"resources", json::array{}},
      {"detail", json::object{}}};
  for (auto& [name, value] : event) whole[name] = std::move(value);
  IMGPROC_TRY(auto statement,
              transaction.prepare(
                  "SELECT body FROM documents WHERE service='eventbridge' AND kind='rule'"));
  std::vector<json::object> targets;
  for (;;) {
    IMGPROC_TRY(bool more, statement.step());
    if (!more) break;
    IMGPROC_TRY(json::value value, base::parse_json(statement.column_text(0)));
    const json::object& rule = value.get_object();
    if (base::json_string(rule, "state") != "ENABLED") continue;
    IMGPROC_TRY(json::value pattern, base::parse_json(rule.at("pattern").get_string()));
    if (!matches_pattern(pattern.get_object(), whole)) continue;
    for (const json::value& target : rule.at("targets").get_array())
      targets.push_back(target.get_object());
  }
  for (const json::object& target : targets) IMGPROC_CHECK(deliver(transaction, target, whole));
  return {};
}

void EventBridgeService::wake() {
  queues_.wake();
  functions_.wake();
}

EventBridgeService::Output EventBridgeService::put_events(const rpc::Call& call) {
  json::array entries = call.list("Entries");
  if (entries.empty() || entries.size() > kEntriesMax)
    return base::permanent("ValidationException",
                           fmt::format("Entries must have from 1 to {} members.", kEntriesMax));
  json::array results;
  std::int64_t failed = 0;
  for (const json::value& value : entries) {
    rpc::Call entry{call.caller, call.host, value.is_object() ? value.get_object() : json::object{},
                    call.is_json};
    auto detail = base::parse_json(entry.text("Detail"));
    std::string bus = entry.text("EventBusName", "default");
    if (!detail || !detail->is_object() || entry.text("Source").empty() ||
        entry.text("DetailType").empty() || bus != "default") {
      ++failed;
      results.push_back(
          json::object{{"ErrorCode", "MalformedDetail"},
                       {"ErrorMessage",
                        "Source, DetailType and a JSON Detail are needed, on the default bus."}});
      continue;
    }
    std::string id = base::random_uuid();
    IMGPROC_CHECK(context_.database.write([&](Connection& connection) {
      return put_event(connection, {{"id", id},
                                    {"source", entry.text("Source")},
                                    {"detail-type", entry.text("DetailType")},
                                    {"resources", entry.list("Resources")},
                                    {"detail", *detail}});
    }));
    results.push_back(json::object{{"EventId", id}});
  }
  wake();
  return json::object{{"FailedEntryCount", failed}, {"Entries", results}};
}

EventBridgeService::Output EventBridgeService::list_tags_for_resource(const rpc::Call& call) {
  IMGPROC_TRY(std::string arn, call.require("ResourceARN"));
  std::string name = arn.substr(arn.rfind('/') + 1);
  IMGPROC_TRY(auto rule, documents_.get("rule", name));
  if (!rule) return no_such_rule(name);
  return json::object{{"Tags", rpc::map_to_tags(rule->at("tags").get_object())}};
}

EventBridgeService::Output EventBridgeService::tag_resource(const rpc::Call& call) {
  IMGPROC_TRY(std::string arn, call.require("ResourceARN"));
  IMGPROC_CHECK(
      change_rule(arn.substr(arn.rfind('/') + 1), [&](json::object& rule) -> base::Status {
        for (const auto& [key, value] : rpc::tags_to_map(call.list("Tags")))
          rule.at("tags").get_object()[key] = value;
        return {};
      }));
  return json::object{};
}

EventBridgeService::Output EventBridgeService::untag_resource(const rpc::Call& call) {
  IMGPROC_TRY(std::string arn, call.require("ResourceARN"));
  IMGPROC_CHECK(
      change_rule(arn.substr(arn.rfind('/') + 1), [&](json::object& rule) -> base::Status {
        for (const json::value& key : call.list("TagKeys"))
          if (key.is_string()) rule.at("tags").get_object().erase(key.get_string());
        return {};
      }));
  return json::object{};
}

}  // namespace imgproc::localcloud::eventbridge
