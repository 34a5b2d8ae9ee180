#pragma once
// One change of one item: what PutItem, UpdateItem, DeleteItem, BatchWriteItem and
// TransactWriteItems have in common.

#include <optional>

#include "localcloud/dynamodb/expression.h"
#include "localcloud/dynamodb/operation.h"

namespace imgproc::localcloud::dynamodb {

inline constexpr std::size_t kItemBytesMax = 400 * 1024;

enum class ReturnValues { none, all_old, updated_old, all_new, updated_new };

struct Write {
  enum class Kind { put, update, erase, check };
  Kind kind = Kind::put;
  TablePtr table;
  ItemKey key;
  /// put: the whole item; else the key attributes.
  AttributeMap item;
  std::vector<UpdateAction> actions;
  std::optional<Condition> condition;
  ReturnValues return_values = ReturnValues::none;
  bool return_item_on_failure = false;
  /// The item as it was is needed by the caller (returned values, capacity, metrics).
  bool needs_old_item = false;
};

struct Written {
  /// As it was, if it existed and anybody needed it.
  std::optional<AttributeMap> old_item;
  /// As it is now; nothing after erase and check.
  std::optional<AttributeMap> new_item;
  std::size_t old_bytes = 0;
  std::size_t new_bytes = 0;
};

/// Reads Item, Key, expressions and legacy conditions. `request` is that of PutItem, or Put in
/// TransactWriteItems, and so on. Errors: ValidationException, ResourceNotFoundException.
[[nodiscard]] base::Result<Write> parse_put(Call& call, const json::object& request);
[[nodiscard]] base::Result<Write> parse_update(Call& call, const json::object& request);
[[nodiscard]] base::Result<Write> parse_erase(Call& call, const json::object& request);
/// ConditionCheck of TransactWriteItems.
[[nodiscard]] base::Result<Write> parse_check(Call& call, const json::object& request);

/// Inside Database::write: reads, tests the condition, writes item and indexes. If the condition
/// fails: ConditionalCheckFailedException, and in `failed_item` the item that failed it, if the
/// write asked for it.
[[nodiscard]] base::Result<Written> apply(Connection& connection, const Write& write,
                                          std::optional<AttributeMap>& failed_item);

/// What is the same in the writes of one item: table, ReturnValues, ReturnConsumedCapacity, …
[[nodiscard]] base::Result<Write> parse_write_options(Call& call, const json::object& request,
                                                      Write::Kind kind);
/// ConditionExpression, or Expected and ConditionalOperator, into `write.condition`.
[[nodiscard]] base::Status parse_write_condition(const json::object& request,
                                                 Placeholders& placeholders, Write& write);

/// Runs one write in a transaction of its own and answers the body: Attributes, ConsumedCapacity,
/// ItemCollectionMetrics.
[[nodiscard]] base::Result<std::string> run_single_write(Call& call, const Write& write);

}  // namespace imgproc::localcloud::dynamodb
