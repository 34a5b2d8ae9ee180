#pragma once
// One page of Query or Scan: rows in, body out.

#include <optional>
#include <string>

#include "localcloud/dynamodb/capacity.h"
#include "localcloud/dynamodb/expression.h"
#include "localcloud/dynamodb/operation.h"
#include "localcloud/dynamodb/read.h"

namespace imgproc::localcloud::dynamodb {

/// DynamoDB reads no more than this for one page, filtered items included.
inline constexpr std::size_t kPageBytesMax = std::size_t{1} << 20;

/// What Query and Scan have in common.
struct Page {
  TablePtr table;
  /// Nullptr: the table itself.
  const Index* index = nullptr;
  bool consistent = false;
  bool count_only = false;
  /// The index lacks attributes that were asked for: read whole items (local indexes only).
  bool fetch_whole_items = false;
  std::optional<std::int64_t> limit;
  std::optional<Condition> filter;
  std::optional<Projection> projection;
  std::optional<AttributeMap> start_key;
  CapacityDetail capacity = CapacityDetail::none;

  [[nodiscard]] const KeySchema& keys() const {
    return index == nullptr ? table->keys : index->keys;
  }
};

/// Reads the common parameters. `expressions` are those of the operation, `legacy_filter` is
/// "QueryFilter" or "ScanFilter". FilterExpression and ProjectionExpression take their names and
/// values from `placeholders`, whose use the caller checks at the end.
[[nodiscard]] base::Result<Page> parse_page(Call& call, Placeholders& placeholders,
                                            std::string_view legacy_filter);

/// Checks ExclusiveStartKey: exactly the keys of table and index, of their types.
[[nodiscard]] base::Status check_start_key(const Page& page);

/// The place in the order of `page` that the start key stands for: (hash, range) of table or index,
/// and the item's own key.
struct Cursor {
  ItemKey entry;
  ItemKey item;
};
[[nodiscard]] Cursor cursor_of(const Page& page, const AttributeMap& key);

/// Walks `rows` (column 0 the item's text, column 1 its bytes) until the page is full, and answers
/// the body: Items, Count, ScannedCount, LastEvaluatedKey, ConsumedCapacity.
[[nodiscard]] base::Result<std::string> fill_page(const Page& page, Statement& rows);

}  // namespace imgproc::localcloud::dynamodb
