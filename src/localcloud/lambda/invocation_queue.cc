#include "localcloud/lambda/invocation_queue.h"

#include <fmt/format.h>

namespace imgproc::localcloud::lambda {
namespace {

enum State : std::int64_t { kWaiting = 0, kRunning = 1 };

std::int64_t to_ms(base::SystemTime time) {
  return time.time_since_epoch().count();
}
base::SystemTime from_ms(std::int64_t ms) {
  return base::SystemTime{std::chrono::milliseconds{ms}};
}

constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS lambda_queue (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  request_id TEXT NOT NULL,
  function TEXT NOT NULL,
  qualifier TEXT NOT NULL,
  payload BLOB NOT NULL,
  trace_id TEXT NOT NULL,
  enqueued_ms INTEGER NOT NULL,
  due_ms INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  state INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS lambda_queue_due ON lambda_queue(state, function, due_ms, id);
CREATE TABLE IF NOT EXISTS lambda_dead_letters (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  request_id TEXT NOT NULL,
  function TEXT NOT NULL,
  qualifier TEXT NOT NULL,
  payload BLOB NOT NULL,
  trace_id TEXT NOT NULL,
  enqueued_ms INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  condition TEXT NOT NULL,
  error_type TEXT NOT NULL,
  error_message TEXT NOT NULL,
  response BLOB NOT NULL,
  failed_ms INTEGER NOT NULL);
UPDATE lambda_queue SET state = 0 WHERE state = 1;
)";

constexpr std::string_view kEventColumns =
    "id, request_id, function, qualifier, payload, trace_id, enqueued_ms, attempts";

QueuedEvent read_event(const Statement& row) {
  QueuedEvent event;
  event.id = row.column_int(0);
  event.request_id = row.column_text(1);
  event.function = row.column_text(2);
  event.qualifier = row.column_text(3);
  event.payload = row.column_blob(4);
  event.trace_id = row.column_text(5);
  event.enqueued_at = from_ms(row.column_int(6));
  event.attempts = static_cast<int>(row.column_int(7));
  return event;
}

/// A full queue is counted anew at most this often: it may hold a million events.
constexpr std::chrono::seconds kCountInterval{1};

std::int64_t bytes_of(const QueuedEvent& event) {
  return static_cast<std::int64_t>(event.payload.size()) + kEventOverheadBytes;
}

base::Result<std::int64_t> count_bytes(Connection& connection) {
  IMGPROC_TRY(auto select,
              connection.prepare("SELECT count(*), sum(length(payload)) FROM lambda_queue"));
  IMGPROC_TRY([[maybe_unused]] bool found, select.step());
  return select.column_int(0) * kEventOverheadBytes + select.column_int(1);
}

}  // namespace

base::Result<std::unique_ptr<InvocationQueue>> InvocationQueue::open(
    Database& database, base::Clock& clock, std::chrono::milliseconds retry_base_delay,
    QueueBounds bounds) {
  IMGPROC_CHECK(database.create_schema(kSchema));
  std::unique_ptr<InvocationQueue> queue(
      new InvocationQueue(database, clock, retry_base_delay, bounds));
  IMGPROC_CHECK(database.read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(queue->queued_bytes_, count_bytes(connection));
    return {};
  }));
  queue->counted_at_ = clock.steady();
  return queue;
}

base::Status InvocationQueue::check_room(Connection& transaction, std::int64_t bytes) {
  if (queued_bytes_ + bytes <= bounds_.queued_bytes_max) return {};
  if (clock_.steady() - counted_at_ >= kCountInterval) {
    IMGPROC_TRY(queued_bytes_, count_bytes(transaction));
    counted_at_ = clock_.steady();
    if (queued_bytes_ + bytes <= bounds_.queued_bytes_max) return {};
  }
  auto error =
      base::transient("ServiceUnavailable",
                      fmt::format("the queue of asynchronous invocations holds its most, {} bytes",
                                  bounds_.queued_bytes_max),
                      "let the functions catch up");
  error.error().http_status = 503;
  return error;
}

base::Status InvocationQueue::remove(Connection& transaction, const QueuedEvent& event) {
  IMGPROC_TRY(auto statement, transaction.prepare("DELETE FROM lambda_queue WHERE id = ?"));
  IMGPROC_CHECK(statement.bind(1, event.id).run());
  if (transaction.changes() > 0) queued_bytes_ -= bytes_of(event);
  return {};
}

base::Status InvocationQueue::enqueue(Connection& transaction, const QueuedEvent& event) {
  if (event.payload.size() > kAsyncPayloadBytesMax) {
    auto error = base::permanent(
        "RequestTooLargeException",
        fmt::format("{} byte payload is too large for the Event invocation type (limit {} bytes)",
                    event.payload.size(), kAsyncPayloadBytesMax));
    error.error().http_status = 413;
    return error;
  }
  IMGPROC_CHECK(check_room(transaction, bytes_of(event)));
  queued_bytes_ += bytes_of(event);
  IMGPROC_TRY(
      auto statement,
      transaction.prepare("INSERT INTO lambda_queue (request_id, function, qualifier, payload, "
                          "trace_id, enqueued_ms, due_ms) VALUES (?,?,?,?,?,?,?)"));
  std::int64_t now = to_ms(clock_.now());
  return statement.bind(1, event.request_id)
      .bind(2, event.function)
      .bind(3, event.qualifier)
      .bind_blob(4, event.payload)
      .bind(5, event.trace_id)
      .bind(6, now)
      .bind(7, now)
      .run();
}

base::Result<std::optional<QueuedEvent>> InvocationQueue::claim(std::string_view function) {
  // Looked up on a snapshot first: an idle queue must not take the writer's lock.
  IMGPROC_TRY(auto due, next_due(function));
  if (!due || *due > clock_.now()) return std::nullopt;
  std::optional<QueuedEvent> claimed;
  IMGPROC_CHECK(database_.write([&](Connection& connection) -> base::Status {
    static const std::string kSelect = fmt::format(
        "SELECT {} FROM lambda_queue WHERE state = 0 AND function = ? AND due_ms <= ? "
        "ORDER BY due_ms, id LIMIT 2",
        kEventColumns);
    {
      IMGPROC_TRY(auto select, connection.prepare(kSelect));
      select.bind(1, function).bind(2, to_ms(clock_.now()));
      IMGPROC_TRY(bool found, select.step());
      if (!found) return {};
      claimed = read_event(select);
      IMGPROC_TRY(claimed->more_due, select.step());
    }
    IMGPROC_TRY(auto update, connection.prepare("UPDATE lambda_queue SET state = ? WHERE id = ?"));
    return update.bind(1, std::int64_t{kRunning}).bind(2, claimed->id).run();
  }));
  return claimed;
}

base::Result<std::optional<base::SystemTime>> InvocationQueue::next_due(std::string_view function) {
  std::optional<base::SystemTime> due;
  IMGPROC_CHECK(database_.read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(
        auto statement,
        connection.prepare("SELECT due_ms FROM lambda_queue WHERE state = 0 AND function = ? "
                           "ORDER BY due_ms LIMIT 1"));
    statement.bind(1, function);
    IMGPROC_TRY(bool found, statement.step());
    if (found) due = from_ms(statement.column_int(0));
    return {};
  }));
  return due;
}

base::Status InvocationQueue::succeed(const QueuedEvent& event) {
  return database_.write([&](Connection& connection) { return remove(connection, event); });
}

base::Result<Disposition> InvocationQueue::fail(const QueuedEvent& event, const RetryPolicy& policy,
                                                const Failure& failure) {
  QueuedEvent tried = event;
  ++tried.attempts;
  // 1 x, 2 x, 4 x ... the base delay.
  auto due = clock_.now() + base_delay_ * (1 << std::min(tried.attempts - 1, 16));
  bool exhausted = tried.attempts > policy.retry_attempts_max;
  bool aged = due - event.enqueued_at > policy.event_age_max;
  if (exhausted || aged) {
    IMGPROC_CHECK(bury(tried, exhausted ? "RetriesExhausted" : "EventAgeExceeded", failure));
    return Disposition::dead_lettered;
  }
  IMGPROC_CHECK(database_.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(auto statement,
                connection.prepare(
                    "UPDATE lambda_queue SET state = 0, attempts = ?, due_ms = ? WHERE id = ?"));
    return statement.bind(1, std::int64_t{tried.attempts})
        .bind(2, to_ms(due))
        .bind(3, event.id)
        .run();
  }));
  return Disposition::retried;
}

base::Status InvocationQueue::release(const QueuedEvent& event, std::chrono::milliseconds delay) {
  return database_.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(auto statement,
                connection.prepare("UPDATE lambda_queue SET state = 0, due_ms = ? WHERE id = ?"));
    return statement.bind(1, to_ms(clock_.now() + delay)).bind(2, event.id).run();
  });
}

base::Status InvocationQueue::insert_dead_letter(Connection& transaction,
                                                 const DeadLetter& letter) {
  const QueuedEvent& event = letter.event;
  {
    IMGPROC_TRY(auto statement,
                transaction.prepare(
                    "INSERT INTO lambda_dead_letters (request_id, function, qualifier, payload, "
                    "trace_id, enqueued_ms, attempts, condition, error_type, error_message, "
                    "response, failed_ms) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"));
    IMGPROC_CHECK(statement.bind(1, event.request_id)
                      .bind(2, event.function)
                      .bind(3, event.qualifier)
                      .bind_blob(4, event.payload)
                      .bind(5, event.trace_id)
                      .bind(6, to_ms(event.enqueued_at))
                      .bind(7, std::int64_t{event.attempts})
                      .bind(8, letter.condition)
                      .bind(9, letter.failure.error_type)
                      .bind(10, letter.failure.message)
                      .bind_blob(11, letter.failure.response)
                      .bind(12, to_ms(letter.failed_at))
                      .run());
  }
  {
    // Numbers are given in order and without gaps, so the oldest that is too many has this one.
    IMGPROC_TRY(auto forget, transaction.prepare("DELETE FROM lambda_dead_letters WHERE id <= ?"));
    IMGPROC_CHECK(forget.bind(1, transaction.last_insert_rowid() - bounds_.dead_letters_max).run());
  }
  return hook_ ? hook_(transaction, letter) : base::Status{};
}

base::Status InvocationQueue::bury(const QueuedEvent& event, std::string_view condition,
                                   const Failure& failure) {
  return database_.write([&](Connection& connection) -> base::Status {
    IMGPROC_CHECK(
        insert_dead_letter(connection, {event, std::string(condition), failure, clock_.now()}));
    return remove(connection, event);
  });
}

base::Status InvocationQueue::bury_all(Connection& transaction, std::string_view function,
                                       std::string_view condition, const Failure& failure) {
  static const std::string kSelect = fmt::format(
      "SELECT {} FROM lambda_queue WHERE state = 0 AND function = ? ORDER BY id LIMIT 1",
      kEventColumns);
  for (;;) {
    QueuedEvent event;
    {
      IMGPROC_TRY(auto select, transaction.prepare(kSelect));
      select.bind(1, function);
      IMGPROC_TRY(bool found, select.step());
      if (!found) return {};
      event = read_event(select);
    }
    IMGPROC_CHECK(
        insert_dead_letter(transaction, {event, std::string(condition), failure, clock_.now()}));
    IMGPROC_CHECK(remove(transaction, event));
  }
}

base::Status InvocationQueue::bury_new(Connection& transaction, QueuedEvent event,
                                       std::string_view condition, const Failure& failure) {
  event.enqueued_at = clock_.now();
  return insert_dead_letter(transaction,
                            {std::move(event), std::string(condition), failure, clock_.now()});
}

bool InvocationQueue::too_old(const QueuedEvent& event, const RetryPolicy& policy) const {
  return clock_.now() - event.enqueued_at > policy.event_age_max;
}

base::Result<std::vector<DeadLetter>> InvocationQueue::dead_letters(std::size_t count_max) {
  std::vector<DeadLetter> letters;
  IMGPROC_CHECK(database_.read([&](Connection& connection) -> base::Status {
    static const std::string kSelect = fmt::format(
        "SELECT {}, condition, error_type, error_message, response, failed_ms "
        "FROM lambda_dead_letters ORDER BY id DESC LIMIT ?",
        kEventColumns);
    IMGPROC_TRY(auto select, connection.prepare(kSelect));
    select.bind(1, static_cast<std::int64_t>(count_max));
    for (;;) {
      IMGPROC_TRY(bool found, select.step());
      if (!found) return {};
      DeadLetter letter;
      letter.event = read_event(select);
      letter.condition = select.column_text(8);
      letter.failure.error_type = select.column_text(9);
      letter.failure.message = select.column_text(10);
      letter.failure.response = select.column_blob(11);
      letter.failed_at = from_ms(select.column_int(12));
      letters.push_back(std::move(letter));
    }
  }));
  return letters;
}

base::Result<InvocationQueue::Stats> InvocationQueue::stats() {
  Stats stats;
  IMGPROC_CHECK(database_.read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(auto select,
                connection.prepare("SELECT (SELECT count(*) FROM lambda_queue WHERE state = 0), "
                                   "(SELECT count(*) FROM lambda_queue WHERE state = 1), "
                                   "(SELECT count(*) FROM lambda_dead_letters), "
                                   "(SELECT enqueued_ms FROM lambda_queue ORDER BY id LIMIT 1)"));
    IMGPROC_TRY(bool found, select.step());
    if (!found) return {};
    stats.waiting = select.column_int(0);
    stats.running = select.column_int(1);
    stats.dead_letters = select.column_int(2);
    if (!select.column_is_null(3)) stats.oldest_age = clock_.now() - from_ms(select.column_int(3));
    return {};
  }));
  return stats;
}

}  // namespace imgproc::localcloud::lambda
