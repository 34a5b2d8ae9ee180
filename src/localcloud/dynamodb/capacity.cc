#include "localcloud/dynamodb/capacity.h"

#include <algorithm>

#include "localcloud/dynamodb/write.h"

namespace imgproc::localcloud::dynamodb {
namespace {

constexpr std::size_t kReadUnitBytes = 4096;
constexpr std::size_t kWriteUnitBytes = 1024;

double units(std::size_t bytes, std::size_t unit) {
  return static_cast<double>(std::max<std::size_t>(1, (bytes + unit - 1) / unit));
}

json::object units_member(double value, std::optional<bool> transaction_read) {
  json::object member;
  if (transaction_read)
    member[*transaction_read ? "ReadCapacityUnits" : "WriteCapacityUnits"] = value;
  member["CapacityUnits"] = value;
  return member;
}

}  // namespace

base::Result<CapacityDetail> capacity_detail(const json::object& request) {
  Input input(request);
  auto chosen = input.choice("ReturnConsumedCapacity", {"INDEXES", "TOTAL", "NONE"});
  IMGPROC_CHECK(input.status());
  if (chosen == "INDEXES") return CapacityDetail::indexes;
  return chosen == "TOTAL" ? CapacityDetail::total : CapacityDetail::none;
}

double read_units(std::size_t bytes, bool consistent) {
  return units(bytes, kReadUnitBytes) * (consistent ? 1 : 0.5);
}

double write_units(std::size_t bytes) {
  return units(bytes, kWriteUnitBytes);
}

double Capacity::total() const {
  double sum = table;
  for (const auto* indexes : {&global_indexes, &local_indexes})
    for (const auto& [name, value] : *indexes) sum += value;
  return sum;
}

void Capacity::add(const Capacity& other) {
  table += other.table;
  for (const auto& [name, value] : other.global_indexes) global_indexes[name] += value;
  for (const auto& [name, value] : other.local_indexes) local_indexes[name] += value;
}

void Capacity::scale(double factor) {
  table *= factor;
  for (auto* indexes : {&global_indexes, &local_indexes})
    for (auto& [name, value] : *indexes) value *= factor;
}

Capacity capacity_of(const Table& table, const Written& written) {
  Capacity capacity;
  capacity.table = write_units(std::max(written.old_bytes, written.new_bytes));
  for (const auto& index : table.indexes) {
    const AttributeMap* old_item = written.old_item ? &*written.old_item : nullptr;
    const AttributeMap* new_item = written.new_item ? &*written.new_item : nullptr;
    bool was = old_item != nullptr && is_in_index(index, *old_item);
    bool is = new_item != nullptr && is_in_index(index, *new_item);
    if (!was && !is) continue;
    AttributeMap before = was ? project_to_index(index, *old_item) : AttributeMap{};
    AttributeMap after = is ? project_to_index(index, *new_item) : AttributeMap{};
    if (was && is && before == after) continue;
    double value = 0;
    if (was && is && key_of(index.keys, *old_item) == key_of(index.keys, *new_item)) {
      value = write_units(std::max(protocol::size_of(before), protocol::size_of(after)));
    } else {
      // A moved entry is deleted in one place and put in another.
      if (was) value += write_units(protocol::size_of(before));
      if (is) value += write_units(protocol::size_of(after));
    }
    (index.global ? capacity.global_indexes : capacity.local_indexes)[index.name] = value;
  }
  return capacity;
}

json::object to_json(const Table& table, const Capacity& capacity, CapacityDetail detail,
                     std::optional<bool> transaction_read) {
  json::object result{{"TableName", table.name}};
  for (const auto& [name, value] : units_member(capacity.total(), transaction_read))
    result[name] = value;
  if (detail != CapacityDetail::indexes) return result;
  result["Table"] = units_member(capacity.table, transaction_read);
  auto add_indexes = [&](const char* member, const std::map<std::string, double>& indexes) {
    if (indexes.empty()) return;
    json::object list;
    for (const auto& [name, value] : indexes) list[name] = units_member(value, transaction_read);
    result[member] = std::move(list);
  };
  add_indexes("GlobalSecondaryIndexes", capacity.global_indexes);
  add_indexes("LocalSecondaryIndexes", capacity.local_indexes);
  return result;
}

json::object item_collection_metrics(const Table& table, const AttributeMap& item) {
  AttributeMap key;
  if (auto found = item.find(table.keys.hash.name); found != item.end()) key.emplace(*found);
  return {{"ItemCollectionKey", to_json_value(key)},
          {"SizeEstimateRangeGB", json::array{0.0, 1.0}}};
}

json::object item_collection_metrics(std::span<const Write> writes) {
  json::object collections;
  for (const auto& write : writes) {
    if (!write.table->has_local_indexes) continue;
    auto& list = collections[write.table->name];
    if (!list.is_array()) list = json::array();
    list.as_array().push_back(item_collection_metrics(*write.table, write.item));
  }
  return collections;
}

base::Result<bool> wants_collection_metrics(const json::object& request) {
  Input input(request);
  auto chosen = input.choice("ReturnItemCollectionMetrics", {"SIZE", "NONE"});
  IMGPROC_CHECK(input.status());
  return chosen == "SIZE";
}

json::value to_json_value(const AttributeMap& item) {
  return json::parse(protocol::to_json(item));
}

}  // namespace imgproc::localcloud::dynamodb
