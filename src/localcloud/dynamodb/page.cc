#include "localcloud/dynamodb/page.h"

#include <fmt/format.h>

#include "localcloud/dynamodb/condition_eval.h"
#include "localcloud/dynamodb/expression_parser.h"
#include "localcloud/dynamodb/legacy.h"

namespace imgproc::localcloud::dynamodb {
namespace {

/// Select, and what it asks of projection and index.
base::Status apply_select(const json::object& request, Page& page) {
  Input input(request);
  auto select = input.choice(
      "Select", {"SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"});
  IMGPROC_CHECK(input.status());
  page.count_only = select == "COUNT";
  if (select == "ALL_PROJECTED_ATTRIBUTES" && page.index == nullptr)
    return invalid_parameter(
        "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName");
  if (select && *select != "SPECIFIC_ATTRIBUTES" && page.projection)
    return invalid(
        fmt::format("Cannot specify the {} when choosing to get {}",
                    input.has("AttributesToGet") ? "AttributesToGet" : "ProjectionExpression",
                    *select == "COUNT"            ? "only the Count"
                    : *select == "ALL_ATTRIBUTES" ? "ALL_ATTRIBUTES"
                                                  : "ALL_PROJECTED_ATTRIBUTES"));
  if (select == "SPECIFIC_ATTRIBUTES" && !page.projection)
    return invalid_parameter(
        "Must specify the AttributesToGet or ProjectionExpression when choosing to get "
        "SPECIFIC_ATTRIBUTES");
  if (select == "ALL_ATTRIBUTES" && page.index != nullptr && !page.index->projects_all) {
    if (page.index->global)
      return invalid_parameter(fmt::format(
          "Select type ALL_ATTRIBUTES is not supported for global secondary index {} because its "
          "projection type is not ALL",
          page.index->name));
    page.fetch_whole_items = true;
  }
  // A local index fetches what its projection lacks.
  if (page.index != nullptr && !page.index->global && page.projection)
    page.fetch_whole_items = true;
  return {};
}

base::Result<const Index*> find_page_index(const json::object& request, const Table& table,
                                           bool consistent) {
  Input input(request);
  auto name = input.resource_name("IndexName");
  IMGPROC_CHECK(input.status());
  if (!name) return nullptr;
  const Index* index = table.find_index(*name);
  if (index == nullptr)
    return invalid(fmt::format("The table does not have the specified index: {}", *name));
  if (index->global && consistent)
    return invalid("Consistent reads are not supported on global secondary indexes");
  return index;
}

}  // namespace

base::Result<Page> parse_page(Call& call, Placeholders& placeholders,
                              std::string_view legacy_filter) {
  const json::object& request = call.request;
  Page page;
  Input input(request);
  page.consistent = input.boolean("ConsistentRead").value_or(false);
  page.limit = input.integer("Limit", 1);
  auto filter = input.text("FilterExpression");
  IMGPROC_CHECK(input.status());
  IMGPROC_TRY(page.capacity, capacity_detail(request));
  IMGPROC_TRY(page.table, table_for_items(call));
  IMGPROC_TRY(page.index, find_page_index(request, *page.table, page.consistent));
  if (input.has("ExclusiveStartKey")) {
    IMGPROC_TRY(page.start_key, item_parameter(request, "ExclusiveStartKey"));
  }
  if (filter) {
    IMGPROC_TRY(page.filter, parse_condition("FilterExpression", *filter, placeholders));
    IMGPROC_CHECK(check_key_paths(*page.table, *page.filter));
  } else {
    IMGPROC_TRY(page.filter, parse_filter(request, legacy_filter));
  }
  IMGPROC_TRY(page.projection, parse_projection_parameter(request, *page.table, placeholders));
  IMGPROC_CHECK(apply_select(request, page));
  return page;
}

base::Status check_start_key(const Page& page) {
  if (!page.start_key) return {};
  const AttributeMap& key = *page.start_key;
  auto attributes = cursor_attributes(*page.table, page.index);
  if (key.size() != attributes.size())
    return invalid(page.index != nullptr ? "The provided starting key is invalid"
                                         : "The provided starting key is invalid: The provided key "
                                           "element does not match the schema");
  AttributeMap table_key;
  for (const auto& attribute : attributes) {
    auto found = key.find(attribute.name);
    if (found == key.end() || found->second.type != attribute.type)
      return invalid(
          "The provided starting key is invalid: The provided key element does not match the "
          "schema");
    bool of_table = attribute.name == page.table->keys.hash.name ||
                    (page.table->keys.range && attribute.name == page.table->keys.range->name);
    if (of_table) table_key.emplace(*found);
  }
  auto checked = checked_key(page.table->keys, table_key);
  if (!checked) return invalid("The provided starting key is invalid: " + checked.error().message);
  if (page.index != nullptr) {
    AttributeMap index_key;
    for (const KeyAttribute* attribute :
         {&page.index->keys.hash, page.index->keys.range ? &*page.index->keys.range : nullptr})
      if (attribute != nullptr) index_key.emplace(*key.find(attribute->name));
    checked = checked_key(page.index->keys, index_key);
    if (!checked)
      return invalid("The provided starting key is invalid: " + checked.error().message);
  }
  return {};
}

Cursor cursor_of(const Page& page, const AttributeMap& key) {
  return {.entry = key_of(page.keys(), key), .item = key_of(page.table->keys, key)};
}

base::Result<std::string> fill_page(const Page& page, Statement& rows) {
  std::string items;
  std::string last_row;
  std::int64_t scanned = 0;
  std::int64_t count = 0;
  std::size_t page_bytes = 0;
  std::size_t fetched_bytes = 0;
  bool stopped = false;
  bool reduces = page.index != nullptr && !page.index->projects_all;
  for (;;) {
    IMGPROC_TRY(bool more, rows.step());
    if (!more) break;
    std::string_view text = rows.column_text(0);
    auto bytes = static_cast<std::size_t>(rows.column_int(1));
    ++scanned;
    std::optional<AttributeMap> item;
    if (page.filter || page.projection || reduces) {
      IMGPROC_TRY(item, parse_stored(text));
    }
    if (reduces) {
      AttributeMap projected = project_to_index(*page.index, *item);
      if (page.fetch_whole_items) fetched_bytes += bytes;
      bytes = protocol::size_of(projected);
      if (!page.fetch_whole_items) item = std::move(projected);
    }
    page_bytes += bytes;
    if (!page.filter || evaluate(*page.filter, *item)) {
      ++count;
      if (!page.count_only) {
        if (!items.empty()) items += ',';
        if (page.projection) {
          protocol::append_json(items, page.projection->apply(*item));
        } else if (reduces && !page.fetch_whole_items) {
          protocol::append_json(items, *item);
        } else {
          items += text;
        }
      }
    }
    if (scanned == page.limit || page_bytes >= kPageBytesMax) {
      last_row = text;
      stopped = true;
      break;
    }
  }
  std::string body = "{";
  if (!page.count_only) body += "\"Items\":[" + items + "],";
  body += fmt::format("\"Count\":{},\"ScannedCount\":{}", count, scanned);
  if (stopped) {
    IMGPROC_TRY(AttributeMap last, parse_stored(last_row));
    body += ",\"LastEvaluatedKey\":";
    protocol::append_json(body, key_attributes(cursor_attributes(*page.table, page.index), last));
  }
  if (page.capacity != CapacityDetail::none) {
    Capacity capacity;
    double units = read_units(page_bytes, page.consistent);
    if (page.index == nullptr) {
      capacity.table = units;
    } else {
      (page.index->global ? capacity.global_indexes : capacity.local_indexes)[page.index->name] =
          units;
      if (fetched_bytes > 0) capacity.table = read_units(fetched_bytes, page.consistent);
    }
    body +=
        ",\"ConsumedCapacity\":" + json::serialize(to_json(*page.table, capacity, page.capacity));
  }
  return body + "}";
}

}  // namespace imgproc::localcloud::dynamodb
