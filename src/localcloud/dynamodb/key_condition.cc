#include "localcloud/dynamodb/key_condition.h"

#include <fmt/format.h>

#include <algorithm>

#include "localcloud/dynamodb/errors.h"
#include "localcloud/dynamodb/key.h"

namespace imgproc::localcloud::dynamodb {
namespace {

using K = Condition::Kind;

std::string_view operator_name(K kind) {
  switch (kind) {
    case K::any_of:
      return "OR";
    case K::negation:
      return "NOT";
    case K::in:
      return "IN";
    case K::not_equal:
      return "<>";
    case K::attribute_exists:
      return "attribute_exists";
    case K::attribute_not_exists:
      return "attribute_not_exists";
    case K::attribute_type:
      return "attribute_type";
    case K::contains:
      return "contains";
    default:
      return "";
  }
}

K mirrored(K kind) {
  switch (kind) {
    case K::less:
      return K::greater;
    case K::less_equal:
      return K::greater_equal;
    case K::greater:
      return K::less;
    case K::greater_equal:
      return K::less_equal;
    default:
      return kind;
  }
}

/// One comparison with the attribute in front.
struct Comparison {
  std::string attribute;
  K kind;
  std::vector<AttributeValue> values;
  Condition condition;
};

base::Status collect(const Condition& condition, std::vector<Comparison>& comparisons) {
  if (condition.kind == K::all_of) {
    for (const auto& inner : condition.conditions) IMGPROC_CHECK(collect(inner, comparisons));
    return {};
  }
  if (auto name = operator_name(condition.kind); !name.empty())
    return invalid(fmt::format("Invalid operator used in KeyConditionExpression: {}", name));
  Condition ordered = condition;
  auto& operands = ordered.operands;
  std::size_t paths = 0;
  for (const auto& operand : operands) {
    if (operand.kind == Operand::Kind::size)
      return invalid("KeyConditionExpressions cannot contain nested operations");
    if (operand.kind == Operand::Kind::path) {
      ++paths;
      if (operand.path.size() > 1)
        return invalid("KeyConditionExpressions cannot have conditions on nested attributes");
    }
  }
  if (paths > 1)
    return invalid(
        "Invalid condition in KeyConditionExpression: Multiple attribute names used in one "
        "condition");
  if (paths == 0)
    return invalid("Invalid condition in KeyConditionExpression: No key attribute specified");
  if (operands[0].kind != Operand::Kind::path) {
    if (ordered.kind == K::between || ordered.kind == K::begins_with)
      return invalid(
          fmt::format("Invalid condition in KeyConditionExpression: {} operator must have the key "
                      "attribute as its first operand",
                      ordered.kind == K::between ? "BETWEEN" : "begins_with"));
    std::swap(operands[0], operands[1]);
    ordered.kind = mirrored(ordered.kind);
  }
  Comparison comparison{.attribute = std::get<std::string>(operands[0].path[0]),
                        .kind = ordered.kind};
  for (std::size_t i = 1; i < operands.size(); ++i) comparison.values.push_back(operands[i].value);
  comparison.condition = std::move(ordered);
  for (const auto& known : comparisons)
    if (known.attribute == comparison.attribute)
      return invalid("KeyConditionExpressions must only contain one condition per key");
  comparisons.push_back(std::move(comparison));
  return {};
}

/// The first byte string after all that start with `prefix`; nothing if there is none.
std::optional<std::string> after_prefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xFF') prefix.pop_back();
  if (prefix.empty()) return std::nullopt;
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

void set_bounds(const Comparison& comparison, KeyRange& range) {
  std::string value = sortable(comparison.values[0]);
  switch (comparison.kind) {
    case K::equal:
      range.low = value;
      range.high = just_after(value);
      break;
    case K::less:
      range.high = value;
      break;
    case K::less_equal:
      range.high = just_after(value);
      break;
    case K::greater:
      range.low = just_after(value);
      break;
    case K::greater_equal:
      range.low = value;
      break;
    case K::between:
      range.low = value;
      range.high = just_after(sortable(comparison.values[1]));
      break;
    case K::begins_with:
      range.low = value;
      range.high = after_prefix(value);
      break;
    default:
      break;
  }
}

}  // namespace

std::string just_after(std::string key) {
  key.push_back('\0');
  return key;
}

base::Result<KeyRange> key_range(const Condition& condition, const KeySchema& keys) {
  std::vector<Comparison> comparisons;
  IMGPROC_CHECK(collect(condition, comparisons));
  if (comparisons.empty() || comparisons.size() > 2)
    return invalid("Conditions can be of length 1 or 2 only");
  auto find = [&](const KeyAttribute& key) {
    return std::find_if(comparisons.begin(), comparisons.end(), [&](const Comparison& comparison) {
      return comparison.attribute == key.name;
    });
  };
  if (!keys.range && comparisons.size() > 1) return invalid("Query key condition not supported");
  auto check_types = [&](const Comparison& comparison, const KeyAttribute& key) -> base::Status {
    for (const auto& value : comparison.values)
      if (value.type != key.type)
        return invalid_parameter("Condition parameter type does not match schema type");
    if (comparison.kind == K::begins_with && key.type == AttributeType::number)
      return invalid_parameter("Condition parameter type does not match schema type");
    return {};
  };
  auto hash = find(keys.hash);
  if (hash == comparisons.end())
    return invalid(fmt::format("Query condition missed key schema element: {}", keys.hash.name));
  IMGPROC_CHECK(check_types(*hash, keys.hash));
  if (hash->kind != K::equal) return invalid("Query key condition not supported");
  KeyRange range{.hash_value = hash->values[0], .hash = stored_hash_key(hash->values[0])};
  if (range.hash_value.type != AttributeType::number && range.hash_value.text.empty())
    return invalid(fmt::format(
        "One or more parameter values are not valid. The AttributeValue for a key attribute "
        "cannot contain an empty {} value. Key: {}",
        range.hash_value.type == AttributeType::string ? "string" : "binary", keys.hash.name));
  if (comparisons.size() == 2) {
    auto second = find(*keys.range);
    if (second == comparisons.end())
      return invalid(
          fmt::format("Query condition missed key schema element: {}", keys.range->name));
    IMGPROC_CHECK(check_types(*second, *keys.range));
    set_bounds(*second, range);
    range.range_condition = second->condition;
  }
  return range;
}

}  // namespace imgproc::localcloud::dynamodb
