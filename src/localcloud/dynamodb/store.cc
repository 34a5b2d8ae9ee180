#include "localcloud/dynamodb/store.h"

#include "base/json.h"
#include "protocol/decimal.h"

namespace imgproc::localcloud::dynamodb {
namespace {

constexpr char kSchema[] = R"sql(
CREATE TABLE IF NOT EXISTS dynamodb_tables(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  region TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  settings TEXT NOT NULL,
  UNIQUE(region, name));
CREATE TABLE IF NOT EXISTS dynamodb_items(
  table_id INTEGER NOT NULL,
  hash_key BLOB NOT NULL,
  range_key BLOB NOT NULL,
  bytes INTEGER NOT NULL,
  expires_at INTEGER,
  item TEXT NOT NULL,
  PRIMARY KEY(table_id, hash_key, range_key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS dynamodb_items_expiry ON dynamodb_items(table_id, expires_at)
  WHERE expires_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS dynamodb_index_entries(
  table_id INTEGER NOT NULL,
  index_number INTEGER NOT NULL,
  hash_key BLOB NOT NULL,
  range_key BLOB NOT NULL,
  item_hash BLOB NOT NULL,
  item_range BLOB NOT NULL,
  PRIMARY KEY(table_id, index_number, hash_key, range_key, item_hash, item_range)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dynamodb_transaction_tokens(
  region TEXT NOT NULL,
  token TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  expires_ms INTEGER NOT NULL,
  PRIMARY KEY(region, token)) WITHOUT ROWID;
)sql";

/// Items deleted by one sweep's transaction; the rest follows in the next.
constexpr int kSweepItemsMax = 500;

std::string catalog_key(std::string_view region, std::string_view name) {
  return std::string(region) + "/" + std::string(name);
}

base::Result<json::object> parse_document(std::string_view text) {
  IMGPROC_TRY(json::value value, base::parse_json(text));
  if (!value.is_object())
    return base::permanent("STORE_CORRUPT", "a table's document is not a JSON object");
  return std::move(value.get_object());
}

/// When the item expires, in epoch seconds, by the table's time-to-live attribute.
std::optional<std::int64_t> expiry_of(const Table& table, const AttributeMap& item) {
  if (!table.ttl_attribute) return std::nullopt;
  auto found = item.find(*table.ttl_attribute);
  if (found == item.end() || found->second.type != AttributeType::number) return std::nullopt;
  auto number = protocol::Decimal::parse(found->second.text);
  return number ? number->to_integer() : std::nullopt;
}

/// The entry's key, or nothing if the item has no place in the index.
std::optional<ItemKey> entry_key(const Index& index, const AttributeMap* item) {
  if (item == nullptr || !is_in_index(index, *item)) return std::nullopt;
  if (item->find(index.keys.hash.name)->second.type != index.keys.hash.type) return std::nullopt;
  if (index.keys.range && item->find(index.keys.range->name)->second.type != index.keys.range->type)
    return std::nullopt;
  return key_of(index.keys, *item);
}

base::Status change_entry(Connection& connection, std::string_view sql, const Table& table,
                          const Index& index, const ItemKey& entry, const ItemKey& item) {
  IMGPROC_TRY(Statement statement, connection.prepare(sql));
  return statement.bind(1, table.id)
      .bind(2, index.number)
      .bind_blob(3, entry.hash)
      .bind_blob(4, entry.range)
      .bind_blob(5, item.hash)
      .bind_blob(6, item.range)
      .run();
}

constexpr char kInsertEntry[] =
    "INSERT OR REPLACE INTO dynamodb_index_entries(table_id, index_number, hash_key, range_key, "
    "item_hash, "
    "item_range) VALUES(?1, ?2, ?3, ?4, ?5, ?6)";
constexpr char kDeleteEntry[] =
    "DELETE FROM dynamodb_index_entries WHERE table_id = ?1 AND index_number = ?2 AND hash_key = "
    "?3 AND "
    "range_key = ?4 AND item_hash = ?5 AND item_range = ?6";

base::Status update_entries(Connection& connection, const Table& table, const ItemKey& key,
                            const AttributeMap* old_item, const AttributeMap* new_item) {
  for (const auto& index : table.indexes) {
    auto before = entry_key(index, old_item);
    auto after = entry_key(index, new_item);
    if (before == after) continue;
    if (before) IMGPROC_CHECK(change_entry(connection, kDeleteEntry, table, index, *before, key));
    if (after) IMGPROC_CHECK(change_entry(connection, kInsertEntry, table, index, *after, key));
  }
  return {};
}

/// Calls `visit` with the key and text of every item of the table.
base::Status for_each_item(
    Connection& connection, const Table& table,
    const std::function<base::Status(const ItemKey&, const AttributeMap&)>& visit) {
  IMGPROC_TRY(Statement rows,
              connection.prepare(
                  "SELECT hash_key, range_key, item FROM dynamodb_items WHERE table_id = ?1"));
  rows.bind(1, table.id);
  for (;;) {
    IMGPROC_TRY(bool more, rows.step());
    if (!more) return {};
    ItemKey key{std::string(rows.column_blob(0)), std::string(rows.column_blob(1))};
    IMGPROC_TRY(AttributeMap item, parse_stored(rows.column_text(2)));
    IMGPROC_CHECK(visit(key, item));
  }
}

}  // namespace

base::Status Store::open() {
  IMGPROC_CHECK(context_.database.create_schema(kSchema));
  return context_.database.read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(
        Statement rows,
        connection.prepare("SELECT id, region, name, description, settings FROM dynamodb_tables"));
    for (;;) {
      IMGPROC_TRY(bool more, rows.step());
      if (!more) return {};
      auto table = std::make_shared<Table>();
      table->id = rows.column_int(0);
      table->region = rows.column_text(1);
      table->name = rows.column_text(2);
      IMGPROC_TRY(table->description, parse_document(rows.column_text(3)));
      IMGPROC_TRY(table->settings, parse_document(rows.column_text(4)));
      table->compile();
      std::string name = catalog_key(table->region, table->name);
      tables_.insert_or_assign(std::move(name), std::move(table));
    }
  });
}

TablePtr Store::find(std::string_view region, std::string_view name) const {
  auto found = tables_.find(catalog_key(region, name));
  return found == tables_.end() ? nullptr : found->second;
}

std::vector<std::string> Store::names(std::string_view region) const {
  std::vector<std::string> names;
  for (const auto& [key, table] : tables_)
    if (table->region == region) names.push_back(table->name);
  return names;
}

base::Status Store::save(Table table,
                         const std::function<base::Status(Connection&, const Table&)>& also) {
  IMGPROC_CHECK(context_.database.write([&](Connection& connection) -> base::Status {
    if (table.id == 0) {
      IMGPROC_TRY(Statement insert,
                  connection.prepare("INSERT INTO dynamodb_tables(region, name, description, "
                                     "settings) VALUES(?1, ?2, '', '')"));
      IMGPROC_CHECK(insert.bind(1, table.region).bind(2, table.name).run());
      table.id = connection.last_insert_rowid();
    }
    table.compile();
    IMGPROC_TRY(Statement update,
                connection.prepare("UPDATE dynamodb_tables SET description = ?2, settings = ?3 "
                                   "WHERE id = ?1"));
    IMGPROC_CHECK(update.bind(1, table.id)
                      .bind(2, json::serialize(table.description))
                      .bind(3, json::serialize(table.settings))
                      .run());
    if (also) IMGPROC_CHECK(also(connection, table));
    return {};
  }));
  std::string key = catalog_key(table.region, table.name);
  tables_.insert_or_assign(std::move(key), std::make_shared<const Table>(std::move(table)));
  return {};
}

base::Status Store::remove(const Table& table) {
  std::string key = catalog_key(table.region, table.name);
  IMGPROC_CHECK(context_.database.write([&](Connection& connection) -> base::Status {
    for (const char* sql : {"DELETE FROM dynamodb_items WHERE table_id = ?1",
                            "DELETE FROM dynamodb_index_entries WHERE table_id = ?1",
                            "DELETE FROM dynamodb_tables WHERE id = ?1"}) {
      IMGPROC_TRY(Statement statement, connection.prepare(sql));
      IMGPROC_CHECK(statement.bind(1, table.id).run());
    }
    return {};
  }));
  tables_.erase(key);
  return {};
}

base::Status Store::sweep(const Table& table) {
  if (!table.ttl_attribute) return {};
  std::int64_t now_ms = context_.clock.now().time_since_epoch().count();
  {
    std::lock_guard guard(sweep_mutex_);
    std::int64_t& next = next_sweep_ms_[table.id];
    if (now_ms < next) return {};
    next = now_ms + kSweepIntervalMs;
  }
  std::int64_t now = now_ms / 1000;
  constexpr char kExpired[] =
      "SELECT hash_key, range_key, item FROM dynamodb_items WHERE table_id = ?1 AND expires_at < "
      "?2 AND "
      "expires_at > ?3 AND expires_at IS NOT NULL ORDER BY expires_at LIMIT ?4";
  // The writer is asked only if there is something to delete.
  std::vector<std::pair<ItemKey, std::string>> expired;
  auto collect = [&](Connection& connection) -> base::Status {
    expired.clear();
    IMGPROC_TRY(Statement rows, connection.prepare(kExpired));
    rows.bind(1, table.id)
        .bind(2, now)
        .bind(3, now - kExpiredSecondsMax)
        .bind(4, std::int64_t{kSweepItemsMax});
    for (;;) {
      IMGPROC_TRY(bool more, rows.step());
      if (!more) return {};
      expired.emplace_back(
          ItemKey{std::string(rows.column_blob(0)), std::string(rows.column_blob(1))},
          std::string(rows.column_text(2)));
    }
  };
  IMGPROC_CHECK(context_.database.read(collect));
  while (!expired.empty()) {
    IMGPROC_CHECK(context_.database.write([&](Connection& connection) -> base::Status {
      IMGPROC_CHECK(collect(connection));
      for (const auto& [key, text] : expired) {
        IMGPROC_TRY(AttributeMap item, parse_stored(text));
        IMGPROC_CHECK(erase_item(connection, table, key, item));
      }
      return {};
    }));
    if (expired.size() < kSweepItemsMax) break;
  }
  return {};
}

base::Result<std::optional<StoredItem>> read_item(Connection& connection, const Table& table,
                                                  const ItemKey& key) {
  IMGPROC_TRY(Statement row,
              connection.prepare("SELECT item, bytes FROM dynamodb_items WHERE table_id = ?1 AND "
                                 "hash_key = ?2 AND range_key = ?3"));
  row.bind(1, table.id).bind_blob(2, key.hash).bind_blob(3, key.range);
  IMGPROC_TRY(bool found, row.step());
  if (!found) return std::nullopt;
  return StoredItem{std::string(row.column_text(0)), row.column_int(1)};
}

base::Result<AttributeMap> parse_stored(std::string_view text) {
  auto value = base::parse_json(text);
  if (!value || !value->is_object())
    return base::permanent("STORE_CORRUPT", "a stored item is not a JSON object");
  auto item = protocol::parse_attribute_map(value->get_object());
  if (!item)
    return base::permanent("STORE_CORRUPT", "a stored item is damaged: " + item.error().message);
  return item;
}

base::Status write_item(Connection& connection, const Table& table, const ItemKey& key,
                        const AttributeMap* old_item, const AttributeMap& item) {
  IMGPROC_TRY(Statement statement,
              connection.prepare(
                  "INSERT OR REPLACE INTO dynamodb_items(table_id, hash_key, range_key, bytes, "
                  "expires_at, item) VALUES(?1, ?2, ?3, ?4, ?5, ?6)"));
  statement.bind(1, table.id).bind_blob(2, key.hash).bind_blob(3, key.range);
  statement.bind(4, static_cast<std::int64_t>(protocol::size_of(item)));
  if (auto expires_at = expiry_of(table, item)) {
    statement.bind(5, *expires_at);
  } else {
    statement.bind_null(5);
  }
  IMGPROC_CHECK(statement.bind(6, protocol::to_json(item)).run());
  return update_entries(connection, table, key, old_item, &item);
}

base::Status erase_item(Connection& connection, const Table& table, const ItemKey& key,
                        const AttributeMap& old_item) {
  IMGPROC_TRY(Statement statement,
              connection.prepare("DELETE FROM dynamodb_items WHERE table_id = ?1 AND "
                                 "hash_key = ?2 AND range_key = ?3"));
  IMGPROC_CHECK(statement.bind(1, table.id).bind_blob(2, key.hash).bind_blob(3, key.range).run());
  return update_entries(connection, table, key, &old_item, nullptr);
}

base::Status fill_index(Connection& connection, const Table& table, const Index& index) {
  return for_each_item(connection, table,
                       [&](const ItemKey& key, const AttributeMap& item) -> base::Status {
                         auto entry = entry_key(index, &item);
                         if (!entry) return {};
                         return change_entry(connection, kInsertEntry, table, index, *entry, key);
                       });
}

base::Status clear_index(Connection& connection, const Table& table, const Index& index) {
  IMGPROC_TRY(Statement statement,
              connection.prepare("DELETE FROM dynamodb_index_entries WHERE table_id = ?1 AND "
                                 "index_number = ?2"));
  return statement.bind(1, table.id).bind(2, index.number).run();
}

base::Status refresh_expiry(Connection& connection, const Table& table) {
  IMGPROC_TRY(Statement reset,
              connection.prepare("UPDATE dynamodb_items SET expires_at = NULL WHERE table_id = ?1 "
                                 "AND expires_at IS NOT NULL"));
  IMGPROC_CHECK(reset.bind(1, table.id).run());
  if (!table.ttl_attribute) return {};
  std::vector<std::pair<ItemKey, std::int64_t>> expiries;
  IMGPROC_CHECK(for_each_item(connection, table,
                              [&](const ItemKey& key, const AttributeMap& item) -> base::Status {
                                if (auto expires_at = expiry_of(table, item))
                                  expiries.emplace_back(key, *expires_at);
                                return {};
                              }));
  for (const auto& [key, expires_at] : expiries) {
    IMGPROC_TRY(Statement update,
                connection.prepare("UPDATE dynamodb_items SET expires_at = ?4 WHERE table_id = ?1 "
                                   "AND hash_key = ?2 AND range_key = ?3"));
    IMGPROC_CHECK(update.bind(1, table.id)
                      .bind_blob(2, key.hash)
                      .bind_blob(3, key.range)
                      .bind(4, expires_at)
                      .run());
  }
  return {};
}

base::Result<bool> remember_token(Connection& connection, std::string_view region,
                                  std::string_view token, std::string_view fingerprint,
                                  std::int64_t now_ms) {
  IMGPROC_TRY(Statement forget,
              connection.prepare("DELETE FROM dynamodb_transaction_tokens WHERE expires_ms <= ?1"));
  IMGPROC_CHECK(forget.bind(1, now_ms).run());
  IMGPROC_TRY(
      Statement row,
      connection.prepare("SELECT fingerprint FROM dynamodb_transaction_tokens WHERE region = "
                         "?1 AND token = ?2"));
  row.bind(1, region).bind(2, token);
  IMGPROC_TRY(bool known, row.step());
  if (known) {
    if (row.column_text(0) == fingerprint) return true;
    return base::permanent("IdempotentParameterMismatchException",
                           "The request with this ClientRequestToken had other parameters",
                           "use a new token for a new transaction");
  }
  IMGPROC_TRY(Statement insert,
              connection.prepare(
                  "INSERT INTO dynamodb_transaction_tokens(region, token, fingerprint, expires_ms) "
                  "VALUES(?1, ?2, ?3, ?4)"));
  IMGPROC_CHECK(insert.bind(1, region)
                    .bind(2, token)
                    .bind(3, fingerprint)
                    .bind(4, now_ms + kTokenLifetimeMs)
                    .run());
  return false;
}

base::Result<TableCounts> count_items(Connection& connection, const Table& table) {
  IMGPROC_TRY(Statement row,
              connection.prepare("SELECT COUNT(*), TOTAL(bytes) FROM dynamodb_items WHERE "
                                 "table_id = ?1"));
  row.bind(1, table.id);
  IMGPROC_TRY(bool found, row.step());
  if (!found) return TableCounts{};
  return TableCounts{row.column_int(0), row.column_int(1)};
}

base::Result<TableCounts> count_index(Connection& connection, const Table& table,
                                      const Index& index) {
  IMGPROC_TRY(
      Statement row,
      connection.prepare(
          "SELECT COUNT(*), TOTAL(i.bytes) FROM dynamodb_index_entries e JOIN dynamodb_items i "
          "ON i.table_id = e.table_id AND i.hash_key = e.item_hash AND i.range_key = "
          "e.item_range WHERE e.table_id = ?1 AND e.index_number = ?2"));
  row.bind(1, table.id).bind(2, index.number);
  IMGPROC_TRY(bool found, row.step());
  if (!found) return TableCounts{};
  return TableCounts{row.column_int(0), row.column_int(1)};
}

}  // namespace imgproc::localcloud::dynamodb
