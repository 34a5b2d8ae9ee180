#include "localcloud/iam/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>

#include "base/bytes.h"
#include "base/json.h"
#include "base/time.h"
#include "base/wildcard.h"

namespace imgproc::localcloud::iam {
namespace json = boost::json;
namespace {

std::unexpected<base::Error> malformed(std::string message) {
  return base::permanent("MalformedPolicyDocument", std::move(message));
}

/// A string or a list of strings, as most members of a policy may be.
base::Result<std::vector<std::string>> strings(const json::value& value, std::string_view member) {
  std::vector<std::string> out;
  auto add = [&](const json::value& element) {
    if (element.is_string()) {
      out.emplace_back(element.get_string());
    } else if (element.is_bool() || element.is_number()) {
      out.push_back(json::serialize(element));
    } else {
      return false;
    }
    return true;
  };
  if (const auto* list = value.if_array()) {
    for (const json::value& element : *list)
      if (!add(element)) return malformed(fmt::format("{} must hold strings.", member));
  } else if (!add(value)) {
    return malformed(fmt::format("{} must be a string or a list of strings.", member));
  }
  return out;
}

/// `*` and `?`, as everywhere in IAM.
bool matches(std::string_view pattern, std::string_view text, bool ignore_case = false) {
  return base::matches_wildcard(pattern, text, {.question_mark = true, .ignore_case = ignore_case});
}

bool compare_number(std::string_view a, std::string_view b,
                    const std::function<bool(double, double)>& holds) {
  double x = 0;
  double y = 0;
  if (std::from_chars(a.data(), a.data() + a.size(), x).ec != std::errc{}) return false;
  if (std::from_chars(b.data(), b.data() + b.size(), y).ec != std::errc{}) return false;
  return holds(x, y);
}

bool compare_date(std::string_view a, std::string_view b,
                  const std::function<bool(double, double)>& holds) {
  auto x = base::from_iso8601(a);
  auto y = base::from_iso8601(b);
  return x && y &&
         holds(static_cast<double>(x->time_since_epoch().count()),
               static_cast<double>(y->time_since_epoch().count()));
}

/// ARNs match part by part: a star does not reach over a colon in the first five.
bool matches_arn(std::string_view pattern, std::string_view arn) {
  for (int part = 0; part < 5; ++part) {
    auto pattern_end = pattern.find(':');
    auto arn_end = arn.find(':');
    if (pattern_end == std::string_view::npos || arn_end == std::string_view::npos)
      return matches(pattern, arn);
    if (!matches(pattern.substr(0, pattern_end), arn.substr(0, arn_end))) return false;
    pattern.remove_prefix(pattern_end + 1);
    arn.remove_prefix(arn_end + 1);
  }
  return matches(pattern, arn);
}

using Test = bool (*)(std::string_view actual, std::string_view wanted);
struct Operation {
  std::string_view name;
  Test test;
  /// Not… operators hold if no wanted value matches.
  bool negated;
};

constexpr Operation kOperations[] = {
    {"StringEquals", [](std::string_view a, std::string_view w) { return a == w; }, false},
    {"StringNotEquals", [](std::string_view a, std::string_view w) { return a == w; }, true},
    {"StringEqualsIgnoreCase",
     [](std::string_view a, std::string_view w) { return base::equals_ignoring_case(a, w); },
     false},
    {"StringNotEqualsIgnoreCase",
     [](std::string_view a, std::string_view w) { return base::equals_ignoring_case(a, w); }, true},
    {"StringLike", [](std::string_view a, std::string_view w) { return matches(w, a); }, false},
    {"StringNotLike", [](std::string_view a, std::string_view w) { return matches(w, a); }, true},
    {"ArnEquals", [](std::string_view a, std::string_view w) { return matches_arn(w, a); }, false},
    {"ArnLike", [](std::string_view a, std::string_view w) { return matches_arn(w, a); }, false},
    {"ArnNotEquals", [](std::string_view a, std::string_view w) { return matches_arn(w, a); },
     true},
    {"ArnNotLike", [](std::string_view a, std::string_view w) { return matches_arn(w, a); }, true},
    {"Bool",
     [](std::string_view a, std::string_view w) { return base::equals_ignoring_case(a, w); },
     false},
    {"NumericEquals",
     [](std::string_view a, std::string_view w) { return compare_number(a, w, std::equal_to<>()); },
     false},
    {"NumericNotEquals",
     [](std::string_view a, std::string_view w) { return compare_number(a, w, std::equal_to<>()); },
     true},
    {"NumericLessThan",
     [](std::string_view a, std::string_view w) { return compare_number(a, w, std::less<>()); },
     false},
    {"NumericLessThanEquals",
     [](std::string_view a, std::string_view w) {
       return compare_number(a, w, std::less_equal<>());
     },
     false},
    {"NumericGreaterThan",
     [](std::string_view a, std::string_view w) { return compare_number(a, w, std::greater<>()); },
     false},
    {"NumericGreaterThanEquals",
     [](std::string_view a, std::string_view w) {
       return compare_number(a, w, std::greater_equal<>());
     },
     false},
    {"DateLessThan",
     [](std::string_view a, std::string_view w) { return compare_date(a, w, std::less<>()); },
     false},
    {"DateGreaterThan",
     [](std::string_view a, std::string_view w) { return compare_date(a, w, std::greater<>()); },
     false},
};

const Operation* find_operation(std::string_view name) {
  const auto* found = std::ranges::find(kOperations, name, &Operation::name);
  return found == std::end(kOperations) ? nullptr : found;
}

base::Result<std::vector<Condition>> parse_conditions(const json::value& value) {
  const auto* operators = value.if_object();
  if (operators == nullptr) return malformed("Condition must be an object.");
  std::vector<Condition> conditions;
  for (const auto& [written, keys] : *operators) {
    Condition condition;
    std::string_view name = written;
    if (name.starts_with("ForAllValues:")) {
      condition.for_all_values = true;
      name.remove_prefix(13);
    } else if (name.starts_with("ForAnyValue:")) {
      name.remove_prefix(12);
    }
    if (name.ends_with("IfExists")) {
      condition.if_exists = true;
      name.remove_suffix(8);
    }
    condition.operation = name;
    if (name != "Null" && find_operation(name) == nullptr)
      return malformed(fmt::format("Invalid Condition type : {}.", std::string_view(written)));
    if (!keys.is_object()) return malformed("A condition must map keys to values.");
    for (const auto& [key, values] : keys.get_object()) {
      condition.key = base::to_lower(key);
      IMGPROC_TRY(condition.values, strings(values, key));
      conditions.push_back(condition);
    }
  }
  return conditions;
}

base::Result<Statement> parse_statement(const json::object& object, bool needs_resource) {
  Statement statement;
  statement.sid = base::json_string(object, "Sid").value_or("");
  auto effect = base::json_string(object, "Effect");
  if (effect != "Allow" && effect != "Deny") return malformed("Effect must be Allow or Deny.");
  statement.allow = effect == "Allow";

  const json::value* action = object.if_contains("Action");
  const json::value* not_action = object.if_contains("NotAction");
  if ((action == nullptr) == (not_action == nullptr))
    return malformed("A statement needs either Action or NotAction.");
  statement.not_actions = not_action != nullptr;
  IMGPROC_TRY(statement.actions, strings(action ? *action : *not_action, "Action"));
  for (const std::string& name : statement.actions)
    if (name != "*" && name.find(':') == std::string::npos)
      return malformed(fmt::format(
          "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: {}", name));

  const json::value* resource = object.if_contains("Resource");
  const json::value* not_resource = object.if_contains("NotResource");
  if (needs_resource) {
    if ((resource == nullptr) == (not_resource == nullptr))
      return malformed("Policy statement must contain resources.");
    statement.not_resources = not_resource != nullptr;
    IMGPROC_TRY(statement.resources, strings(resource ? *resource : *not_resource, "Resource"));
    for (const std::string& name : statement.resources)
      if (name != "*" && !name.starts_with("arn:"))
        return malformed(fmt::format("Resource {} must be in ARN format or \"*\".", name));
  } else if (!object.contains("Principal")) {
    return malformed("A trust policy needs a Principal.");
  }
  if (const json::value* condition = object.if_contains("Condition")) {
    IMGPROC_TRY(statement.conditions, parse_conditions(*condition));
  }
  return statement;
}

bool holds(const Condition& condition, const AccessRequest& request) {
  auto found = request.context.find(condition.key);
  bool present = found != request.context.end() && !found->second.empty();
  if (condition.operation == "Null") {
    bool wants_absent =
        std::ranges::any_of(condition.values, [](const std::string& v) { return v == "true"; });
    return wants_absent != present;
  }
  const Operation* operation = find_operation(condition.operation);
  if (operation == nullptr) return false;
  if (!present) return condition.if_exists || condition.for_all_values || operation->negated;
  auto one = [&](const std::string& actual) {
    bool any = std::ranges::any_of(condition.values, [&](const std::string& wanted) {
      return operation->test(actual, wanted);
    });
    return any != operation->negated;
  };
  return condition.for_all_values ? std::ranges::all_of(found->second, one)
                                  : std::ranges::any_of(found->second, one);
}

bool applies(const Statement& statement, const AccessRequest& request) {
  auto matches_action = [&](const std::string& pattern) {
    return matches(pattern, request.action, true);
  };
  if (std::ranges::any_of(statement.actions, matches_action) == statement.not_actions) return false;
  auto matches_resource = [&](const std::string& pattern) {
    return matches(pattern, request.resource);
  };
  if (std::ranges::any_of(statement.resources, matches_resource) == statement.not_resources)
    return false;
  return std::ranges::all_of(statement.conditions,
                             [&](const Condition& c) { return holds(c, request); });
}

}  // namespace

base::Result<Policy> parse_policy(std::string_view document, bool needs_resource) {
  if (document.size() > kPolicyBytesMax)
    return base::permanent("LimitExceeded",
                           fmt::format("A policy has at most {} characters.", kPolicyBytesMax));
  auto value = base::parse_json(document);
  if (!value || !value->is_object()) return malformed("Syntax errors in policy.");
  const json::object& object = value->get_object();
  auto version = base::json_string(object, "Version");
  if (version && version != "2012-10-17" && version != "2008-10-17")
    return malformed("The policy's Version must be 2012-10-17 or 2008-10-17.");
  const json::value* statements = object.if_contains("Statement");
  if (statements == nullptr) return malformed("A policy needs a Statement.");
  Policy policy;
  auto add = [&](const json::value& statement) -> base::Status {
    if (!statement.is_object()) return malformed("A statement must be an object.");
    IMGPROC_TRY(Statement parsed, parse_statement(statement.get_object(), needs_resource));
    policy.statements.push_back(std::move(parsed));
    return {};
  };
  if (const auto* list = statements->if_array()) {
    for (const json::value& statement : *list) IMGPROC_CHECK(add(statement));
  } else {
    IMGPROC_CHECK(add(*statements));
  }
  return policy;
}

Decision evaluate(std::span<const Policy> policies, const AccessRequest& request) {
  bool allowed = false;
  for (const Policy& policy : policies) {
    for (const Statement& statement : policy.statements) {
      if (!applies(statement, request)) continue;
      if (!statement.allow) return Decision::explicitly_denied;
      allowed = true;
    }
  }
  return allowed ? Decision::allowed : Decision::implicitly_denied;
}

}  // namespace imgproc::localcloud::iam
