#include <fmt/format.h>

#include <algorithm>

#include "localcloud/dynamodb/condition_eval.h"
#include "localcloud/dynamodb/expression_parser.h"
#include "localcloud/dynamodb/key_condition.h"
#include "localcloud/dynamodb/legacy.h"
#include "localcloud/dynamodb/page.h"

namespace imgproc::localcloud::dynamodb {
namespace {

base::Result<KeyRange> parse_range(const json::object& request, const KeySchema& keys,
                                   Placeholders& placeholders) {
  Input input(request);
  auto text = input.text("KeyConditionExpression");
  IMGPROC_CHECK(input.status());
  if (text) {
    IMGPROC_TRY(Condition condition,
                parse_condition("KeyConditionExpression", *text, placeholders));
    return key_range(condition, keys);
  }
  IMGPROC_TRY(auto conditions, parse_key_conditions(request));
  if (!conditions)
    return invalid(
        "Either the KeyConditions or KeyConditionExpression parameter must be specified in the "
        "request.");
  return key_range(*conditions, keys);
}

/// The start key must lie in the range that is read.
base::Status check_start_in_range(const Page& page, const KeyRange& range) {
  if (!page.start_key) return {};
  const KeySchema& keys = page.keys();
  bool same_partition = page.start_key->find(keys.hash.name)->second == range.hash_value;
  if (range.range_condition && !evaluate(*range.range_condition, *page.start_key))
    return invalid("The provided starting key does not match the range key predicate");
  if (!same_partition)
    return invalid(
        range.range_condition
            ? "The query can return at most one row and cannot be restarted"
            : "The provided starting key is outside query boundaries based on provided conditions");
  return {};
}

/// Rows of the table: one partition, ordered by range key.
base::Result<Statement> table_rows(Connection& connection, const Page& page, KeyRange range,
                                   bool forward) {
  if (page.start_key) {
    std::string start = cursor_of(page, *page.start_key).entry.range;
    if (forward) {
      range.low = std::max(range.low, just_after(start));
    } else if (!range.high || start < *range.high) {
      range.high = start;
    }
  }
  IMGPROC_TRY(Statement rows,
              connection.prepare(
                  fmt::format("SELECT item, bytes FROM dynamodb_items WHERE table_id = ?1 AND "
                              "hash_key = ?2 AND range_key >= ?3{} "
                              "ORDER BY range_key{}",
                              range.high ? " AND range_key < ?4" : "", forward ? "" : " DESC")));
  rows.bind(1, page.table->id).bind_blob(2, range.hash).bind_blob(3, range.low);
  if (range.high) rows.bind_blob(4, *range.high);
  return rows;
}

/// Rows of an index: equal range keys are ordered by the items' own keys.
base::Result<Statement> index_rows(Connection& connection, const Page& page, const KeyRange& range,
                                   bool forward) {
  std::string sql =
      "SELECT i.item, i.bytes FROM dynamodb_index_entries e CROSS JOIN dynamodb_items i ON "
      "i.table_id = e.table_id AND "
      "i.hash_key = e.item_hash AND i.range_key = e.item_range WHERE e.table_id = ?1 AND "
      "e.index_number = ?2 AND "
      "e.hash_key = ?3 AND e.range_key >= ?4";
  if (range.high) sql += " AND e.range_key < ?5";
  if (page.start_key)
    sql += fmt::format(" AND (e.range_key, e.item_hash, e.item_range) {} (?6, ?7, ?8)",
                       forward ? ">" : "<");
  sql += forward ? " ORDER BY e.range_key, e.item_hash, e.item_range"
                 : " ORDER BY e.range_key DESC, e.item_hash DESC, e.item_range DESC";
  IMGPROC_TRY(Statement rows, connection.prepare(sql));
  rows.bind(1, page.table->id)
      .bind(2, page.index->number)
      .bind_blob(3, range.hash)
      .bind_blob(4, range.low);
  if (range.high) rows.bind_blob(5, *range.high);
  if (page.start_key) {
    Cursor start = cursor_of(page, *page.start_key);
    rows.bind_blob(6, start.entry.range)
        .bind_blob(7, start.item.hash)
        .bind_blob(8, start.item.range);
  }
  return rows;
}

}  // namespace

base::Result<std::string> query(Call& call) {
  const json::object& request = call.request;
  IMGPROC_CHECK(refuse_mixed_parameters(
      request, {"ProjectionExpression", "FilterExpression", "KeyConditionExpression"},
      {"FilterExpression", "KeyConditionExpression"},
      {"AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions"}));
  Input input(request);
  bool forward = input.boolean("ScanIndexForward").value_or(true);
  IMGPROC_CHECK(input.status());
  IMGPROC_TRY(Placeholders placeholders, Placeholders::read(request));
  IMGPROC_TRY(Page page, parse_page(call, placeholders, "QueryFilter"));
  IMGPROC_TRY(KeyRange range, parse_range(request, page.keys(), placeholders));
  IMGPROC_CHECK(placeholders.check_all_used());
  if (page.filter) {
    std::vector<KeyAttribute> keys{page.keys().hash};
    if (page.keys().range) keys.push_back(*page.keys().range);
    if (auto named = first_named(*page.filter, keys))
      return invalid(
          fmt::format("{} can only contain non-primary key attributes: Primary key attribute: {}",
                      input.has("QueryFilter") ? "QueryFilter" : "Filter Expression", *named));
  }
  IMGPROC_CHECK(check_start_key(page));
  IMGPROC_CHECK(check_start_in_range(page, range));

  std::string body;
  IMGPROC_CHECK(call.store.database().read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(Statement rows, page.index == nullptr
                                    ? table_rows(connection, page, range, forward)
                                    : index_rows(connection, page, range, forward));
    IMGPROC_TRY(body, fill_page(page, rows));
    return {};
  }));
  return body;
}

}  // namespace imgproc::localcloud::dynamodb
