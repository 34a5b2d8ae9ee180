#include "localcloud/store/database.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/file.h>

#include <cerrno>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/file_descriptor.h"
#include "localcloud/store/checkpointer.h"

namespace imgproc::localcloud {
namespace {

/// Readers kept for reuse; more may exist while more threads read at once.
constexpr std::size_t kIdleReadersMax = 8;
constexpr int kBusyTimeoutMs = 5000;
/// Writes that share a transaction at most.
constexpr std::size_t kSharedWritesMax = 32;
/// So many shared transactions a thread runs for others before one of them takes over.
constexpr int kSharedRoundsMax = 4;

std::unexpected<base::Error> sqlite_error(sqlite3* handle, std::string_view what) {
  int code = handle == nullptr ? SQLITE_NOMEM : sqlite3_extended_errcode(handle);
  std::string text =
      fmt::format("{}: {}", what, handle == nullptr ? "out of memory" : sqlite3_errmsg(handle));
  int primary = code & 0xFF;
  if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED || primary == SQLITE_FULL ||
      primary == SQLITE_IOERR || primary == SQLITE_NOMEM)
    return base::transient("STORE_UNAVAILABLE", text, "is the disk full?");
  return base::permanent("STORE_ERROR", text);
}

}  // namespace

struct Connection::Cache {
  /// By their text; owned.
  std::unordered_map<std::string, sqlite3_stmt*> statements;
};

Statement::Statement(sqlite3_stmt* statement, sqlite3* database)
    : statement_(statement), database_(database) {}

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)), database_(other.database_) {}

Statement::~Statement() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Statement& Statement::bind(int position, std::int64_t value) {
  sqlite3_bind_int64(statement_, position, value);
  return *this;
}
Statement& Statement::bind(int position, double value) {
  sqlite3_bind_double(statement_, position, value);
  return *this;
}
Statement& Statement::bind(int position, std::string_view text) {
  sqlite3_bind_text64(statement_, position, text.data() == nullptr ? "" : text.data(), text.size(),
                      SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}
Statement& Statement::bind_blob(int position, std::string_view bytes) {
  sqlite3_bind_blob64(statement_, position, bytes.data() == nullptr ? "" : bytes.data(),
                      bytes.size(), SQLITE_TRANSIENT);
  return *this;
}
Statement& Statement::bind_null(int position) {
  sqlite3_bind_null(statement_, position);
  return *this;
}

Statement& Statement::reset() {
  sqlite3_reset(statement_);
  return *this;
}

base::Result<bool> Statement::step() {
  int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return sqlite_error(database_, "statement failed");
}

base::Status Statement::run() {
  for (;;) {
    IMGPROC_TRY(bool more, step());
    if (!more) return {};
  }
}

std::int64_t Statement::column_int(int column) const {
  return sqlite3_column_int64(statement_, column);
}
double Statement::column_double(int column) const {
  return sqlite3_column_double(statement_, column);
}
std::string_view Statement::column_text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return text == nullptr
             ? std::string_view{}
             : std::string_view(text,
                                static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}
std::string_view Statement::column_blob(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  return bytes == nullptr
             ? std::string_view{}
             : std::string_view(bytes,
                                static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}
bool Statement::column_is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Connection::~Connection() {
  if (cache_)
    for (auto& [sql, statement] : cache_->statements) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

base::Result<Statement> Connection::prepare(std::string_view sql) {
  std::string key(sql);
  if (auto found = cache_->statements.find(key); found != cache_->statements.end()) {
    // A cached statement that still stands in the middle of its rows belongs to an outer loop.
    if (sqlite3_stmt_busy(found->second) == 0) return Statement(found->second, handle_);
    key += fmt::format(" /*{}*/", cache_->statements.size());
  }
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK)
    return sqlite_error(handle_, fmt::format("cannot prepare `{}`", sql));
  cache_->statements.emplace(std::move(key), statement);
  return Statement(statement, handle_);
}

base::Status Connection::execute(const std::string& sql) {
  if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    return sqlite_error(handle_, "cannot execute");
  return {};
}

std::int64_t Connection::changes() const {
  return sqlite3_changes64(handle_);
}
std::int64_t Connection::last_insert_rowid() const {
  return sqlite3_last_insert_rowid(handle_);
}

namespace {

using Work = std::function<base::Status(Connection&)>;

/// As execute(), but parsed once for each connection: what every transaction begins and ends with.
base::Status run_prepared(Connection& connection, std::string_view sql) {
  IMGPROC_TRY(Statement statement, connection.prepare(sql));
  return statement.run();
}

/// A call of write() that waits for its transaction; lives on the stack of who called.
struct PendingWrite {
  const Work& work;
  base::Status status;
  /// What the work threw; for its caller.
  std::exception_ptr exception;
  bool done = false;
  std::condition_variable turn;

  /// The work's own outcome, whatever it does.
  bool run(Connection& connection) {
    try {
      status = work(connection);
    } catch (...) {
      exception = std::current_exception();
    }
    return status.has_value() && exception == nullptr;
  }
};

/// Runs the works in one transaction, each of which succeeds or is undone by itself.
base::Status run_in_transaction(Connection& connection, std::span<PendingWrite* const> writes) {
  IMGPROC_CHECK(run_prepared(connection, "BEGIN IMMEDIATE"));
  if (writes.size() == 1) {
    if (!writes.front()->run(connection)) return run_prepared(connection, "ROLLBACK");
    return run_prepared(connection, "COMMIT");
  }
  for (PendingWrite* write : writes) {
    IMGPROC_CHECK(run_prepared(connection, "SAVEPOINT one"));
    if (!write->run(connection)) IMGPROC_CHECK(run_prepared(connection, "ROLLBACK TO one"));
    IMGPROC_CHECK(run_prepared(connection, "RELEASE one"));
  }
  return run_prepared(connection, "COMMIT");
}

}  // namespace

class Database::Impl {
 public:
  std::filesystem::path file;
  Durability durability = Durability::process;
  base::FileDescriptor lock;
  std::mutex queue_mutex;
  /// Whoever waits for a transaction, in order.
  std::deque<PendingWrite*> queue;
  /// A thread is running transactions for those who wait.
  bool writing = false;
  /// Used by the thread that set `writing`.
  std::unique_ptr<Connection> writer;
  std::optional<Checkpointer> checkpointer;
  std::mutex readers_mutex;
  std::vector<std::unique_ptr<Connection>> idle_readers;

  base::Result<std::unique_ptr<Connection>> connect(bool writable) {
    std::unique_ptr<Connection> connection(new Connection());
    connection->cache_ = std::make_unique<Connection::Cache>();
    int flags = SQLITE_OPEN_NOMUTEX |
                (writable ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READWRITE);
    if (sqlite3_open_v2(file.c_str(), &connection->handle_, flags, nullptr) != SQLITE_OK)
      return sqlite_error(connection->handle_, "cannot open " + file.string());
    sqlite3_busy_timeout(connection->handle_, kBusyTimeoutMs);
    std::string pragmas = "PRAGMA cache_size=-1024; PRAGMA temp_store=MEMORY;";
    if (writable) {
      pragmas += "PRAGMA journal_mode=WAL; PRAGMA foreign_keys=OFF;";
      pragmas += durability == Durability::power ? "PRAGMA synchronous=FULL;"
                                                 : "PRAGMA synchronous=NORMAL;";
    } else {
      pragmas += "PRAGMA query_only=ON;";
    }
    IMGPROC_CHECK(connection->execute(pragmas));
    return connection;
  }

  /// One transaction for the first of the queue; `queued`, the lock of the queue, is open
  /// meanwhile.
  void write_some(std::unique_lock<std::mutex>& queued) {
    std::vector<PendingWrite*> writes(queue.begin(),
                                      queue.begin() + std::min(queue.size(), kSharedWritesMax));
    queue.erase(queue.begin(), queue.begin() + writes.size());
    queued.unlock();
    base::Status status = run_in_transaction(*writer, writes);
    if (!status) {
      // The transaction may have ended already; then this is a harmless error.
      [[maybe_unused]] auto ignored = run_prepared(*writer, "ROLLBACK");
    }
    queued.lock();
    for (PendingWrite* write : writes) {
      // What a work itself says comes before what became of the transaction.
      if (!status && write->status) write->status = status;
      write->done = true;
      write->turn.notify_one();
    }
  }
};

Database::Database() : impl_(std::make_unique<Impl>()) {}
Database::~Database() = default;

base::Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& file,
                                                       Durability durability) {
  std::unique_ptr<Database> database(new Database());
  Impl& impl = *database->impl_;
  impl.file = file;
  impl.durability = durability;
  std::string lock_name = file.string() + ".lock";
  impl.lock = base::FileDescriptor(::open(lock_name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!impl.lock) return base::system_error("cannot open " + lock_name, errno);
  if (::flock(impl.lock.get(), LOCK_EX | LOCK_NB) != 0)
    return base::permanent("DATA_DIR_IN_USE",
                           fmt::format("another process uses {}", file.parent_path().string()),
                           "stop it, or choose another --data directory");
  IMGPROC_TRY(impl.writer, impl.connect(true));
  impl.checkpointer.emplace(file, impl.writer->handle_);
  return database;
}

Durability Database::durability() const {
  return impl_->durability;
}

base::Status Database::create_schema(const std::string& sql) {
  return write([&](Connection& connection) { return connection.execute(sql); });
}

base::Status Database::write(const Work& work) {
  PendingWrite mine{.work = work};
  std::unique_lock lock(impl_->queue_mutex);
  impl_->queue.push_back(&mine);
  mine.turn.wait(lock, [&] { return mine.done || !impl_->writing; });
  if (!mine.done) {
    // Nobody writes: this thread does, for all who wait. That spares them a commit each, and a
    // change of threads between one commit and the next.
    impl_->writing = true;
    for (int round = 0; !mine.done || (round < kSharedRoundsMax && !impl_->queue.empty()); ++round)
      impl_->write_some(lock);
    impl_->writing = false;
    if (!impl_->queue.empty()) impl_->queue.front()->turn.notify_one();
  }
  lock.unlock();
  if (mine.exception) std::rethrow_exception(mine.exception);
  return std::move(mine.status);
}

base::Status Database::read(const std::function<base::Status(Connection&)>& work) {
  std::unique_ptr<Connection> connection;
  {
    std::lock_guard guard(impl_->readers_mutex);
    if (!impl_->idle_readers.empty()) {
      connection = std::move(impl_->idle_readers.back());
      impl_->idle_readers.pop_back();
    }
  }
  if (!connection) {
    IMGPROC_TRY(connection, impl_->connect(false));
  }
  IMGPROC_CHECK(run_prepared(*connection, "BEGIN"));
  base::Status status = work(*connection);
  [[maybe_unused]] auto ended = run_prepared(*connection, "COMMIT");
  std::lock_guard guard(impl_->readers_mutex);
  if (impl_->idle_readers.size() < kIdleReadersMax)
    impl_->idle_readers.push_back(std::move(connection));
  return status;
}

}  // namespace imgproc::localcloud
