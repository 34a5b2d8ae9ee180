#include "localcloud/logs/log_store.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/log.h"

namespace imgproc::localcloud::logs {
namespace {

constexpr std::chrono::hours kRetentionInterval{1};
/// Rows looked at between two chances to stop, so that one search cannot hold a snapshot for long.
constexpr std::size_t kRowsScannedMax = 100'000;

constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS log_groups (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  created_ms INTEGER NOT NULL,
  retention_days INTEGER,
  tags TEXT NOT NULL DEFAULT '{}',
  class TEXT NOT NULL DEFAULT 'STANDARD',
  bytes INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS log_streams (
  id INTEGER PRIMARY KEY,
  group_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  first_ms INTEGER,
  last_ms INTEGER,
  ingestion_ms INTEGER,
  UNIQUE (group_id, name));
CREATE TABLE IF NOT EXISTS log_events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  group_id INTEGER NOT NULL,
  stream_id INTEGER NOT NULL,
  time_ms INTEGER NOT NULL,
  ingestion_ms INTEGER NOT NULL,
  message TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS log_events_by_time ON log_events(group_id, time_ms, id);
)";

std::int64_t to_ms(base::SystemTime time) {
  return time.time_since_epoch().count();
}
base::SystemTime from_ms(std::int64_t ms) {
  return base::SystemTime{std::chrono::milliseconds{ms}};
}

std::unexpected<base::Error> error(std::string code, std::string message) {
  base::Error out{std::move(code), std::move(message)};
  out.http_status = 400;
  return std::unexpected(std::move(out));
}
std::unexpected<base::Error> no_group() {
  return error("ResourceNotFoundException", "The specified log group does not exist.");
}
std::unexpected<base::Error> no_stream() {
  return error("ResourceNotFoundException", "The specified log stream does not exist.");
}

base::Result<std::optional<std::int64_t>> group_id(Connection& connection, std::string_view name) {
  IMGPROC_TRY(auto select, connection.prepare("SELECT id FROM log_groups WHERE name = ?"));
  select.bind(1, name);
  IMGPROC_TRY(bool row, select.step());
  return row ? std::optional(select.column_int(0)) : std::nullopt;
}

base::Result<std::optional<std::int64_t>> stream_id(Connection& connection, std::int64_t group,
                                                    std::string_view name) {
  IMGPROC_TRY(auto select,
              connection.prepare("SELECT id FROM log_streams WHERE group_id = ? AND name = ?"));
  select.bind(1, group).bind(2, name);
  IMGPROC_TRY(bool row, select.step());
  return row ? std::optional(select.column_int(0)) : std::nullopt;
}

std::string tags_text(const std::map<std::string, std::string>& tags) {
  base::json::object out;
  for (const auto& [key, value] : tags) out[key] = value;
  return base::json::serialize(out);
}

base::Result<std::int64_t> insert_group(Connection& connection, const LogGroup& group,
                                        base::SystemTime now) {
  IMGPROC_TRY(auto insert,
              connection.prepare(
                  "INSERT INTO log_groups (name, created_ms, tags, class) VALUES (?,?,?,?)"));
  IMGPROC_CHECK(insert.bind(1, group.name)
                    .bind(2, to_ms(now))
                    .bind(3, tags_text(group.tags))
                    .bind(4, group.log_class)
                    .run());
  return connection.last_insert_rowid();
}

base::Result<std::int64_t> insert_stream(Connection& connection, std::int64_t group,
                                         std::string_view name, base::SystemTime now) {
  IMGPROC_TRY(
      auto insert,
      connection.prepare("INSERT INTO log_streams (group_id, name, created_ms) VALUES (?,?,?)"));
  IMGPROC_CHECK(insert.bind(1, group).bind(2, name).bind(3, to_ms(now)).run());
  return connection.last_insert_rowid();
}

base::Status insert_event(Connection& connection, std::int64_t group, std::int64_t stream,
                          base::SystemTime time, base::SystemTime now, std::string_view message) {
  {
    IMGPROC_TRY(
        auto insert,
        connection.prepare("INSERT INTO log_events (group_id, stream_id, time_ms, ingestion_ms, "
                           "message) VALUES (?,?,?,?,?)"));
    IMGPROC_CHECK(insert.bind(1, group)
                      .bind(2, stream)
                      .bind(3, to_ms(time))
                      .bind(4, to_ms(now))
                      .bind(5, message)
                      .run());
  }
  {
    IMGPROC_TRY(auto update,
                connection.prepare(
                    "UPDATE log_streams SET first_ms = min(coalesce(first_ms, ?1), ?1), "
                    "last_ms = max(coalesce(last_ms, ?1), ?1), ingestion_ms = ?2 WHERE id = ?3"));
    IMGPROC_CHECK(update.bind(1, to_ms(time)).bind(2, to_ms(now)).bind(3, stream).run());
  }
  IMGPROC_TRY(auto grow,
              connection.prepare("UPDATE log_groups SET bytes = bytes + ? WHERE id = ?"));
  return grow.bind(1, static_cast<std::int64_t>(message.size()) + kEventOverheadBytes)
      .bind(2, group)
      .run();
}

LogGroup read_group(const Statement& row) {
  LogGroup group;
  group.name = row.column_text(0);
  group.created_at = from_ms(row.column_int(1));
  if (!row.column_is_null(2)) group.retention_days = static_cast<int>(row.column_int(2));
  if (auto tags = base::parse_json(row.column_text(3)); tags && tags->is_object())
    for (const auto& [key, value] : tags->get_object())
      if (value.is_string()) group.tags[std::string(key)] = std::string(value.get_string());
  group.log_class = row.column_text(4);
  group.stored_bytes = row.column_int(5);
  return group;
}

constexpr std::string_view kGroupColumns = "name, created_ms, retention_days, tags, class, bytes";

/// Events of one group up to an id or older than a time go, and the group's size with them.
base::Status remove_events(Connection& connection, std::int64_t group, std::int64_t before_ms,
                           std::int64_t up_to_id) {
  constexpr std::string_view kWhere = "WHERE group_id = ?1 AND (time_ms < ?2 OR id <= ?3)";
  static const std::string kSum = fmt::format(
      "UPDATE log_groups SET bytes = max(0, bytes - (SELECT coalesce(sum(length(CAST(message AS "
      "BLOB)) + {}), 0) "
      "FROM log_events {})) WHERE id = ?1",
      kEventOverheadBytes, kWhere);
  static const std::string kDelete = fmt::format("DELETE FROM log_events {}", kWhere);
  for (const std::string* sql : {&kSum, &kDelete}) {
    IMGPROC_TRY(auto statement, connection.prepare(*sql));
    IMGPROC_CHECK(statement.bind(1, group).bind(2, before_ms).bind(3, up_to_id).run());
  }
  return {};
}

}  // namespace

base::Result<std::unique_ptr<LogStore>> LogStore::open(Database& database, base::Clock& clock) {
  IMGPROC_CHECK(database.create_schema(kSchema));
  std::unique_ptr<LogStore> store(new LogStore(database, clock));
  store->flusher_ = std::thread([raw = store.get()] { raw->run(); });
  return store;
}

LogStore::~LogStore() {
  {
    std::lock_guard guard(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  if (flusher_.joinable()) flusher_.join();
  flush();
}

void LogStore::run() {
  auto retention_at = clock_.steady() + kRetentionInterval;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    // Sleeps until there is a line (or an hour has gone), then lets more lines gather.
    clock_.wait_until(lock, wake_, retention_at, [&] { return stopping_ || !pending_.empty(); });
    if (!stopping_ && !pending_.empty())
      clock_.wait_until(lock, wake_, clock_.steady() + kFlushInterval, [&] { return stopping_; });
    lock.unlock();
    flush();
    if (clock_.steady() >= retention_at) {
      if (auto status = apply_retention(); !status)
        base::log_warn("cannot trim logs", {{"error", status.error().describe()}});
      retention_at = clock_.steady() + kRetentionInterval;
    }
    lock.lock();
  }
}

void LogStore::append(std::string_view group, std::string_view stream, base::SystemTime time,
                      std::string_view message) {
  bool full = false;
  {
    std::lock_guard guard(mutex_);
    bool first = pending_.empty();
    pending_.push_back({std::string(group), std::string(stream), time, std::string(message)});
    pending_bytes_ += message.size() + static_cast<std::size_t>(kEventOverheadBytes);
    full = pending_bytes_ > kPendingBytesMax;
    if (first) wake_.notify_all();
  }
  if (full) flush();
}

void LogStore::flush() {
  std::lock_guard order(flush_mutex_);
  std::vector<Pending> lines;
  {
    std::lock_guard guard(mutex_);
    lines.swap(pending_);
    pending_bytes_ = 0;
  }
  if (lines.empty()) return;
  if (auto status = write(lines); !status)
    base::log_error("log lines could not be written",
                    {{"lines", lines.size()}, {"error", status.error().describe()}});
}

base::Status LogStore::write(const std::vector<Pending>& lines) {
  return database_.write([&](Connection& connection) -> base::Status {
    base::SystemTime now = clock_.now();
    for (const Pending& line : lines) {
      IMGPROC_TRY(auto group, group_id(connection, line.group));
      if (!group) {
        IMGPROC_TRY(group, insert_group(connection, {.name = line.group}, now));
      }
      IMGPROC_TRY(auto stream, stream_id(connection, *group, line.stream));
      if (!stream) {
        IMGPROC_TRY(stream, insert_stream(connection, *group, line.stream, now));
      }
      IMGPROC_CHECK(insert_event(connection, *group, *stream, line.time, now, line.message));
    }
    return {};
  });
}

base::Status LogStore::create_group(const LogGroup& group) {
  flush();
  return database_.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(auto existing, group_id(connection, group.name));
    if (existing)
      return error("ResourceAlreadyExistsException", "The specified log group already exists");
    IMGPROC_TRY([[maybe_unused]] auto id, insert_group(connection, group, clock_.now()));
    return {};
  });
}

base::Status LogStore::create_stream(const std::string& group, const std::string& stream) {
  flush();
  return database_.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(auto id, group_id(connection, group));
    if (!id) return no_group();
    IMGPROC_TRY(auto existing, stream_id(connection, *id, stream));
    if (existing)
      return error("ResourceAlreadyExistsException", "The specified log stream already exists");
    IMGPROC_TRY([[maybe_unused]] auto inserted,
                insert_stream(connection, *id, stream, clock_.now()));
    return {};
  });
}

base::Status LogStore::delete_group(const std::string& group) {
  flush();
  return database_.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(auto id, group_id(connection, group));
    if (!id) return no_group();
    for (std::string_view sql :
         {"DELETE FROM log_events WHERE group_id = ?", "DELETE FROM log_streams WHERE group_id = ?",
          "DELETE FROM log_groups WHERE id = ?"}) {
      IMGPROC_TRY(auto statement, connection.prepare(sql));
      IMGPROC_CHECK(statement.bind(1, *id).run());
    }
    return {};
  });
}

base::Status LogStore::delete_stream(const std::string& group, const std::string& stream) {
  flush();
  return database_.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(auto group_row, group_id(connection, group));
    if (!group_row) return no_group();
    IMGPROC_TRY(auto id, stream_id(connection, *group_row, stream));
    if (!id) return no_stream();
    {
      IMGPROC_TRY(auto events, connection.prepare(
                                   "DELETE FROM log_events WHERE group_id = ? AND stream_id = ?"));
      IMGPROC_CHECK(events.bind(1, *group_row).bind(2, *id).run());
    }
    IMGPROC_TRY(auto row, connection.prepare("DELETE FROM log_streams WHERE id = ?"));
    return row.bind(1, *id).run();
  });
}

base::Status LogStore::set_retention(const std::string& group, std::optional<int> days) {
  flush();
  return database_.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(auto update,
                connection.prepare("UPDATE log_groups SET retention_days = ? WHERE name = ?"));
    if (days) {
      update.bind(1, std::int64_t{*days});
    } else {
      update.bind_null(1);
    }
    IMGPROC_CHECK(update.bind(2, group).run());
    if (connection.changes() == 0) return no_group();
    return {};
  });
}

base::Status LogStore::change_tags(const std::string& name,
                                   const std::map<std::string, std::string>& add,
                                   const std::vector<std::string>& remove) {
  IMGPROC_TRY(LogGroup found, group(name));
  for (const auto& [key, value] : add) found.tags[key] = value;
  for (const std::string& key : remove) found.tags.erase(key);
  return database_.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(auto update, connection.prepare("UPDATE log_groups SET tags = ? WHERE name = ?"));
    return update.bind(1, tags_text(found.tags)).bind(2, name).run();
  });
}

base::Status LogStore::put_events(const std::string& group, const std::string& stream,
                                  const std::vector<LogEvent>& events) {
  flush();
  return database_.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(auto group_row, group_id(connection, group));
    if (!group_row) return no_group();
    IMGPROC_TRY(auto id, stream_id(connection, *group_row, stream));
    if (!id) return no_stream();
    for (const LogEvent& event : events)
      IMGPROC_CHECK(
          insert_event(connection, *group_row, *id, event.time, clock_.now(), event.message));
    return {};
  });
}

base::Result<LogGroup> LogStore::group(const std::string& name) {
  flush();
  std::optional<LogGroup> found;
  IMGPROC_CHECK(database_.read([&](Connection& connection) -> base::Status {
    static const std::string kSelect =
        fmt::format("SELECT {} FROM log_groups WHERE name = ?", kGroupColumns);
    IMGPROC_TRY(auto select, connection.prepare(kSelect));
    select.bind(1, name);
    IMGPROC_TRY(bool row, select.step());
    if (row) found = read_group(select);
    return {};
  }));
  if (!found) return no_group();
  return std::move(*found);
}

base::Result<std::vector<LogGroup>> LogStore::groups(std::string_view prefix,
                                                     std::string_view contained,
                                                     std::string_view after,
                                                     std::size_t count_max) {
  flush();
  std::vector<LogGroup> found;
  IMGPROC_CHECK(database_.read([&](Connection& connection) -> base::Status {
    static const std::string kSelect = fmt::format(
        "SELECT {} FROM log_groups WHERE name > ? AND name >= ? ORDER BY name", kGroupColumns);
    IMGPROC_TRY(auto select, connection.prepare(kSelect));
    select.bind(1, after).bind(2, prefix);
    while (found.size() < count_max) {
      IMGPROC_TRY(bool row, select.step());
      if (!row) break;
      LogGroup group = read_group(select);
      if (!group.name.starts_with(prefix)) break;
      if (group.name.find(contained) != std::string::npos) found.push_back(std::move(group));
    }
    return {};
  }));
  return found;
}

base::Result<std::vector<LogStream>> LogStore::streams(const std::string& group,
                                                       std::string_view prefix) {
  flush();
  std::vector<LogStream> found;
  IMGPROC_CHECK(database_.read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(auto id, group_id(connection, group));
    if (!id) return no_group();
    IMGPROC_TRY(auto select,
                connection.prepare(
                    "SELECT name, created_ms, first_ms, last_ms, ingestion_ms FROM log_streams "
                    "WHERE group_id = ? AND name >= ? ORDER BY name"));
    select.bind(1, *id).bind(2, prefix);
    for (;;) {
      IMGPROC_TRY(bool row, select.step());
      if (!row) return {};
      LogStream stream;
      stream.name = select.column_text(0);
      if (!stream.name.starts_with(prefix)) return {};
      stream.created_at = from_ms(select.column_int(1));
      if (!select.column_is_null(2)) stream.first_event_at = from_ms(select.column_int(2));
      if (!select.column_is_null(3)) stream.last_event_at = from_ms(select.column_int(3));
      if (!select.column_is_null(4)) stream.last_ingestion_at = from_ms(select.column_int(4));
      found.push_back(std::move(stream));
    }
  }));
  return found;
}

base::Result<EventPage> LogStore::events(const EventQuery& query) {
  flush();
  EventPage page;
  IMGPROC_CHECK(database_.read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(auto group, group_id(connection, query.group));
    if (!group) return no_group();
    // Names by id of the streams that count; a group has few enough to hold them all.
    std::map<std::int64_t, std::string> names;
    {
      IMGPROC_TRY(auto select,
                  connection.prepare("SELECT id, name FROM log_streams WHERE group_id = ?"));
      select.bind(1, *group);
      for (;;) {
        IMGPROC_TRY(bool row, select.step());
        if (!row) break;
        std::string name(select.column_text(1));
        bool wanted = query.streams.empty()
                          ? name.starts_with(query.stream_prefix)
                          : std::ranges::find(query.streams, name) != query.streams.end();
        if (wanted) names.emplace(select.column_int(0), std::move(name));
      }
    }
    if (!query.streams.empty() && names.size() < query.streams.size()) return no_stream();
    constexpr std::string_view kForward =
        "SELECT id, stream_id, time_ms, ingestion_ms, message FROM log_events WHERE group_id = ? "
        "AND time_ms >= ? AND "
        "time_ms < ? AND (time_ms, id) > (?, ?) ORDER BY time_ms, id";
    constexpr std::string_view kBackward =
        "SELECT id, stream_id, time_ms, ingestion_ms, message FROM log_events WHERE group_id = ? "
        "AND time_ms >= ? AND "
        "time_ms < ? AND (time_ms, id) < (?, ?) ORDER BY time_ms DESC, id DESC";
    constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
    constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
    Position from =
        query.from.value_or(query.backward ? Position{kMost, kMost} : Position{kLeast, kLeast});
    IMGPROC_TRY(auto select, connection.prepare(query.backward ? kBackward : kForward));
    select.bind(1, *group)
        .bind(2, query.start_ms.value_or(kLeast))
        .bind(3, query.end_ms.value_or(kMost));
    select.bind(4, from.time_ms).bind(5, from.id);
    std::size_t bytes = 0;
    std::size_t scanned = 0;
    Position last = from;
    for (;;) {
      if (page.events.size() >= query.count_max || bytes >= query.bytes_max ||
          scanned >= kRowsScannedMax) {
        page.more = last;
        return {};
      }
      IMGPROC_TRY(bool row, select.step());
      if (!row) return {};
      ++scanned;
      last = {select.column_int(2), select.column_int(0)};
      auto name = names.find(select.column_int(1));
      if (name == names.end()) continue;
      std::string_view message = select.column_text(4);
      if (query.filter != nullptr && !query.filter->matches(message)) continue;
      bytes += message.size();
      page.events.push_back({last.id, name->second, from_ms(last.time_ms),
                             from_ms(select.column_int(3)), std::string(message)});
    }
  }));
  return page;
}

base::Status LogStore::apply_retention(std::int64_t bytes_max) {
  return database_.write([&](Connection& connection) -> base::Status {
    struct Row {
      std::int64_t id;
      std::optional<std::int64_t> days;
    };
    std::vector<Row> groups;
    std::int64_t total = 0;
    {
      IMGPROC_TRY(auto select,
                  connection.prepare("SELECT id, retention_days, bytes FROM log_groups"));
      for (;;) {
        IMGPROC_TRY(bool row, select.step());
        if (!row) break;
        groups.push_back({select.column_int(0), select.column_is_null(1)
                                                    ? std::nullopt
                                                    : std::optional(select.column_int(1))});
        total += select.column_int(2);
      }
    }
    std::int64_t up_to_id = 0;
    if (total > bytes_max) {
      // The oldest tenth of all events by arrival.
      IMGPROC_TRY(auto select,
                  connection.prepare("SELECT id FROM log_events ORDER BY id LIMIT 1 OFFSET "
                                     "(SELECT count(*) / 10 FROM log_events)"));
      IMGPROC_TRY(bool row, select.step());
      if (row) up_to_id = select.column_int(0);
    }
    for (const Row& group : groups) {
      std::int64_t before = std::numeric_limits<std::int64_t>::min();
      if (group.days) before = to_ms(clock_.now() - std::chrono::days(*group.days));
      if (group.days || up_to_id != 0)
        IMGPROC_CHECK(remove_events(connection, group.id, before, up_to_id));
    }
    return {};
  });
}

}  // namespace imgproc::localcloud::logs
