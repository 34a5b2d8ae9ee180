#include "localcloud/dynamodb/projection.h"

#include <optional>

namespace imgproc::localcloud::dynamodb {

Projection::Projection(const std::vector<Path>& paths) {
  for (const auto& path : paths) {
    Node* node = &root_;
    for (const auto& element : path) {
      if (const auto* name = std::get_if<std::string>(&element)) {
        node = &node->members[*name];
      } else {
        node = &node->elements[std::get<std::size_t>(element)];
      }
    }
    node->whole = true;
  }
}

AttributeMap Projection::apply(const AttributeMap& item) const {
  return reduce_members(root_, item);
}

AttributeMap Projection::reduce_members(const Node& node, const AttributeMap& map) {
  AttributeMap kept;
  for (const auto& [name, child] : node.members) {
    auto found = map.find(name);
    if (found == map.end()) continue;
    if (auto reduced = reduce(child, found->second)) kept.emplace(name, *std::move(reduced));
  }
  return kept;
}

std::optional<AttributeValue> Projection::reduce(const Node& node, const AttributeValue& value) {
  if (node.whole) return value;
  if (value.type == AttributeType::map && !node.members.empty()) {
    AttributeMap kept = reduce_members(node, value.map);
    if (kept.empty()) return std::nullopt;
    return AttributeValue::of_map(std::move(kept));
  }
  if (value.type == AttributeType::list && !node.elements.empty()) {
    std::vector<AttributeValue> kept;
    for (const auto& [position, child] : node.elements) {
      if (position >= value.list.size()) break;
      if (auto reduced = reduce(child, value.list[position])) kept.push_back(*std::move(reduced));
    }
    if (kept.empty()) return std::nullopt;
    return AttributeValue::of_list(std::move(kept));
  }
  return std::nullopt;
}

}  // namespace imgproc::localcloud::dynamodb
