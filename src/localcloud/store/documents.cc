#include "localcloud/store/documents.h"

#include "base/json.h"

namespace imgproc::localcloud {
namespace json = boost::json;
namespace {

base::Result<std::optional<json::object>> read_document(Connection& connection,
                                                        std::string_view service,
                                                        std::string_view kind,
                                                        std::string_view name) {
  IMGPROC_TRY(
      auto statement,
      connection.prepare("SELECT body FROM documents WHERE service=?1 AND kind=?2 AND name=?3"));
  statement.bind(1, service).bind(2, kind).bind(3, name);
  IMGPROC_TRY(bool found, statement.step());
  if (!found) return std::nullopt;
  IMGPROC_TRY(json::value value, base::parse_json(statement.column_text(0)));
  return std::move(value.as_object());
}

base::Status write_document(Connection& connection, std::string_view service, std::string_view kind,
                            std::string_view name, const json::object& document) {
  IMGPROC_TRY(auto statement,
              connection.prepare("INSERT OR REPLACE INTO documents VALUES (?1, ?2, ?3, ?4)"));
  return statement.bind(1, service)
      .bind(2, kind)
      .bind(3, name)
      .bind(4, json::serialize(document))
      .run();
}

base::Status erase_document(Connection& connection, std::string_view service, std::string_view kind,
                            std::string_view name) {
  IMGPROC_TRY(auto statement,
              connection.prepare("DELETE FROM documents WHERE service=?1 AND kind=?2 AND name=?3"));
  return statement.bind(1, service).bind(2, kind).bind(3, name).run();
}

}  // namespace

base::Result<Documents> Documents::open(Database& database, std::string service) {
  IMGPROC_CHECK(
      database.create_schema("CREATE TABLE IF NOT EXISTS documents (service TEXT, kind TEXT, name "
                             "TEXT, body TEXT NOT NULL,"
                             " PRIMARY KEY (service, kind, name)) WITHOUT ROWID"));
  return Documents(database, std::move(service));
}

base::Result<std::optional<json::object>> Documents::get(std::string_view kind,
                                                         std::string_view name) const {
  std::optional<json::object> document;
  IMGPROC_CHECK(database_->read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(document, read_document(connection, service_, kind, name));
    return {};
  }));
  return document;
}

base::Status Documents::put(std::string_view kind, std::string_view name,
                            const json::object& document) const {
  return database_->write([&](Connection& connection) {
    return write_document(connection, service_, kind, name, document);
  });
}

base::Result<bool> Documents::remove(std::string_view kind, std::string_view name) const {
  bool removed = false;
  IMGPROC_CHECK(database_->write([&](Connection& connection) -> base::Status {
    IMGPROC_CHECK(erase_document(connection, service_, kind, name));
    removed = connection.changes() > 0;
    return {};
  }));
  return removed;
}

base::Result<std::vector<std::pair<std::string, json::object>>> Documents::list(
    std::string_view kind, std::string_view prefix) const {
  std::vector<std::pair<std::string, json::object>> found;
  IMGPROC_CHECK(database_->read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(auto statement,
                connection.prepare(
                    "SELECT name, body FROM documents WHERE service=?1 AND kind=?2 AND name>=?3"
                    " AND substr(name, 1, length(?3))=?3 ORDER BY name"));
    statement.bind(1, service_).bind(2, kind).bind(3, prefix);
    for (;;) {
      IMGPROC_TRY(bool more, statement.step());
      if (!more) return {};
      IMGPROC_TRY(json::value value, base::parse_json(statement.column_text(1)));
      found.emplace_back(std::string(statement.column_text(0)), std::move(value.as_object()));
    }
  }));
  return found;
}

base::Status Documents::update(
    std::string_view kind, std::string_view name,
    const std::function<base::Status(std::optional<json::object>&)>& change) const {
  return database_->write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(std::optional<json::object> document,
                read_document(connection, service_, kind, name));
    IMGPROC_CHECK(change(document));
    if (!document) return erase_document(connection, service_, kind, name);
    return write_document(connection, service_, kind, name, *document);
  });
}

}  // namespace imgproc::localcloud
