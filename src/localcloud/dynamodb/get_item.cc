#include "localcloud/dynamodb/capacity.h"
#include "localcloud/dynamodb/read.h"
#include "localcloud/dynamodb/write.h"

namespace imgproc::localcloud::dynamodb {

base::Result<std::string> get_item(Call& call) {
  Input input(call.request);
  bool consistent = input.boolean("ConsistentRead").value_or(false);
  IMGPROC_CHECK(input.status());
  IMGPROC_TRY(CapacityDetail detail, capacity_detail(call.request));
  IMGPROC_TRY(TablePtr table, table_for_items(call));
  IMGPROC_TRY(AttributeMap key_item, item_parameter(call.request, "Key"));
  IMGPROC_TRY(auto projection, parse_item_projection(call.request, *table));
  IMGPROC_TRY(ItemKey key, checked_key(table->keys, key_item));

  std::optional<StoredItem> stored;
  IMGPROC_CHECK(call.store.database().read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(stored, read_item(connection, *table, key));
    return {};
  }));

  std::string body = "{";
  if (stored) {
    body += "\"Item\":";
    IMGPROC_CHECK(append_item(body, stored->json, projection));
  }
  if (detail != CapacityDetail::none) {
    Capacity capacity;
    capacity.table = read_units(stored ? static_cast<std::size_t>(stored->bytes) : 0, consistent);
    body += stored ? ",\"ConsumedCapacity\":" : "\"ConsumedCapacity\":";
    body += json::serialize(to_json(*table, capacity, detail));
  }
  return body + "}";
}

}  // namespace imgproc::localcloud::dynamodb
