#include "localcloud/dynamodb/key.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "localcloud/dynamodb/errors.h"
#include "protocol/decimal.h"

namespace imgproc::localcloud::dynamodb {
namespace {

constexpr char kMismatch[] = "The provided key element does not match the schema";

bool is_empty_key(const AttributeValue& value) {
  return value.type != AttributeType::number && value.text.empty();
}

std::string_view empty_kind(const AttributeValue& value) {
  return value.type == AttributeType::binary ? "binary" : "string";
}

base::Status check_size(const AttributeValue& value, bool is_hash) {
  if (is_hash && value.text.size() > kHashKeyBytesMax)
    return invalid_parameter(fmt::format(
        "Size of hashkey has exceeded the maximum size limit of{} bytes", kHashKeyBytesMax));
  if (!is_hash && value.text.size() > kRangeKeyBytesMax)
    return invalid_parameter(
        fmt::format("Aggregated size of all range keys has exceeded the size limit of {} bytes",
                    kRangeKeyBytesMax));
  return {};
}

base::Status check_key_part(const KeyAttribute& key, const AttributeMap& item, bool is_hash) {
  auto found = item.find(key.name);
  if (found == item.end() || found->second.type != key.type) return invalid(kMismatch);
  if (is_empty_key(found->second))
    return invalid(
        fmt::format("One or more parameter values are not valid. The AttributeValue for a key "
                    "attribute cannot contain an empty {} value. Key: {}",
                    empty_kind(found->second), key.name));
  return check_size(found->second, is_hash);
}

base::Status check_item_part(const KeyAttribute& key, const AttributeMap& item, bool is_hash) {
  auto found = item.find(key.name);
  if (found == item.end())
    return invalid_parameter(fmt::format("Missing the key {} in the item", key.name));
  if (found->second.type != key.type)
    return invalid_parameter(fmt::format("Type mismatch for key {} expected: {} actual: {}",
                                         key.name, to_string(key.type),
                                         to_string(found->second.type)));
  return check_key_part(key, item, is_hash);
}

base::Status check_index_part(const Index& index, const KeyAttribute& key, const AttributeMap& item,
                              bool is_hash, bool by_update) {
  auto found = item.find(key.name);
  if (found == item.end()) return {};
  if (found->second.type != key.type)
    return invalid_parameter(
        fmt::format("Type mismatch for Index Key {} Expected: {} Actual: {} IndexName: {}",
                    key.name, to_string(key.type), to_string(found->second.type), index.name));
  if (is_empty_key(found->second))
    return invalid(
        fmt::format("One or more parameter values are not valid. {} The AttributeValue for a key "
                    "attribute cannot "
                    "contain an empty {} value. IndexName: {}, IndexKey: {}",
                    by_update ? "The update expression attempted to update a secondary index key "
                                "to a value that is not "
                                "supported."
                              : "A value specified for a secondary index key is not supported.",
                    empty_kind(found->second), index.name, key.name));
  return check_size(found->second, is_hash);
}

}  // namespace

std::string sortable(const AttributeValue& value) {
  if (value.type != AttributeType::number) return value.text;
  auto number = protocol::Decimal::parse(value.text);
  return number ? number->sort_key() : std::string();
}

std::string stored_hash_key(const AttributeValue& value) {
  std::string bytes = sortable(value);
  return base::hash(base::HashAlgorithm::md5, "Outliers" + bytes).substr(0, kHashPrefixBytes) +
         bytes;
}

ItemKey key_of(const KeySchema& keys, const AttributeMap& item) {
  ItemKey key{.hash = stored_hash_key(item.find(keys.hash.name)->second), .range = {}};
  if (keys.range) key.range = sortable(item.find(keys.range->name)->second);
  return key;
}

base::Result<ItemKey> checked_key(const KeySchema& keys, const AttributeMap& key) {
  if (key.size() != (keys.range ? 2U : 1U)) return invalid(kMismatch);
  IMGPROC_CHECK(check_key_part(keys.hash, key, true));
  if (keys.range) IMGPROC_CHECK(check_key_part(*keys.range, key, false));
  return key_of(keys, key);
}

base::Result<ItemKey> checked_item_key(const Table& table, const AttributeMap& item) {
  IMGPROC_CHECK(check_item_part(table.keys.hash, item, true));
  if (table.keys.range) IMGPROC_CHECK(check_item_part(*table.keys.range, item, false));
  IMGPROC_CHECK(check_index_keys(table, item, false));
  return key_of(table.keys, item);
}

base::Status check_index_keys(const Table& table, const AttributeMap& item, bool by_update) {
  for (const auto& index : table.indexes) {
    IMGPROC_CHECK(check_index_part(index, index.keys.hash, item, true, by_update));
    if (index.keys.range)
      IMGPROC_CHECK(check_index_part(index, *index.keys.range, item, false, by_update));
  }
  return {};
}

AttributeMap key_attributes(const std::vector<KeyAttribute>& keys, const AttributeMap& item) {
  AttributeMap key;
  for (const auto& attribute : keys)
    if (auto found = item.find(attribute.name); found != item.end()) key.emplace(*found);
  return key;
}

}  // namespace imgproc::localcloud::dynamodb
