#pragma once
// Keys: checks in DynamoDB's words, and the bytes under which items are stored.

#include <string>

#include "base/error.h"
#include "localcloud/dynamodb/table.h"

namespace imgproc::localcloud::dynamodb {

inline constexpr std::size_t kHashKeyBytesMax = 2048;
inline constexpr std::size_t kRangeKeyBytesMax = 1024;
/// Bytes of the partition hash before each stored hash key: they give Scan its order.
inline constexpr std::size_t kHashPrefixBytes = 4;

/// The stored form of a key. `hash` is four bytes of a digest and then the value in memcmp order;
/// `range` is the value in memcmp order, empty where the schema has none.
struct ItemKey {
  std::string hash;
  std::string range;
  auto operator<=>(const ItemKey&) const = default;
};

/// The value's bytes in an order that memcmp keeps: text and bytes as they are, numbers by
/// Decimal::sort_key(). `value` is a string, number or binary.
[[nodiscard]] std::string sortable(const AttributeValue& value);
/// With the partition hash in front. Source of the digest: DynamoDB's scan order as observed by
/// dynalite (MD5 of "Outliers" and the key's bytes).
[[nodiscard]] std::string stored_hash_key(const AttributeValue& value);

/// The key of an item that is known to have all its key attributes with the right types.
[[nodiscard]] ItemKey key_of(const KeySchema& keys, const AttributeMap& item);

/// Checks a Key parameter: exactly the schema's attributes, of its types, not empty, not too long.
[[nodiscard]] base::Result<ItemKey> checked_key(const KeySchema& keys, const AttributeMap& key);
/// Checks a whole item before it is stored: its key, and the types of index keys if it has them.
[[nodiscard]] base::Result<ItemKey> checked_item_key(const Table& table, const AttributeMap& item);
/// The index part of checked_item_key(), for items that an update has changed.
[[nodiscard]] base::Status check_index_keys(const Table& table, const AttributeMap& item,
                                            bool by_update);

/// Only the key attributes of `item`.
[[nodiscard]] AttributeMap key_attributes(const std::vector<KeyAttribute>& keys,
                                          const AttributeMap& item);

}  // namespace imgproc::localcloud::dynamodb
