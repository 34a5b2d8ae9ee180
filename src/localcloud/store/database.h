#pragma once
// The local cloud's index: one SQLite database (WAL) in the data directory, shared by all services,
// so that an object and the event it causes are written in one transaction or not at all.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace imgproc::localcloud {

/// A prepared statement: bind by position from 1, step through rows, read columns from 0.
/// Views that column_text / column_blob return live until the next step() or reset.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  Statement& bind(int position, std::int64_t value);
  Statement& bind(int position, double value);
  Statement& bind(int position, std::string_view text);
  /// Bytes with no encoding; compares as memcmp.
  Statement& bind_blob(int position, std::string_view bytes);
  Statement& bind_null(int position);
  /// Back to before the first row, with new bindings to come.
  Statement& reset();
  /// True while there is a row.
  [[nodiscard]] base::Result<bool> step();
  /// Runs to the end, for statements without rows.
  [[nodiscard]] base::Status run();
  [[nodiscard]] std::int64_t column_int(int column) const;
  [[nodiscard]] double column_double(int column) const;
  [[nodiscard]] std::string_view column_text(int column) const;
  [[nodiscard]] std::string_view column_blob(int column) const;
  [[nodiscard]] bool column_is_null(int column) const;

 private:
  friend class Connection;
  Statement(sqlite3_stmt* statement, sqlite3* database);
  sqlite3_stmt* statement_;
  sqlite3* database_;
};

/// One SQLite connection with its cache of prepared statements. Used by one thread at a time.
class Connection {
 public:
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  /// `sql` is kept as the cache's key: pass literals, and bind the values.
  [[nodiscard]] base::Result<Statement> prepare(std::string_view sql);
  /// Several statements without parameters (schema).
  [[nodiscard]] base::Status execute(const std::string& sql);
  /// Rows changed by the last statement.
  [[nodiscard]] std::int64_t changes() const;
  [[nodiscard]] std::int64_t last_insert_rowid() const;

 private:
  friend class Database;
  Connection() = default;
  struct Cache;
  sqlite3* handle_ = nullptr;
  std::unique_ptr<Cache> cache_;
};

/// What a commit waits for.
enum class Durability {
  /// The kernel has it: survives `kill -9` of the process, not a power cut. Default.
  process,
  /// The disk has it: fsync at every commit.
  power,
};

/// Thread-safe: any number of readers side by side with one writer at a time.
class Database {
 public:
  /// Opens or creates `file`. Refuses a database that another process has open (DATA_DIR_IN_USE).
  [[nodiscard]] static base::Result<std::unique_ptr<Database>> open(
      const std::filesystem::path& file, Durability durability = Durability::process);
  ~Database();

  /// What a commit waits for; whoever keeps files beside the index does the same for them.
  [[nodiscard]] Durability durability() const;

  /// Each module creates its own tables (IF NOT EXISTS), once, when it is built.
  [[nodiscard]] base::Status create_schema(const std::string& sql);

  /// Runs `work`, all or nothing, on the thread of any caller, in a transaction that those who wait
  /// share: once this returns success the change is durable. `work` must not call write() itself,
  /// and read() within it sees what stood before. An error or exception undoes this work alone.
  [[nodiscard]] base::Status write(const std::function<base::Status(Connection&)>& work);

  /// Runs `work` on a snapshot that sees every write() that returned before. Must not write.
  [[nodiscard]] base::Status read(const std::function<base::Status(Connection&)>& work);

 private:
  Database();
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace imgproc::localcloud
