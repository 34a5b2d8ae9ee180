#include "localcloud/sqs/message_store.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/random.h"

namespace imgproc::localcloud::sqs {
namespace json = boost::json;
namespace {

std::int64_t to_ms(base::SystemTime time) {
  return time.time_since_epoch().count();
}

/// A receipt handle names the message and this very receipt: an older one no longer counts.
std::string make_handle(std::int64_t row, std::string_view receipt) {
  return base::to_base64(fmt::format("{}:{}", row, receipt));
}

struct Handle {
  std::int64_t row;
  std::string receipt;
};

std::optional<Handle> parse_handle(std::string_view text) {
  auto plain = base::from_base64(text);
  if (!plain) return std::nullopt;
  auto colon = plain->find(':');
  if (colon == std::string::npos) return std::nullopt;
  auto row = base::parse_unsigned(std::string_view(*plain).substr(0, colon));
  if (!row) return std::nullopt;
  return Handle{static_cast<std::int64_t>(*row), plain->substr(colon + 1)};
}

std::unexpected<base::Error> bad_handle(std::string_view handle) {
  return base::permanent(
      "ReceiptHandleIsInvalid",
      fmt::format("The input receipt handle \"{}\" is not a valid receipt handle.", handle));
}

}  // namespace

base::Status MessageStore::create_schema(Database& database) {
  return database.create_schema(
      "CREATE TABLE IF NOT EXISTS sqs_messages (id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT "
      "NOT NULL,"
      " message_id TEXT NOT NULL, body TEXT NOT NULL, attributes TEXT NOT NULL, sent_ms INTEGER "
      "NOT NULL,"
      " visible_ms INTEGER NOT NULL, receives INTEGER NOT NULL DEFAULT 0, first_receive_ms INTEGER,"
      " receipt TEXT NOT NULL DEFAULT '');"
      "CREATE INDEX IF NOT EXISTS sqs_visible ON sqs_messages (queue, visible_ms)");
}

base::Result<std::string> MessageStore::send(Connection& connection, std::string_view queue,
                                             std::string_view body,
                                             const json::object& message_attributes,
                                             base::SystemTime now, std::chrono::seconds delay) {
  std::string id = base::random_uuid();
  IMGPROC_TRY(
      auto statement,
      connection.prepare(
          "INSERT INTO sqs_messages (queue, message_id, body, attributes, sent_ms, visible_ms)"
          " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"));
  IMGPROC_CHECK(statement.bind(1, queue)
                    .bind(2, id)
                    .bind(3, body)
                    .bind(4, json::serialize(message_attributes))
                    .bind(5, to_ms(now))
                    .bind(6, to_ms(now + delay))
                    .run());
  return id;
}

base::Result<std::vector<QueueMessage>> MessageStore::receive(
    Connection& connection, std::string_view queue, int count, std::chrono::seconds visibility,
    std::chrono::seconds retention, const std::optional<Redrive>& redrive, base::SystemTime now) {
  {
    IMGPROC_TRY(auto expire,
                connection.prepare("DELETE FROM sqs_messages WHERE queue=?1 AND sent_ms<?2"));
    IMGPROC_CHECK(expire.bind(1, queue).bind(2, to_ms(now - retention)).run());
  }
  if (redrive) {
    IMGPROC_TRY(
        auto move,
        connection.prepare("UPDATE sqs_messages SET queue=?1, receives=0, receipt='', visible_ms=?2"
                           " WHERE queue=?3 AND visible_ms<=?2 AND receives>=?4"));
    IMGPROC_CHECK(move.bind(1, redrive->dead_letter_queue)
                      .bind(2, to_ms(now))
                      .bind(3, queue)
                      .bind(4, std::int64_t{redrive->receive_count_max})
                      .run());
  }
  std::vector<QueueMessage> messages;
  std::vector<std::int64_t> rows;
  {
    IMGPROC_TRY(auto select,
                connection.prepare(
                    "SELECT id, message_id, body, attributes, sent_ms, receives, first_receive_ms"
                    " FROM sqs_messages WHERE queue=?1 AND visible_ms<=?2 ORDER BY id LIMIT ?3"));
    select.bind(1, queue).bind(2, to_ms(now)).bind(3, std::int64_t{count});
    for (;;) {
      IMGPROC_TRY(bool more, select.step());
      if (!more) break;
      QueueMessage message;
      message.message_id = select.column_text(1);
      message.body = select.column_text(2);
      message.md5_of_body = base::md5_hex(message.body);
      IMGPROC_TRY(json::value attributes, base::parse_json(select.column_text(3)));
      message.message_attributes = attributes.as_object();
      std::int64_t first = select.column_is_null(6) ? to_ms(now) : select.column_int(6);
      message.attributes = {{"SenderId", "AIDAIMGPROCLOCAL"},
                            {"SentTimestamp", std::to_string(select.column_int(4))},
                            {"ApproximateReceiveCount", std::to_string(select.column_int(5) + 1)},
                            {"ApproximateFirstReceiveTimestamp", std::to_string(first)}};
      rows.push_back(select.column_int(0));
      messages.push_back(std::move(message));
    }
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::string receipt = base::random_hex(16);
    IMGPROC_TRY(
        auto hide,
        connection.prepare("UPDATE sqs_messages SET visible_ms=?1, receives=receives+1, receipt=?2,"
                           " first_receive_ms=coalesce(first_receive_ms, ?3) WHERE id=?4"));
    IMGPROC_CHECK(hide.bind(1, to_ms(now + visibility))
                      .bind(2, receipt)
                      .bind(3, to_ms(now))
                      .bind(4, rows[i])
                      .run());
    messages[i].receipt_handle = make_handle(rows[i], receipt);
  }
  return messages;
}

base::Result<bool> MessageStore::remove(Connection& connection, std::string_view queue,
                                        std::string_view receipt_handle) {
  auto handle = parse_handle(receipt_handle);
  if (!handle) return bad_handle(receipt_handle);
  IMGPROC_TRY(
      auto statement,
      connection.prepare("DELETE FROM sqs_messages WHERE id=?1 AND queue=?2 AND receipt=?3"));
  IMGPROC_CHECK(statement.bind(1, handle->row).bind(2, queue).bind(3, handle->receipt).run());
  return connection.changes() > 0;
}

base::Result<bool> MessageStore::change_visibility(Connection& connection, std::string_view queue,
                                                   std::string_view receipt_handle,
                                                   std::chrono::seconds visibility,
                                                   base::SystemTime now) {
  auto handle = parse_handle(receipt_handle);
  if (!handle) return bad_handle(receipt_handle);
  IMGPROC_TRY(auto statement,
              connection.prepare("UPDATE sqs_messages SET visible_ms=?1 WHERE id=?2 AND queue=?3"
                                 " AND receipt=?4 AND visible_ms>?5"));
  IMGPROC_CHECK(statement.bind(1, to_ms(now + visibility))
                    .bind(2, handle->row)
                    .bind(3, queue)
                    .bind(4, handle->receipt)
                    .bind(5, to_ms(now))
                    .run());
  return connection.changes() > 0;
}

base::Status MessageStore::purge(Connection& connection, std::string_view queue) {
  IMGPROC_TRY(auto statement, connection.prepare("DELETE FROM sqs_messages WHERE queue=?1"));
  return statement.bind(1, queue).run();
}

base::Result<MessageCounts> MessageStore::count(Connection& connection, std::string_view queue,
                                                base::SystemTime now) {
  IMGPROC_TRY(
      auto statement,
      connection.prepare("SELECT sum(visible_ms<=?2), sum(visible_ms>?2 AND receives>0),"
                         " sum(visible_ms>?2 AND receives=0), min(sent_ms) FROM sqs_messages"
                         " WHERE queue=?1"));
  statement.bind(1, queue).bind(2, to_ms(now));
  IMGPROC_TRY(bool found, statement.step());
  if (!found) return MessageCounts{};
  MessageCounts counts{statement.column_int(0), statement.column_int(1), statement.column_int(2)};
  if (!statement.column_is_null(3))
    counts.oldest_age = std::chrono::milliseconds{to_ms(now) - statement.column_int(3)};
  return counts;
}

}  // namespace imgproc::localcloud::sqs
