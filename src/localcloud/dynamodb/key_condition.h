#pragma once
// KeyConditionExpression and KeyConditions: which range of keys a Query reads.

#include <optional>
#include <string>

#include "localcloud/dynamodb/expression.h"

namespace imgproc::localcloud::dynamodb {

/// The range of a Query in the stored form of its keys: one partition, and low <= range key < high.
struct KeyRange {
  AttributeValue hash_value;
  std::string hash;
  std::string low;
  /// Nothing: no upper bound.
  std::optional<std::string> high;
  /// The condition on the range key, for checking start keys.
  std::optional<Condition> range_condition;
};

/// Reads the range from a condition on `keys`. `hash` is as stored_hash_key() makes it. Errors in
/// DynamoDB's words: other attributes, operators that are not indexable, wrong types.
[[nodiscard]] base::Result<KeyRange> key_range(const Condition& condition, const KeySchema& keys);

/// The next byte string in memcmp order.
[[nodiscard]] std::string just_after(std::string key);

}  // namespace imgproc::localcloud::dynamodb
