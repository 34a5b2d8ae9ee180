#pragma once
// Items reduced to some paths: ProjectionExpression, AttributesToGet, UPDATED_OLD and UPDATED_NEW.

#include <map>

#include "localcloud/dynamodb/expression.h"

namespace imgproc::localcloud::dynamodb {

/// The paths as a tree, so that each item is walked once.
class Projection {
 public:
  explicit Projection(const std::vector<Path>& paths);
  /// What `item` has of the paths. Maps keep the members that were asked for; lists keep theirs in
  /// order, moved together. What does not exist is left out.
  [[nodiscard]] AttributeMap apply(const AttributeMap& item) const;

 private:
  struct Node {
    bool whole = false;
    std::map<std::string, Node, std::less<>> members;
    std::map<std::size_t, Node> elements;
  };
  static std::optional<AttributeValue> reduce(const Node& node, const AttributeValue& value);
  static AttributeMap reduce_members(const Node& node, const AttributeMap& map);
  Node root_;
};

}  // namespace imgproc::localcloud::dynamodb
