#include "localcloud/dynamodb/condition_eval.h"

#include <fmt/format.h>

#include <algorithm>

#include "localcloud/dynamodb/errors.h"
#include "protocol/decimal.h"

namespace imgproc::localcloud::dynamodb {
namespace {

/// Length as DynamoDB's size() counts: UTF-16 units of a string, bytes of a binary, elements of the
/// rest.
std::optional<std::size_t> length_of(const AttributeValue& value) {
  switch (value.type) {
    case AttributeType::string: {
      std::size_t units = 0;
      for (unsigned char c : value.text) units += (c & 0xC0) != 0x80 ? (c >= 0xF0 ? 2 : 1) : 0;
      return units;
    }
    case AttributeType::binary:
      return value.text.size();
    case AttributeType::string_set:
    case AttributeType::number_set:
    case AttributeType::binary_set:
      return value.set.size();
    case AttributeType::map:
      return value.map.size();
    case AttributeType::list:
      return value.list.size();
    default:
      return std::nullopt;
  }
}

/// An operand's value for one item: borrowed where possible, made where computed.
class Resolved {
 public:
  Resolved(const Operand& operand, const AttributeMap& item) {
    if (operand.kind == Operand::Kind::value) {
      value_ = &operand.value;
    } else if (operand.kind == Operand::Kind::path) {
      value_ = find_path(item, operand.path);
    } else if (operand.kind == Operand::Kind::size) {
      Resolved inner(operand.arguments[0], item);
      auto length = inner.get() == nullptr ? std::nullopt : length_of(*inner.get());
      if (length) made_ = AttributeValue::of_number(static_cast<long long>(*length));
    }
  }
  [[nodiscard]] const AttributeValue* get() const { return made_ ? &*made_ : value_; }

 private:
  const AttributeValue* value_ = nullptr;
  std::optional<AttributeValue> made_;
};

bool contains(const AttributeValue& whole, const AttributeValue& part) {
  switch (whole.type) {
    case AttributeType::string:
    case AttributeType::binary:
      return whole.type == part.type && whole.text.find(part.text) != std::string::npos;
    case AttributeType::string_set:
    case AttributeType::number_set:
    case AttributeType::binary_set: {
      auto element = whole.type == AttributeType::string_set   ? AttributeType::string
                     : whole.type == AttributeType::number_set ? AttributeType::number
                                                               : AttributeType::binary;
      return part.type == element &&
             std::find(whole.set.begin(), whole.set.end(), part.text) != whole.set.end();
    }
    case AttributeType::list:
      return std::find(whole.list.begin(), whole.list.end(), part) != whole.list.end();
    default:
      return false;
  }
}

bool evaluate_comparison(const Condition& condition, const AttributeMap& item) {
  using K = Condition::Kind;
  Resolved first(condition.operands[0], item);
  const AttributeValue* left = first.get();
  if (condition.kind == K::attribute_exists) return left != nullptr;
  if (condition.kind == K::attribute_not_exists) return left == nullptr;
  if (condition.kind == K::in) {
    if (left == nullptr) return false;
    return std::any_of(condition.operands.begin() + 1, condition.operands.end(),
                       [&](const Operand& operand) {
                         Resolved choice(operand, item);
                         return choice.get() != nullptr && *choice.get() == *left;
                       });
  }
  Resolved second(condition.operands[1], item);
  const AttributeValue* right = second.get();
  if (condition.kind == K::not_equal)
    return left == nullptr || right == nullptr ? left != right : !(*left == *right);
  if (left == nullptr || right == nullptr) return false;
  auto order = [&] { return compare_ordered(*left, *right); };
  switch (condition.kind) {
    case K::equal:
      return *left == *right;
    case K::less:
      return order() && *order() < 0;
    case K::less_equal:
      return order() && *order() <= 0;
    case K::greater:
      return order() && *order() > 0;
    case K::greater_equal:
      return order() && *order() >= 0;
    case K::between: {
      Resolved third(condition.operands[2], item);
      if (third.get() == nullptr) return false;
      auto below = compare_ordered(*left, *third.get());
      return order() && *order() >= 0 && below && *below <= 0;
    }
    case K::attribute_type:
      return to_string(left->type) == right->text;
    case K::begins_with:
      return left->type == right->type &&
             (left->type == AttributeType::string || left->type == AttributeType::binary) &&
             left->text.starts_with(right->text);
    case K::contains:
      return contains(*left, *right);
    default:
      return false;
  }
}

template <class Visit>
void visit_paths(const Operand& operand, Visit& visit) {
  if (operand.kind == Operand::Kind::path) visit(operand.path);
  for (const auto& argument : operand.arguments) visit_paths(argument, visit);
}

template <class Visit>
void visit_paths(const Condition& condition, Visit& visit) {
  for (const auto& operand : condition.operands) visit_paths(operand, visit);
  for (const auto& inner : condition.conditions) visit_paths(inner, visit);
}

}  // namespace

const AttributeValue* find_path(const AttributeMap& item, const Path& path) {
  auto found = item.find(std::get<std::string>(path[0]));
  const AttributeValue* value = found == item.end() ? nullptr : &found->second;
  for (std::size_t i = 1; i < path.size() && value != nullptr; ++i) {
    if (const auto* name = std::get_if<std::string>(&path[i])) {
      if (value->type != AttributeType::map) return nullptr;
      auto member = value->map.find(*name);
      value = member == value->map.end() ? nullptr : &member->second;
    } else {
      std::size_t position = std::get<std::size_t>(path[i]);
      if (value->type != AttributeType::list || position >= value->list.size()) return nullptr;
      value = &value->list[position];
    }
  }
  return value;
}

std::optional<std::strong_ordering> compare_ordered(const AttributeValue& a,
                                                    const AttributeValue& b) {
  if (a.type != b.type) return std::nullopt;
  if (a.type == AttributeType::string || a.type == AttributeType::binary)
    return a.text.compare(b.text) <=> 0;
  if (a.type != AttributeType::number) return std::nullopt;
  auto left = protocol::Decimal::parse(a.text);
  auto right = protocol::Decimal::parse(b.text);
  if (!left || !right) return std::nullopt;
  return *left <=> *right;
}

bool evaluate(const Condition& condition, const AttributeMap& item) {
  auto holds = [&](const Condition& inner) { return evaluate(inner, item); };
  const auto& inner = condition.conditions;
  switch (condition.kind) {
    case Condition::Kind::all_of:
      return std::all_of(inner.begin(), inner.end(), holds);
    case Condition::Kind::any_of:
      return std::any_of(inner.begin(), inner.end(), holds);
    case Condition::Kind::negation:
      return !holds(inner[0]);
    default:
      return evaluate_comparison(condition, item);
  }
}

std::optional<std::string> first_named(const Condition& condition,
                                       const std::vector<KeyAttribute>& attributes) {
  std::optional<std::string> named;
  auto visit = [&](const Path& path) {
    const auto& head = std::get<std::string>(path[0]);
    for (const auto& attribute : attributes)
      if (attribute.name == head && !named) named = head;
  };
  visit_paths(condition, visit);
  return named;
}

base::Status check_key_paths(const Table& table, const Path& path) {
  if (path.size() < 2) return {};
  const auto& head = std::get<std::string>(path[0]);
  auto is_key = [&](const KeySchema& keys) {
    return keys.hash.name == head || (keys.range && keys.range->name == head);
  };
  auto refuse = [&](std::string_view what) {
    return invalid(fmt::format(
        "Key attributes must be scalars; list random access '[]' and map lookup '.' are not "
        "allowed: {}: {}",
        what, head));
  };
  if (is_key(table.keys)) return refuse("Key");
  for (const auto& index : table.indexes)
    if (is_key(index.keys)) return refuse("IndexKey");
  return {};
}

base::Status check_key_paths(const Table& table, const Condition& condition) {
  base::Status status;
  auto visit = [&](const Path& path) {
    if (status) status = check_key_paths(table, path);
  };
  visit_paths(condition, visit);
  return status;
}

}  // namespace imgproc::localcloud::dynamodb
