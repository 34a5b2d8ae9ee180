#include "localcloud/dynamodb/expression_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "localcloud/dynamodb/condition_eval.h"

namespace imgproc::localcloud::dynamodb {
namespace {

bool is_value(const Operand& operand) {
  return operand.kind == Operand::Kind::value;
}

/// The type that an operand has whatever the item is, if that can be told.
std::optional<AttributeType> known_type(const Operand& operand) {
  switch (operand.kind) {
    case Operand::Kind::value:
      return operand.value.type;
    case Operand::Kind::size:
    case Operand::Kind::plus:
    case Operand::Kind::minus:
      return AttributeType::number;
    case Operand::Kind::list_append:
      return AttributeType::list;
    default:
      return std::nullopt;
  }
}

bool is_ordered(AttributeType type) {
  return type == AttributeType::string || type == AttributeType::number ||
         type == AttributeType::binary;
}

std::string describe(const AttributeValue& value) {
  return fmt::format("AttributeValue: {{{}:{}}}", to_string(value.type), value.text);
}

/// How an update section names the types that it does not take.
std::string_view long_name(AttributeType type) {
  switch (type) {
    case AttributeType::string:
      return "STRING";
    case AttributeType::number:
      return "NUMBER";
    case AttributeType::binary:
      return "BINARY";
    case AttributeType::null:
      return "NULL";
    case AttributeType::boolean:
      return "BOOLEAN";
    case AttributeType::list:
      return "LIST";
    case AttributeType::map:
      return "MAP";
    default:
      return to_string(type);
  }
}

}  // namespace

void ExpressionChecks::misused_function(std::string_view name) {
  add(Rank::misused_function,
      fmt::format("The function is not allowed to be used this way in an expression; function: {}",
                  name));
}

bool ExpressionChecks::has_count(std::string_view name, std::size_t have, std::size_t want) {
  if (have == want) return true;
  add(Rank::operand_count,
      fmt::format("Incorrect number of operands for operator or function; operator or "
                  "function: {}, number of operands: {}",
                  name, have));
  return false;
}

void ExpressionChecks::wrong_type(std::string_view name, std::string_view type) {
  add(Rank::operand_type,
      fmt::format("Incorrect operand type for operator or function; operator or "
                  "function: {}, operand type: {}",
                  name, type));
}

void ExpressionChecks::same_path_twice(std::string_view name,
                                       const std::vector<Operand>& operands) {
  const Operand& first = operands[0];
  if (first.kind != Operand::Kind::path) return;
  for (std::size_t i = 1; i < operands.size(); ++i)
    if (operands[i].kind == Operand::Kind::path && operands[i].path == first.path)
      add(Rank::distinct,
          fmt::format("The first operand must be distinct from the remaining operands for this "
                      "operator or function; operator: {}, first operand: {}",
                      name, to_string(first.path)));
}

void ExpressionChecks::condition_function(std::string_view name, const Condition& condition) {
  using K = Condition::Kind;
  const auto& operands = condition.operands;
  bool exists = condition.kind == K::attribute_exists || condition.kind == K::attribute_not_exists;
  if (!has_count(name, operands.size(), exists ? 1 : 2)) return;
  same_path_twice(name, operands);
  if (exists) {
    if (operands[0].kind != Operand::Kind::path)
      add(Rank::operand_type,
          fmt::format("Operator or function requires a document path; operator or function: {}",
                      name));
  } else if (condition.kind == K::begins_with) {
    for (const auto& operand : operands) {
      auto type = known_type(operand);
      if (type && *type != AttributeType::string && *type != AttributeType::binary)
        wrong_type(name, to_string(*type));
    }
  } else if (condition.kind == K::attribute_type) {
    auto type = known_type(operands[1]);
    if (!is_value(operands[1]) || *type != AttributeType::string) {
      wrong_type(name, type ? to_string(*type) : "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}");
    } else if (!protocol::attribute_type_from_string(operands[1].value.text)) {
      add(Rank::operand_type, fmt::format("Invalid attribute type name found; type: {}, valid "
                                          "types: {{B,NULL,SS,BOOL,L,BS,N,NS,S,M}}",
                                          operands[1].value.text));
    }
  }
}

void ExpressionChecks::operand_function(std::string_view name, const Operand& operand) {
  const auto& arguments = operand.arguments;
  switch (operand.kind) {
    case Operand::Kind::size: {
      if (!has_count(name, arguments.size(), 1)) return;
      auto type = known_type(arguments[0]);
      if (type == AttributeType::number || type == AttributeType::boolean ||
          type == AttributeType::null)
        wrong_type(name, to_string(*type));
      return;
    }
    case Operand::Kind::if_not_exists:
      if (!has_count(name, arguments.size(), 2)) return;
      if (arguments[0].kind != Operand::Kind::path)
        add(Rank::operand_type,
            fmt::format("Operator or function requires a document path; operator or function: {}",
                        name));
      return;
    default: {
      if (!has_count(name, arguments.size(), 2)) return;
      auto wanted =
          operand.kind == Operand::Kind::list_append ? AttributeType::list : AttributeType::number;
      for (const auto& argument : arguments) {
        auto type = known_type(argument);
        if (type && *type != wanted) wrong_type(name, to_string(*type));
      }
    }
  }
}

void ExpressionChecks::comparison(std::string_view operator_text, const Condition& condition) {
  using K = Condition::Kind;
  const auto& operands = condition.operands;
  if (condition.kind == K::in && operands.size() - 1 > kInOperandsMax) {
    add(Rank::operand_count,
        fmt::format("Invalid number of operands for operator or function; operator or "
                    "function: IN, number of operands: {}",
                    operands.size()));
    return;
  }
  same_path_twice(operator_text, operands);
  if (condition.kind == K::equal || condition.kind == K::not_equal || condition.kind == K::in)
    return;
  for (const auto& operand : operands) {
    auto type = known_type(operand);
    if (!type || is_ordered(*type)) continue;
    add(Rank::operand_type,
        fmt::format(
            "Incorrect operand type for operator or function; operator: {}, operand type: {}",
            operator_text, to_string(*type)));
    return;
  }
  if (condition.kind != K::between || !is_value(operands[1]) || !is_value(operands[2])) return;
  const AttributeValue& low = operands[1].value;
  const AttributeValue& high = operands[2].value;
  if (low.type != high.type) {
    add(Rank::operand_type,
        fmt::format("The BETWEEN operator requires same data type for lower and upper bounds; "
                    "lower bound operand: {}, upper bound operand: {}",
                    describe(low), describe(high)));
  } else if (compare_ordered(low, high).value_or(std::strong_ordering::equal) > 0) {
    add(Rank::operand_type, fmt::format("The BETWEEN operator requires upper bound to be greater "
                                        "than or equal to lower bound; lower "
                                        "bound operand: {}, upper bound operand: {}",
                                        describe(low), describe(high)));
  }
}

void ExpressionChecks::set_action(std::string_view word, const Operand& operand) {
  if (!is_value(operand)) return;
  bool fits =
      operand.value.is_set() || (word == "ADD" && operand.value.type == AttributeType::number);
  if (!fits)
    add(Rank::operand_type,
        fmt::format(
            "Incorrect operand type for operator or function; operator: {}, operand type: {}", word,
            long_name(operand.value.type)));
}

void ExpressionChecks::distinct_paths(const std::vector<Path>& paths) {
  auto add_pair = [&](Rank rank, std::string_view verb, const Path& one, const Path& two) {
    add(rank, fmt::format("Two document paths {} with each other; must remove or rewrite one of "
                          "these paths; path "
                          "one: {}, path two: {}",
                          verb, to_string(one), to_string(two)));
  };
  // Sorted, a path that contains others stands right before them, so neighbours tell all overlaps.
  std::vector<const Path*> sorted;
  sorted.reserve(paths.size());
  for (const auto& path : paths) sorted.push_back(&path);
  std::sort(sorted.begin(), sorted.end(), [](const Path* a, const Path* b) { return *a < *b; });
  auto in_text_order = [&](const Path* a, const Path* b, Rank rank, std::string_view verb) {
    if (a > b) std::swap(a, b);
    add_pair(rank, verb, *a, *b);
  };
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    const Path& one = *sorted[i - 1];
    const Path& two = *sorted[i];
    auto [left, right] = std::mismatch(one.begin(), one.end(), two.begin(), two.end());
    if (left == one.end()) {
      in_text_order(&one, &two, Rank::overlap, "overlap");
    } else if (left->index() != right->index()) {
      in_text_order(&one, &two, Rank::conflict, "conflict");
    }
  }
}

}  // namespace imgproc::localcloud::dynamodb
