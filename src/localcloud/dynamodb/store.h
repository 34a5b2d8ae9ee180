#pragma once
// Tables and items in the database. Items lie under (table, hash key, range key) as JSON text; an
// index holds keys alone and points at them, so that an index can never disagree with its table.

#include <functional>
#include <map>
#include <shared_mutex>
#include <string>
#include <vector>

#include "localcloud/context.h"
#include "localcloud/dynamodb/key.h"
#include "localcloud/dynamodb/table.h"

namespace imgproc::localcloud::dynamodb {

/// How often (by the clock) a table with a time to live is searched for expired items while in use.
inline constexpr std::int64_t kSweepIntervalMs = 1000;
/// DynamoDB leaves items alone whose time is further back, as it takes it for a mistake.
inline constexpr std::int64_t kExpiredSecondsMax = std::int64_t{5} * 365 * 24 * 3600;

struct StoredItem {
  std::string json;
  /// By protocol::size_of().
  std::int64_t bytes = 0;
};

struct TableCounts {
  std::int64_t items = 0;
  std::int64_t bytes = 0;
};

/// Thread-safe as its comments say; owned by DynamoDbService.
class Store {
 public:
  explicit Store(Context& context) : context_(context) {}
  /// Creates the schema and reads the tables. Call once, before all else.
  [[nodiscard]] base::Status open();

  [[nodiscard]] Database& database() { return context_.database; }
  [[nodiscard]] base::Clock& clock() { return context_.clock; }
  /// Held shared while an operation works with a TablePtr, exclusively while tables change.
  [[nodiscard]] std::shared_mutex& mutex() { return mutex_; }

  /// Nullptr if there is no such table. Under mutex().
  [[nodiscard]] TablePtr find(std::string_view region, std::string_view name) const;
  /// Names of a region's tables, sorted. Under mutex().
  [[nodiscard]] std::vector<std::string> names(std::string_view region) const;
  /// Writes a new or changed table, with `also` in the same transaction, and puts it in the
  /// catalog; for a new one (id 0) sets the id. Under mutex(), exclusively.
  [[nodiscard]] base::Status save(
      Table table, const std::function<base::Status(Connection&, const Table&)>& also);
  /// Removes the table with all its items. Under mutex(), exclusively.
  [[nodiscard]] base::Status remove(const Table& table);

  /// Deletes what has expired, at most once per kSweepIntervalMs and table.
  [[nodiscard]] base::Status sweep(const Table& table);

 private:
  Context& context_;
  std::shared_mutex mutex_;
  std::map<std::string, TablePtr, std::less<>> tables_;
  std::mutex sweep_mutex_;
  std::map<std::int64_t, std::int64_t> next_sweep_ms_;
};

/// The item's stored text, or nothing.
[[nodiscard]] base::Result<std::optional<StoredItem>> read_item(Connection& connection,
                                                                const Table& table,
                                                                const ItemKey& key);
/// Text from the store back to an item. Error STORE_CORRUPT if it is none.
[[nodiscard]] base::Result<AttributeMap> parse_stored(std::string_view text);
/// Inserts or replaces. `old_item` is what stood there (nullptr: nothing, or a table without
/// indexes); the indexes follow in the same transaction.
[[nodiscard]] base::Status write_item(Connection& connection, const Table& table,
                                      const ItemKey& key, const AttributeMap* old_item,
                                      const AttributeMap& item);
[[nodiscard]] base::Status erase_item(Connection& connection, const Table& table,
                                      const ItemKey& key, const AttributeMap& old_item);

/// Makes the entries of a new index for all items of its table. Items whose index key attributes
/// have another type are left out, as DynamoDB does.
[[nodiscard]] base::Status fill_index(Connection& connection, const Table& table,
                                      const Index& index);
[[nodiscard]] base::Status clear_index(Connection& connection, const Table& table,
                                       const Index& index);
/// Computes every item's expiry anew, after the table's time to live changed.
[[nodiscard]] base::Status refresh_expiry(Connection& connection, const Table& table);

/// How long DynamoDB knows a transaction's ClientRequestToken.
inline constexpr std::int64_t kTokenLifetimeMs = 10 * 60 * 1000;
/// Notes the token of a transaction, inside it. True if the same request was carried out with it
/// already. Error IdempotentParameterMismatchException if it was another request.
[[nodiscard]] base::Result<bool> remember_token(Connection& connection, std::string_view region,
                                                std::string_view token,
                                                std::string_view fingerprint, std::int64_t now_ms);

[[nodiscard]] base::Result<TableCounts> count_items(Connection& connection, const Table& table);
[[nodiscard]] base::Result<TableCounts> count_index(Connection& connection, const Table& table,
                                                    const Index& index);

}  // namespace imgproc::localcloud::dynamodb
