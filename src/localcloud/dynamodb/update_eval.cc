#include "localcloud/dynamodb/update_eval.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "localcloud/dynamodb/condition_eval.h"
#include "localcloud/dynamodb/errors.h"
#include "protocol/decimal.h"

namespace imgproc::localcloud::dynamodb {
namespace {

constexpr char kWrongType[] = "An operand in the update expression has an incorrect data type";
constexpr char kNoSuchPath[] =
    "The document path provided in the update expression is invalid for update";

base::Result<AttributeValue> add_numbers(const AttributeValue& left, const AttributeValue& right,
                                         bool subtract) {
  if (left.type != AttributeType::number || right.type != AttributeType::number)
    return invalid(kWrongType);
  IMGPROC_TRY(auto a, protocol::Decimal::parse(left.text));
  IMGPROC_TRY(auto b, protocol::Decimal::parse(right.text));
  IMGPROC_TRY(auto sum, subtract ? a.minus(b) : a.plus(b));
  return AttributeValue::of_number(sum.to_string());
}

base::Result<AttributeValue> compute(const Operand& operand, const AttributeMap& item) {
  switch (operand.kind) {
    case Operand::Kind::value:
      return operand.value;
    case Operand::Kind::path:
      if (const auto* found = find_path(item, operand.path)) return *found;
      return invalid(
          "The provided expression refers to an attribute that does not exist in the item");
    case Operand::Kind::if_not_exists:
      if (const auto* found = find_path(item, operand.arguments[0].path)) return *found;
      return compute(operand.arguments[1], item);
    case Operand::Kind::list_append: {
      IMGPROC_TRY(AttributeValue list, compute(operand.arguments[0], item));
      IMGPROC_TRY(AttributeValue more, compute(operand.arguments[1], item));
      if (list.type != AttributeType::list || more.type != AttributeType::list)
        return invalid(kWrongType);
      std::move(more.list.begin(), more.list.end(), std::back_inserter(list.list));
      return list;
    }
    case Operand::Kind::plus:
    case Operand::Kind::minus: {
      IMGPROC_TRY(AttributeValue left, compute(operand.arguments[0], item));
      IMGPROC_TRY(AttributeValue right, compute(operand.arguments[1], item));
      return add_numbers(left, right, operand.kind == Operand::Kind::minus);
    }
    case Operand::Kind::size:
      break;
  }
  return invalid(kWrongType);
}

/// The map or list that holds the last element of `path`; nullptr if it does not exist or is of the
/// other kind. For a top-level attribute `root`.
AttributeValue* parent_of(AttributeValue& root, const Path& path) {
  AttributeValue* parent = &root;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const auto* name = std::get_if<std::string>(&path[i]);
    if (parent->type != (name != nullptr ? AttributeType::map : AttributeType::list))
      return nullptr;
    if (i + 1 == path.size()) return parent;
    if (name != nullptr) {
      auto member = parent->map.find(*name);
      if (member == parent->map.end()) return nullptr;
      parent = &member->second;
    } else {
      std::size_t position = std::get<std::size_t>(path[i]);
      if (position >= parent->list.size()) return nullptr;
      parent = &parent->list[position];
    }
  }
  return nullptr;
}

/// ADD and DELETE: the new value of the attribute, or nullopt if nothing is left of it.
base::Result<std::optional<AttributeValue>> combine(const UpdateAction& action,
                                                    const AttributeValue* existing) {
  const AttributeValue& operand = action.operand.value;
  if (existing != nullptr && existing->type != operand.type) return invalid(kWrongType);
  if (action.kind == UpdateAction::Kind::remove_elements) {
    if (existing == nullptr) return std::nullopt;
    AttributeValue left = *existing;
    std::erase_if(left.set, [&](const std::string& element) {
      return std::find(operand.set.begin(), operand.set.end(), element) != operand.set.end();
    });
    if (left.set.empty()) return std::nullopt;
    return left;
  }
  if (existing == nullptr) return operand;
  if (operand.type == AttributeType::number) {
    IMGPROC_TRY(AttributeValue sum, add_numbers(*existing, operand, false));
    return sum;
  }
  AttributeValue united = *existing;
  for (const auto& element : operand.set)
    if (std::find(united.set.begin(), united.set.end(), element) == united.set.end())
      united.set.push_back(element);
  // Only the legacy ADD action takes lists: it appends.
  united.list.insert(united.list.end(), operand.list.begin(), operand.list.end());
  return united;
}

/// Changes that lengthen or shorten lists, kept until all else is done: every position in an update
/// means the list as it was. Paths, not pointers, since a list that grows moves its elements.
struct ListChanges {
  struct Element {
    Path path;
    AttributeValue value;
  };
  std::vector<Element> appended;
  std::vector<Path> removed;
};

std::size_t position_of(const Path& path) {
  return std::get<std::size_t>(path.back());
}

void store(AttributeValue& parent, const Path& path, AttributeValue value, ListChanges& changes) {
  if (const auto* name = std::get_if<std::string>(&path.back())) {
    parent.map.insert_or_assign(*name, std::move(value));
  } else if (position_of(path) < parent.list.size()) {
    parent.list[position_of(path)] = std::move(value);
  } else {
    changes.appended.push_back({path, std::move(value)});
  }
}

void erase(AttributeValue& parent, const Path& path, ListChanges& changes) {
  if (const auto* name = std::get_if<std::string>(&path.back())) {
    parent.map.erase(*name);
  } else if (position_of(path) < parent.list.size()) {
    changes.removed.push_back(path);
  }
}

void finish(AttributeValue& root, ListChanges& changes) {
  std::sort(changes.appended.begin(), changes.appended.end(),
            [](const auto& a, const auto& b) { return position_of(a.path) < position_of(b.path); });
  for (auto& [path, value] : changes.appended)
    parent_of(root, path)->list.push_back(std::move(value));
  // Deep lists before those around them, high positions before low ones: what is still to be
  // removed stays where its path says.
  std::sort(changes.removed.begin(), changes.removed.end(), [](const Path& a, const Path& b) {
    return a.size() != b.size() ? a.size() > b.size() : position_of(a) > position_of(b);
  });
  for (const auto& path : changes.removed) {
    auto& list = parent_of(root, path)->list;
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(position_of(path)));
  }
}

/// How deep lists and maps nest, the value itself counted.
int nesting_of(const AttributeValue& value) {
  if (value.type != AttributeType::map && value.type != AttributeType::list) return 0;
  int deepest = 0;
  for (const auto& [name, member] : value.map) deepest = std::max(deepest, nesting_of(member));
  for (const auto& element : value.list) deepest = std::max(deepest, nesting_of(element));
  return 1 + deepest;
}

const AttributeValue* child_of(const AttributeValue& parent, const PathElement& last) {
  if (const auto* name = std::get_if<std::string>(&last)) {
    auto member = parent.map.find(*name);
    return member == parent.map.end() ? nullptr : &member->second;
  }
  std::size_t position = std::get<std::size_t>(last);
  return position < parent.list.size() ? &parent.list[position] : nullptr;
}

}  // namespace

base::Result<AttributeMap> apply_update(const AttributeMap& item,
                                        const std::vector<UpdateAction>& actions) {
  AttributeValue root = AttributeValue::of_map(item);
  ListChanges changes;
  for (const auto& action : actions) {
    std::optional<AttributeValue> value;
    if (action.kind == UpdateAction::Kind::set) {
      IMGPROC_TRY(value, compute(action.operand, item));
    }
    AttributeValue* parent = parent_of(root, action.path);
    if (parent == nullptr) return invalid(kNoSuchPath);
    if (action.kind == UpdateAction::Kind::add ||
        action.kind == UpdateAction::Kind::remove_elements) {
      IMGPROC_TRY(value, combine(action, child_of(*parent, action.path.back())));
    }
    if (value) {
      store(*parent, action.path, *std::move(value), changes);
    } else {
      erase(*parent, action.path, changes);
    }
  }
  finish(root, changes);
  if (nesting_of(root) > 1 + protocol::kAttributeDepthMax)
    return invalid(
        "Nesting Levels have exceeded supported limits: Attributes have nested levels beyond "
        "supported limit");
  return std::move(root.map);
}

}  // namespace imgproc::localcloud::dynamodb
