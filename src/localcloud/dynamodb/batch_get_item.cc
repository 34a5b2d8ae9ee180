#include <fmt/format.h>

#include <set>

#include "localcloud/dynamodb/batch.h"
#include "localcloud/dynamodb/capacity.h"
#include "localcloud/dynamodb/read.h"

namespace imgproc::localcloud::dynamodb {
namespace {

constexpr std::size_t kBatchKeysMax = 100;
/// What does not fit any more comes back in UnprocessedKeys.
constexpr std::size_t kBatchBytesMax = std::size_t{16} * 1024 * 1024;

struct TableRead {
  TablePtr table;
  std::string requested_name;
  const json::object* request = nullptr;
  bool consistent = false;
  std::optional<Projection> projection;
  std::vector<ItemKey> keys;
  Capacity capacity;
};

base::Result<TableRead> parse_table(Call& call, std::string_view name, const json::value& value) {
  if (!value.is_object()) return not_serializable("Unexpected value type in payload");
  TableRead read{.requested_name = std::string(name), .request = &value.get_object()};
  Input input(*read.request, fmt::format("requestItems.{}.member", name));
  const auto* keys = input.array("Keys");
  read.consistent = input.boolean("ConsistentRead").value_or(false);
  input.require("Keys");
  if (keys != nullptr && (keys->empty() || keys->size() > kBatchKeysMax))
    input.violation("Keys", fmt::format("'[{} keys]'", keys->size()),
                    keys->empty() ? "Member must have length greater than or equal to 1"
                                  : "Member must have length less than or equal to 100");
  IMGPROC_CHECK(input.status());
  IMGPROC_TRY(read.table, table_for_items(call, json::object{{"TableName", name}}));
  IMGPROC_TRY(read.projection, parse_item_projection(*read.request, *read.table));
  std::set<ItemKey> seen;
  for (const auto& element : *keys) {
    if (!element.is_object()) return not_serializable("Unexpected value type in payload");
    IMGPROC_TRY(AttributeMap key, protocol::parse_attribute_map(element.get_object()));
    IMGPROC_TRY(ItemKey item_key, checked_key(read.table->keys, key));
    if (!seen.insert(item_key).second)
      return invalid("Provided list of item keys contains duplicates");
    read.keys.push_back(std::move(item_key));
  }
  return read;
}

}  // namespace

base::Result<std::string> batch_get_item(Call& call) {
  IMGPROC_TRY(const auto* requested, batch_items(call.request));
  IMGPROC_TRY(CapacityDetail detail, capacity_detail(call.request));
  std::vector<TableRead> reads;
  std::size_t keys = 0;
  for (const auto& [name, value] : *requested) {
    IMGPROC_TRY(TableRead read, parse_table(call, {name.data(), name.size()}, value));
    keys += read.keys.size();
    if (keys > kBatchKeysMax) return invalid("Too many items requested for the BatchGetItem call");
    reads.push_back(std::move(read));
  }

  std::string responses;
  json::object unprocessed;
  std::size_t bytes = 0;
  IMGPROC_CHECK(call.store.database().read([&](Connection& connection) -> base::Status {
    for (auto& read : reads) {
      std::string items;
      json::array left_over;
      for (std::size_t i = 0; i < read.keys.size(); ++i) {
        IMGPROC_TRY(auto stored, read_item(connection, *read.table, read.keys[i]));
        auto size = stored ? static_cast<std::size_t>(stored->bytes) : 0;
        if (bytes + size > kBatchBytesMax) {
          left_over.push_back(read.request->at("Keys").as_array()[i]);
          continue;
        }
        bytes += size;
        read.capacity.table += read_units(size, read.consistent);
        if (!stored) continue;
        if (!items.empty()) items += ',';
        IMGPROC_CHECK(append_item(items, stored->json, read.projection));
      }
      if (!left_over.empty()) {
        json::object rest = *read.request;
        rest["Keys"] = std::move(left_over);
        unprocessed[read.requested_name] = std::move(rest);
      }
      if (!responses.empty()) responses += ',';
      protocol::append_json_string(responses, read.requested_name);
      responses += ":[" + items + "]";
    }
    return {};
  }));

  std::string body =
      "{\"Responses\":{" + responses + "},\"UnprocessedKeys\":" + json::serialize(unprocessed);
  if (detail != CapacityDetail::none) {
    json::array consumed;
    for (const auto& read : reads) consumed.push_back(to_json(*read.table, read.capacity, detail));
    body += ",\"ConsumedCapacity\":" + json::serialize(consumed);
  }
  return body + "}";
}

}  // namespace imgproc::localcloud::dynamodb
