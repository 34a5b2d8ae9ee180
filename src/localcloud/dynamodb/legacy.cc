#include "localcloud/dynamodb/legacy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "localcloud/dynamodb/condition_eval.h"
#include "localcloud/dynamodb/errors.h"
#include "localcloud/dynamodb/input.h"

namespace imgproc::localcloud::dynamodb {
namespace {

using K = Condition::Kind;

struct Comparison {
  std::string_view name;
  K kind;
  std::size_t values_min;
  std::size_t values_max;
  /// Types that its values may have; empty = any.
  std::string_view types;
  bool negated = false;
};
constexpr std::size_t kAnyNumber = 100;
constexpr Comparison kComparisons[] = {
    {"EQ", K::equal, 1, 1, ""},
    {"NE", K::not_equal, 1, 1, ""},
    {"LE", K::less_equal, 1, 1, "S N B"},
    {"LT", K::less, 1, 1, "S N B"},
    {"GE", K::greater_equal, 1, 1, "S N B"},
    {"GT", K::greater, 1, 1, "S N B"},
    {"NOT_NULL", K::attribute_exists, 0, 0, ""},
    {"NULL", K::attribute_not_exists, 0, 0, ""},
    {"CONTAINS", K::contains, 1, 1, "S N B"},
    {"NOT_CONTAINS", K::contains, 1, 1, "S N B", true},
    {"BEGINS_WITH", K::begins_with, 1, 1, "S B"},
    {"IN", K::in, 1, kAnyNumber, "S N B"},
    {"BETWEEN", K::between, 2, 2, "S N B"},
};

base::Result<const Comparison*> find_comparison(Input& input) {
  auto name =
      input.choice("ComparisonOperator", {"IN", "NULL", "BETWEEN", "LT", "NOT_CONTAINS", "EQ", "GT",
                                          "NOT_NULL", "NE", "LE", "BEGINS_WITH", "GE", "CONTAINS"});
  IMGPROC_CHECK(input.status());
  if (!name) return nullptr;
  return std::find_if(std::begin(kComparisons), std::end(kComparisons),
                      [&](const Comparison& comparison) { return comparison.name == *name; });
}

Operand path_operand(std::string_view attribute) {
  Operand operand{.kind = Operand::Kind::path};
  operand.path.emplace_back(std::string(attribute));
  return operand;
}

Condition compare(const Comparison& comparison, std::string_view attribute,
                  std::vector<AttributeValue> values) {
  Condition condition{.kind = comparison.kind};
  condition.operands.push_back(path_operand(attribute));
  for (auto& value : values) {
    Operand operand{.kind = Operand::Kind::value};
    operand.value = std::move(value);
    condition.operands.push_back(std::move(operand));
  }
  if (!comparison.negated) return condition;
  Condition negation{.kind = K::negation};
  negation.conditions.push_back(std::move(condition));
  return negation;
}

base::Result<std::vector<AttributeValue>> parse_values(const json::array* list) {
  std::vector<AttributeValue> values;
  if (list == nullptr) return values;
  for (const auto& element : *list) {
    IMGPROC_TRY(AttributeValue value, protocol::parse_attribute_value(element));
    values.push_back(std::move(value));
  }
  return values;
}

base::Status check_values(const Comparison& comparison, const std::vector<AttributeValue>& values) {
  if (values.size() < comparison.values_min || values.size() > comparison.values_max)
    return invalid_parameter(fmt::format(
        "Invalid number of argument(s) for the {} ComparisonOperator", comparison.name));
  for (const auto& value : values) {
    if (value.type != values[0].type)
      return invalid_parameter("AttributeValues inside AttributeValueList must be of same type");
    std::string_view type = to_string(value.type);
    bool scalar = value.type == AttributeType::string || value.type == AttributeType::number ||
                  value.type == AttributeType::binary;
    if (!comparison.types.empty() &&
        (!scalar || comparison.types.find(type) == std::string_view::npos))
      return invalid_parameter(fmt::format(
          "ComparisonOperator {} is not valid for {} AttributeValue type", comparison.name, type));
  }
  if (comparison.kind == K::between &&
      compare_ordered(values[0], values[1]).value_or(std::strong_ordering::equal) > 0)
    return invalid(
        "The BETWEEN condition was provided a range where the lower bound is greater than the "
        "upper bound");
  return {};
}

/// Joins single conditions by ConditionalOperator.
base::Result<std::optional<Condition>> join(const json::object& request, std::string_view parameter,
                                            std::vector<Condition> conditions, bool present) {
  Input input(request);
  auto joined_by = input.choice("ConditionalOperator", {"AND", "OR"});
  IMGPROC_CHECK(input.status());
  if (joined_by && !present)
    return invalid(fmt::format("ConditionalOperator cannot be used without {}",
                               parameter == "Expected" ? "Expected" : "Filter or Expected"));
  if (joined_by && conditions.size() < 2)
    return invalid(
        "ConditionalOperator can only be used when Filter or Expected has two or more elements");
  if (!present || conditions.empty()) return std::nullopt;
  Condition joined{.kind = joined_by == "OR" ? K::any_of : K::all_of};
  joined.conditions = std::move(conditions);
  return joined;
}

/// One entry of Expected. Its rules differ by whether it has a ComparisonOperator.
base::Result<Condition> parse_expectation(std::string_view attribute, const json::object& entry) {
  Input input(entry);
  bool has_value = input.has("Value");
  const auto* list = input.array("AttributeValueList");
  auto exists = input.boolean("Exists");
  IMGPROC_TRY(const Comparison* comparison, find_comparison(input));
  auto refuse = [&](std::string_view what) {
    return invalid_parameter(fmt::format("{} for Attribute: {}", what, attribute));
  };
  if (list != nullptr && has_value)
    return refuse("Value and AttributeValueList cannot be used together");
  IMGPROC_TRY(auto values, parse_values(list));
  if (has_value) {
    IMGPROC_TRY(AttributeValue value, protocol::parse_attribute_value(entry.at("Value")));
    values.push_back(std::move(value));
  }
  if (comparison != nullptr) {
    if (exists) return refuse("Exists and ComparisonOperator cannot be used together");
    if (comparison->values_min > 0 && list == nullptr && !has_value)
      return refuse(
          fmt::format("Value or AttributeValueList must be used with ComparisonOperator: {}",
                      comparison->name));
    IMGPROC_CHECK(check_values(*comparison, values));
    return compare(*comparison, attribute, std::move(values));
  }
  if (list != nullptr)
    return refuse("AttributeValueList can only be used with a ComparisonOperator");
  if (exists.value_or(true) && !has_value)
    return refuse(
        fmt::format("Value must be provided when Exists is {}", exists ? "true" : "null"));
  if (!exists.value_or(true)) {
    if (has_value) return refuse("Value cannot be used when Exists is false");
    return compare({"NULL", K::attribute_not_exists, 0, 0, ""}, attribute, {});
  }
  return compare({"EQ", K::equal, 1, 1, ""}, attribute, std::move(values));
}

base::Result<std::vector<Condition>> parse_conditions(const json::object& entries) {
  std::vector<Condition> conditions;
  for (const auto& [name, entry] : entries) {
    if (!entry.is_object()) return not_serializable("Unexpected value type in payload");
    Input input(entry.get_object());
    const auto* list = input.array("AttributeValueList");
    input.require("ComparisonOperator");
    IMGPROC_TRY(const Comparison* comparison, find_comparison(input));
    IMGPROC_TRY(auto values, parse_values(list));
    IMGPROC_CHECK(check_values(*comparison, values));
    conditions.push_back(compare(*comparison, {name.data(), name.size()}, std::move(values)));
  }
  return conditions;
}

}  // namespace

base::Status refuse_mixed_parameters(const json::object& request,
                                     std::initializer_list<std::string_view> expressions,
                                     std::initializer_list<std::string_view> value_expressions,
                                     std::initializer_list<std::string_view> legacy) {
  auto present = [&](std::initializer_list<std::string_view> names) {
    std::vector<std::string_view> found;
    Input input(request);
    std::copy_if(names.begin(), names.end(), std::back_inserter(found),
                 [&](std::string_view name) { return input.has(name); });
    return found;
  };
  auto used = present(expressions);
  auto old = present(legacy);
  if (!used.empty() && !old.empty())
    return invalid(fmt::format(
        "Can not use both expression and non-expression parameters in the same request: "
        "Non-expression parameters: {{{}}} Expression parameters: {{{}}}",
        fmt::join(old, ", "), fmt::join(used, ", ")));
  Input input(request);
  if (input.has("ExpressionAttributeNames") && used.empty())
    return invalid("ExpressionAttributeNames can only be specified when using expressions");
  if (input.has("ExpressionAttributeValues") && value_expressions.size() > 0 &&
      present(value_expressions).empty())
    return invalid(fmt::format(
        "ExpressionAttributeValues can only be specified when using expressions: {} {} null",
        fmt::join(value_expressions, " and "), value_expressions.size() > 1 ? "are" : "is"));
  return {};
}

base::Result<std::optional<Condition>> parse_expected(const json::object& request) {
  Input input(request);
  const auto* entries = input.object("Expected");
  IMGPROC_CHECK(input.status());
  std::vector<Condition> conditions;
  if (entries != nullptr) {
    for (const auto& [name, entry] : *entries) {
      if (!entry.is_object()) return not_serializable("Unexpected value type in payload");
      IMGPROC_TRY(Condition condition,
                  parse_expectation({name.data(), name.size()}, entry.get_object()));
      conditions.push_back(std::move(condition));
    }
  }
  return join(request, "Expected", std::move(conditions), entries != nullptr);
}

base::Result<std::optional<Condition>> parse_filter(const json::object& request,
                                                    std::string_view name) {
  Input input(request);
  const auto* entries = input.object(name);
  IMGPROC_CHECK(input.status());
  std::vector<Condition> conditions;
  if (entries != nullptr) {
    IMGPROC_TRY(conditions, parse_conditions(*entries));
  }
  return join(request, name, std::move(conditions), entries != nullptr);
}

base::Result<std::optional<Condition>> parse_key_conditions(const json::object& request) {
  Input input(request);
  const auto* entries = input.object("KeyConditions");
  IMGPROC_CHECK(input.status());
  if (entries == nullptr) return std::nullopt;
  Condition all{.kind = K::all_of};
  IMGPROC_TRY(all.conditions, parse_conditions(*entries));
  return all;
}

base::Result<std::vector<UpdateAction>> parse_attribute_updates(const json::object& request) {
  Input input(request);
  const auto* entries = input.object("AttributeUpdates");
  IMGPROC_CHECK(input.status());
  std::vector<UpdateAction> actions;
  if (entries == nullptr) return actions;
  for (const auto& [name, entry] : *entries) {
    if (!entry.is_object()) return not_serializable("Unexpected value type in payload");
    Input update(entry.get_object());
    auto action = update.choice("Action", {"ADD", "PUT", "DELETE"});
    IMGPROC_CHECK(update.status());
    UpdateAction result;
    result.path.emplace_back(std::string(name.data(), name.size()));
    bool has_value = update.has("Value");
    if (has_value) {
      IMGPROC_TRY(result.operand.value,
                  protocol::parse_attribute_value(entry.get_object().at("Value")));
    } else if (action != "DELETE") {
      return invalid_parameter(
          "Only DELETE action is allowed when no attribute value is specified");
    }
    const AttributeValue& value = result.operand.value;
    if (action == "DELETE" && has_value) {
      if (!value.is_set())
        return invalid_parameter(fmt::format(
            "DELETE action with value is not supported for the type {}", to_string(value.type)));
      result.kind = UpdateAction::Kind::remove_elements;
    } else if (action == "DELETE") {
      result.kind = UpdateAction::Kind::remove;
    } else if (action == "ADD") {
      if (!value.is_set() && value.type != AttributeType::number &&
          value.type != AttributeType::list)
        return invalid_parameter(
            fmt::format("ADD action is not supported for the type {}", to_string(value.type)));
      result.kind = UpdateAction::Kind::add;
    }
    actions.push_back(std::move(result));
  }
  return actions;
}

}  // namespace imgproc::localcloud::dynamodb
