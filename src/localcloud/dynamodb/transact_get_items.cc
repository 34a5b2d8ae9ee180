#include "localcloud/dynamodb/read.h"
#include "localcloud/dynamodb/transact.h"

namespace imgproc::localcloud::dynamodb {
namespace {

struct ItemRead {
  TablePtr table;
  ItemKey key;
  std::optional<Projection> projection;
};

base::Result<ItemRead> parse_get(Call& call, const json::object& action) {
  Input input(action);
  const auto* get = input.object("Get");
  input.require("Get");
  IMGPROC_CHECK(input.status());
  ItemRead read;
  IMGPROC_TRY(read.table, table_for_items(call, *get));
  IMGPROC_TRY(AttributeMap key, item_parameter(*get, "Key"));
  IMGPROC_TRY(read.projection, parse_item_projection(*get, *read.table));
  IMGPROC_TRY(read.key, checked_key(read.table->keys, key));
  return read;
}

}  // namespace

base::Result<std::string> transact_get_items(Call& call) {
  IMGPROC_TRY(auto actions, transact_items(call.request));
  IMGPROC_TRY(CapacityDetail detail, capacity_detail(call.request));
  std::vector<ItemRead> reads;
  for (const json::object* action : actions) {
    IMGPROC_TRY(ItemRead read, parse_get(call, *action));
    reads.push_back(std::move(read));
  }
  std::string responses;
  std::map<TablePtr, Capacity> capacities;
  std::size_t bytes = 0;
  // One snapshot: all items as they were at one moment.
  IMGPROC_CHECK(call.store.database().read([&](Connection& connection) -> base::Status {
    for (const auto& read : reads) {
      IMGPROC_TRY(auto stored, read_item(connection, *read.table, read.key));
      auto size = stored ? static_cast<std::size_t>(stored->bytes) : 0;
      bytes += size;
      if (bytes > kTransactBytesMax)
        return invalid("Aggregate size of the items in the transaction cannot exceed 4 MB");
      capacities[read.table].table += read_units(size, true);
      if (!responses.empty()) responses += ',';
      responses += '{';
      if (stored) {
        responses += "\"Item\":";
        IMGPROC_CHECK(append_item(responses, stored->json, read.projection));
      }
      responses += '}';
    }
    return {};
  }));
  std::string body = "{\"Responses\":[" + responses + "]";
  if (detail != CapacityDetail::none)
    body +=
        ",\"ConsumedCapacity\":" + json::serialize(transaction_capacity(capacities, detail, true));
  return body + "}";
}

}  // namespace imgproc::localcloud::dynamodb
