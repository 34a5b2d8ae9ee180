#include <fmt/format.h>

#include <map>
#include <set>

#include "localcloud/dynamodb/batch.h"
#include "localcloud/dynamodb/capacity.h"
#include "localcloud/dynamodb/write.h"

namespace imgproc::localcloud::dynamodb {
namespace {

constexpr std::size_t kBatchWritesMax = 25;

base::Result<Write> parse_request(Call& call, std::string_view table, const json::value& value) {
  if (!value.is_object()) return not_serializable("Unexpected value type in payload");
  Input input(value.get_object());
  const auto* put = input.object("PutRequest");
  const auto* erase = input.object("DeleteRequest");
  IMGPROC_CHECK(input.status());
  if ((put == nullptr) == (erase == nullptr))
    return invalid(
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the "
        "supported datatypes");
  json::object request{{"TableName", table}};
  if (put != nullptr) {
    if (const auto* item = put->if_contains("Item")) request["Item"] = *item;
    return parse_put(call, request);
  }
  if (const auto* key = erase->if_contains("Key")) request["Key"] = *key;
  return parse_erase(call, request);
}

}  // namespace

base::Result<std::string> batch_write_item(Call& call) {
  IMGPROC_TRY(const auto* requested, batch_items(call.request));
  IMGPROC_TRY(CapacityDetail detail, capacity_detail(call.request));
  IMGPROC_TRY(bool metrics, wants_collection_metrics(call.request));
  std::vector<Write> writes;
  std::set<std::pair<std::int64_t, ItemKey>> seen;
  for (const auto& [name, list] : *requested) {
    if (!list.is_array()) return not_serializable("Unexpected field type");
    if (list.get_array().empty())
      return invalid(fmt::format(
          "1 validation error detected: Value '[]' at 'requestItems.{}.member' failed to satisfy "
          "constraint: Member must have length greater than or equal to 1",
          std::string_view(name.data(), name.size())));
    for (const auto& element : list.get_array()) {
      if (writes.size() == kBatchWritesMax)
        return invalid("Too many items requested for the BatchWriteItem call");
      IMGPROC_TRY(Write write, parse_request(call, {name.data(), name.size()}, element));
      write.needs_old_item = detail != CapacityDetail::none;
      if (!seen.emplace(write.table->id, write.key).second)
        return invalid("Provided list of item keys contains duplicates");
      writes.push_back(std::move(write));
    }
  }

  std::map<TablePtr, Capacity> capacities;
  IMGPROC_CHECK(call.store.database().write([&](Connection& connection) -> base::Status {
    std::optional<AttributeMap> failed_item;
    for (const auto& write : writes) {
      IMGPROC_TRY(Written written, apply(connection, write, failed_item));
      if (detail != CapacityDetail::none)
        capacities[write.table].add(capacity_of(*write.table, written));
    }
    return {};
  }));

  json::object body{{"UnprocessedItems", json::object()}};
  if (detail != CapacityDetail::none) {
    json::array consumed;
    for (const auto& [table, capacity] : capacities)
      consumed.push_back(to_json(*table, capacity, detail));
    body["ConsumedCapacity"] = std::move(consumed);
  }
  if (metrics) {
    auto collections = item_collection_metrics(writes);
    if (!collections.empty()) body["ItemCollectionMetrics"] = std::move(collections);
  }
  return json::serialize(body);
}

}  // namespace imgproc::localcloud::dynamodb
