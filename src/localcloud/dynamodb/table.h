#pragma once
// A table's definition: the description that clients get, and what operations need of it.

#include <atomic>
#include <boost/json.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/attribute_value.h"

namespace imgproc::localcloud::dynamodb {

namespace json = boost::json;
using protocol::AttributeMap;
using protocol::AttributeType;
using protocol::AttributeValue;

struct KeyAttribute {
  std::string name;
  AttributeType type = AttributeType::string;
};

struct KeySchema {
  KeyAttribute hash;
  std::optional<KeyAttribute> range;
};

struct Index {
  /// Tells the index's entries apart in the store; never used twice within a table.
  std::int64_t number = 0;
  std::string name;
  bool global = true;
  KeySchema keys;
  bool projects_all = true;
  /// Names of all attributes in the index unless it projects all: keys of index and table, and
  /// those that were asked for.
  std::vector<std::string> attributes;
};

/// Immutable once it is in the catalog; a change makes a new Table.
struct Table {
  std::int64_t id = 0;
  std::string region;
  std::string name;
  /// As DescribeTable answers, but without the counts.
  json::object description;
  /// IndexNumbers {name: number}, NextIndexNumber, Tags {key: value}, TimeToLiveAttribute,
  /// RecoveryPeriodInDays (present while point-in-time recovery is on).
  json::object settings;

  // Made from the two documents by compile().
  std::string arn;
  KeySchema keys;
  std::vector<Index> indexes;
  std::optional<std::string> ttl_attribute;
  bool has_local_indexes = false;

  [[nodiscard]] const Index* find_index(std::string_view index_name) const;
  void compile();
};

using TablePtr = std::shared_ptr<const Table>;

/// The ARN of a table in the local account.
[[nodiscard]] std::string table_arn(std::string_view region, std::string_view table);
/// `item` reduced to what `index` holds of it.
[[nodiscard]] AttributeMap project_to_index(const Index& index, const AttributeMap& item);
/// True if `item` has all key attributes of `index`, and so an entry in it.
[[nodiscard]] bool is_in_index(const Index& index, const AttributeMap& item);
/// The attributes that page on in a table or index: keys of the table, and of the index.
[[nodiscard]] std::vector<KeyAttribute> cursor_attributes(const Table& table, const Index* index);

}  // namespace imgproc::localcloud::dynamodb
