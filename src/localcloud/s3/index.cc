#include "localcloud/s3/index.h"

#include <algorithm>

#include "localcloud/s3/errors.h"
#include "protocol/checksum.h"

namespace imgproc::localcloud::s3 {
namespace {

// Keys are blobs: they compare byte by byte, which is S3's order. `newest_first` is the negative
// sequence, so that the versions of a key stand in the index as they are listed; or 0 where
// versioning was never on, so that overwriting an object leaves the index as it is.
constexpr const char* kSchema = R"sql(
CREATE TABLE IF NOT EXISTS s3_sequence(id INTEGER PRIMARY KEY CHECK (id = 1), value INTEGER NOT NULL);
INSERT OR IGNORE INTO s3_sequence VALUES(1, 0);
CREATE TABLE IF NOT EXISTS s3_buckets(
  name TEXT PRIMARY KEY, region TEXT NOT NULL, created_ms INTEGER NOT NULL,
  versioning INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS s3_configs(
  bucket TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY(bucket, kind)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS s3_versions(
  id INTEGER PRIMARY KEY, bucket TEXT NOT NULL, key BLOB NOT NULL, newest_first INTEGER NOT NULL,
  sequence INTEGER NOT NULL, version_id TEXT NOT NULL, delete_marker INTEGER NOT NULL,
  bytes INTEGER NOT NULL, etag TEXT NOT NULL, modified_ms INTEGER NOT NULL, file TEXT NOT NULL,
  parts INTEGER NOT NULL, checksum_algorithm TEXT NOT NULL, checksum TEXT NOT NULL,
  composite INTEGER NOT NULL, storage_class TEXT NOT NULL, headers TEXT NOT NULL,
  tags TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS s3_versions_by_key ON s3_versions(bucket, key, newest_first);
CREATE TABLE IF NOT EXISTS s3_texts(version INTEGER PRIMARY KEY, text BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS s3_parts(
  version INTEGER NOT NULL, number INTEGER NOT NULL, bytes INTEGER NOT NULL, etag TEXT NOT NULL,
  file TEXT NOT NULL, checksum TEXT NOT NULL, PRIMARY KEY(version, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS s3_uploads(
  id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key BLOB NOT NULL, initiated_ms INTEGER NOT NULL,
  checksum_algorithm TEXT NOT NULL, composite INTEGER NOT NULL, checksum_asked INTEGER NOT NULL,
  storage_class TEXT NOT NULL, headers TEXT NOT NULL, tags TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS s3_uploads_by_key ON s3_uploads(bucket, key, initiated_ms, id);
CREATE TABLE IF NOT EXISTS s3_upload_parts(
  upload TEXT NOT NULL, number INTEGER NOT NULL, bytes INTEGER NOT NULL, etag TEXT NOT NULL,
  file TEXT NOT NULL, checksum TEXT NOT NULL, modified_ms INTEGER NOT NULL,
  PRIMARY KEY(upload, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS s3_completed(
  upload TEXT PRIMARY KEY, bucket TEXT NOT NULL, key BLOB NOT NULL, etag TEXT NOT NULL,
  checksum_algorithm TEXT NOT NULL, checksum TEXT NOT NULL, composite INTEGER NOT NULL,
  version_id TEXT NOT NULL, done_ms INTEGER NOT NULL) WITHOUT ROWID;
)sql";

constexpr int kSequenceBitsPerMs = 16;
/// Numbers that a write of the sequence's row reserves: ten seconds' worth.
constexpr std::int64_t kSequenceReserve = std::int64_t{10'000} << kSequenceBitsPerMs;

base::SystemTime from_ms(std::int64_t ms) {
  return base::SystemTime{std::chrono::milliseconds{ms}};
}

base::Result<std::optional<ObjectVersion>> first_version(Statement& query) {
  IMGPROC_TRY(bool found, query.step());
  if (!found) return std::nullopt;
  return read_version(query);
}

}  // namespace

void Removed::apply(BodyStore& bodies) const {
  bodies.remove(files);
  for (const Group& group : groups) bodies.remove_group(group.name, group.files);
}

base::Status create_index(Database& database) {
  return database.create_schema(kSchema);
}

base::Status collect_files(Connection& connection, std::unordered_set<std::string>& files) {
  for (const char* sql : {"SELECT file FROM s3_versions WHERE file <> '' AND parts = 0",
                          "SELECT file FROM s3_parts", "SELECT file FROM s3_upload_parts"}) {
    IMGPROC_TRY(Statement query, connection.prepare(sql));
    for (;;) {
      IMGPROC_TRY(bool more, query.step());
      if (!more) break;
      files.emplace(query.column_text(0));
    }
  }
  return {};
}

base::Result<std::int64_t> Sequence::next(Connection& connection, base::SystemTime now) {
  std::int64_t bound = 0;
  {
    IMGPROC_TRY(Statement query, connection.prepare("SELECT value FROM s3_sequence WHERE id = 1"));
    IMGPROC_TRY(bool found, query.step());
    if (!found) return base::permanent("STORE_ERROR", "the row of s3_sequence is missing");
    bound = query.column_int(0);
  }
  std::int64_t by_clock = static_cast<std::int64_t>(now.time_since_epoch().count())
                          << kSequenceBitsPerMs;
  std::int64_t value = std::max(last_.value_or(bound) + 1, by_clock);
  // The row decides, not a copy of it: a transaction that raised it may have been rolled back.
  if (value > bound) {
    IMGPROC_TRY(Statement update,
                connection.prepare("UPDATE s3_sequence SET value = ?1 WHERE id = 1"));
    IMGPROC_CHECK(update.bind(1, value + kSequenceReserve).run());
  }
  last_ = value;
  return value;
}

base::Result<std::optional<Bucket>> find_bucket(Connection& connection, std::string_view name) {
  IMGPROC_TRY(Statement query,
              connection.prepare(
                  "SELECT name, region, created_ms, versioning FROM s3_buckets WHERE name = ?1"));
  query.bind(1, name);
  IMGPROC_TRY(bool found, query.step());
  if (!found) return std::nullopt;
  return Bucket{.name = std::string(query.column_text(0)),
                .region = std::string(query.column_text(1)),
                .created = from_ms(query.column_int(2)),
                .versioning = static_cast<Versioning>(query.column_int(3))};
}

base::Result<Bucket> require_bucket(Connection& connection, std::string_view name) {
  IMGPROC_TRY(std::optional<Bucket> bucket, find_bucket(connection, name));
  if (!bucket) return no_such_bucket(name);
  return std::move(*bucket);
}

base::Result<std::optional<std::string>> load_config(Connection& connection,
                                                     std::string_view bucket,
                                                     std::string_view kind) {
  IMGPROC_TRY(Statement query,
              connection.prepare("SELECT body FROM s3_configs WHERE bucket = ?1 AND kind = ?2"));
  query.bind(1, bucket).bind(2, kind);
  IMGPROC_TRY(bool found, query.step());
  if (!found) return std::nullopt;
  return std::string(query.column_text(0));
}

base::Status save_config(Connection& connection, std::string_view bucket, std::string_view kind,
                         std::string_view text) {
  IMGPROC_TRY(Statement insert,
              connection.prepare("INSERT OR REPLACE INTO s3_configs VALUES(?1, ?2, ?3)"));
  return insert.bind(1, bucket).bind(2, kind).bind(3, text).run();
}

base::Status erase_config(Connection& connection, std::string_view bucket, std::string_view kind) {
  IMGPROC_TRY(Statement erase,
              connection.prepare("DELETE FROM s3_configs WHERE bucket = ?1 AND kind = ?2"));
  return erase.bind(1, bucket).bind(2, kind).run();
}

ObjectVersion read_version(const Statement& row) {
  ObjectVersion version{.id = row.column_int(0),
                        .key = std::string(row.column_blob(1)),
                        .sequence = row.column_int(2),
                        .version_id = std::string(row.column_text(3)),
                        .delete_marker = row.column_int(4) != 0,
                        .bytes = static_cast<std::uint64_t>(row.column_int(5)),
                        .etag = std::string(row.column_text(6)),
                        .modified = from_ms(row.column_int(7)),
                        .file = std::string(row.column_text(8)),
                        .parts = row.column_int(9),
                        .storage_class = std::string(row.column_text(13)),
                        .headers = std::string(row.column_text(14)),
                        .tags = std::string(row.column_text(15))};
  if (const auto* name = protocol::find_checksum(row.column_text(10)))
    version.checksum = Checksum{.algorithm = name->algorithm,
                                .value = std::string(row.column_text(11)),
                                .composite = row.column_int(12) != 0};
  return version;
}

base::Result<std::optional<ObjectVersion>> find_latest(Connection& connection,
                                                       std::string_view bucket,
                                                       std::string_view key) {
  IMGPROC_TRY(Statement query, connection.prepare("SELECT " IMGPROC_S3_VERSION_COLUMNS
                                                  " FROM s3_versions v WHERE bucket = ?1 AND "
                                                  "key = ?2 ORDER BY newest_first LIMIT 1"));
  query.bind(1, bucket).bind_blob(2, key);
  return first_version(query);
}

base::Result<std::optional<ObjectVersion>> find_version(Connection& connection,
                                                        std::string_view bucket,
                                                        std::string_view key,
                                                        std::string_view version_id) {
  IMGPROC_TRY(Statement query, connection.prepare("SELECT " IMGPROC_S3_VERSION_COLUMNS
                                                  " FROM s3_versions v WHERE bucket = ?1 AND "
                                                  "key = ?2 AND version_id = ?3"));
  query.bind(1, bucket).bind_blob(2, key).bind(3, version_id);
  return first_version(query);
}

base::Result<ObjectVersion> require_version(Connection& connection, std::string_view bucket,
                                            std::string_view key,
                                            const std::optional<std::string>& version_id) {
  std::optional<ObjectVersion> version;
  if (version_id) {
    IMGPROC_TRY(version, find_version(connection, bucket, key, *version_id));
  } else {
    IMGPROC_TRY(version, find_latest(connection, bucket, key));
  }
  if (version) return std::move(*version);
  IMGPROC_TRY([[maybe_unused]] Bucket exists, require_bucket(connection, bucket));
  if (version_id) return no_such_version(*version_id);
  return no_such_key(key);
}

namespace {

/// Where a version stands among those of its key.
std::int64_t newest_first(const Bucket& bucket, const ObjectVersion& version) {
  return bucket.versioning == Versioning::never ? 0 : -version.sequence;
}

/// From ?4 on, in the order of the table.
void bind_version(Statement& statement, const ObjectVersion& version) {
  const auto& sum = version.checksum;
  statement.bind(4, version.sequence)
      .bind(5, version.version_id)
      .bind(6, static_cast<std::int64_t>(version.delete_marker))
      .bind(7, static_cast<std::int64_t>(version.bytes))
      .bind(8, version.etag)
      .bind(9, static_cast<std::int64_t>(version.modified.time_since_epoch().count()))
      .bind(10, version.file)
      .bind(11, version.parts)
      .bind(12, sum ? protocol::checksum_name(sum->algorithm).name : std::string_view{})
      .bind(13, sum ? std::string_view(sum->value) : std::string_view{})
      .bind(14, static_cast<std::int64_t>(sum && sum->composite))
      .bind(15, version.storage_class)
      .bind(16, version.headers)
      .bind(17, version.tags);
}

base::Status save_text(Connection& connection, const ObjectVersion& version,
                       std::string_view text) {
  if (text.empty()) return {};
  IMGPROC_TRY(Statement body, connection.prepare("INSERT OR REPLACE INTO s3_texts VALUES(?1, ?2)"));
  return body.bind(1, version.id).bind_blob(2, text).run();
}

bool has_text(const ObjectVersion& version) {
  return version.file.empty() && version.bytes > 0;
}

/// As save_text() where one stands. SQLite writes over bytes of the same number without giving
/// their pages back and taking others, if it has looked at the row before, as length() does.
base::Status replace_text(Connection& connection, const ObjectVersion& version,
                          std::string_view text) {
  IMGPROC_TRY(Statement update,
              connection.prepare("UPDATE s3_texts SET text = ?2 WHERE version = ?1 AND "
                                 "length(text) = length(?2)"));
  IMGPROC_CHECK(update.bind(1, version.id).bind_blob(2, text).run());
  return connection.changes() > 0 ? base::Status{} : save_text(connection, version, text);
}

/// Deletes what the version's row leads to, but for the text.
base::Status delete_files(Connection& connection, const ObjectVersion& version, Removed& removed) {
  if (version.parts > 0) {
    IMGPROC_TRY(std::vector<Part> parts, load_parts(connection, version.id));
    Removed::Group group{.name = version.file, .files = {}};
    for (Part& part : parts) group.files.push_back(std::move(part.file));
    removed.groups.push_back(std::move(group));
    IMGPROC_TRY(Statement erase, connection.prepare("DELETE FROM s3_parts WHERE version = ?1"));
    return erase.bind(1, version.id).run();
  }
  if (!version.file.empty()) removed.files.push_back(version.file);
  return {};
}

base::Status delete_text(Connection& connection, const ObjectVersion& version) {
  if (!has_text(version)) return {};
  IMGPROC_TRY(Statement erase, connection.prepare("DELETE FROM s3_texts WHERE version = ?1"));
  return erase.bind(1, version.id).run();
}

}  // namespace

base::Status insert_version(Connection& connection, const Bucket& bucket, ObjectVersion& version,
                            std::string_view text) {
  IMGPROC_TRY(
      Statement insert,
      connection.prepare("INSERT INTO s3_versions VALUES(NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
                         "?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)"));
  insert.bind(1, bucket.name).bind_blob(2, version.key).bind(3, newest_first(bucket, version));
  bind_version(insert, version);
  IMGPROC_CHECK(insert.run());
  version.id = connection.last_insert_rowid();
  return save_text(connection, version, text);
}

base::Status replace_version(Connection& connection, const Bucket& bucket, const ObjectVersion& old,
                             ObjectVersion& version, std::string_view text, Removed& removed) {
  IMGPROC_CHECK(delete_files(connection, old, removed));
  if (text.empty()) IMGPROC_CHECK(delete_text(connection, old));
  version.id = old.id;
  // By itself: a statement that could change an indexed column writes the index in any case.
  IMGPROC_TRY(Statement place,
              connection.prepare("UPDATE s3_versions SET newest_first = ?2 WHERE id = ?1 AND "
                                 "newest_first <> ?2"));
  IMGPROC_CHECK(place.bind(1, version.id).bind(2, newest_first(bucket, version)).run());
  IMGPROC_TRY(Statement update,
              connection.prepare(
                  "UPDATE s3_versions SET sequence = ?4, version_id = ?5, delete_marker = ?6, "
                  "bytes = ?7, etag = ?8, modified_ms = ?9, file = ?10, parts = ?11, "
                  "checksum_algorithm = ?12, checksum = ?13, composite = ?14, "
                  "storage_class = ?15, headers = ?16, tags = ?17 WHERE id = ?1"));
  update.bind(1, version.id);
  bind_version(update, version);
  IMGPROC_CHECK(update.run());
  if (text.empty() || !has_text(old)) return save_text(connection, version, text);
  return replace_text(connection, version, text);
}

base::Status delete_version(Connection& connection, const ObjectVersion& version,
                            Removed& removed) {
  IMGPROC_CHECK(delete_files(connection, version, removed));
  IMGPROC_CHECK(delete_text(connection, version));
  IMGPROC_TRY(Statement erase, connection.prepare("DELETE FROM s3_versions WHERE id = ?1"));
  return erase.bind(1, version.id).run();
}

base::Result<std::string> load_text(Connection& connection, std::int64_t version) {
  IMGPROC_TRY(Statement query, connection.prepare("SELECT text FROM s3_texts WHERE version = ?1"));
  query.bind(1, version);
  IMGPROC_TRY(bool found, query.step());
  if (!found) return std::string{};
  return std::string(query.column_blob(0));
}

base::Status insert_part(Connection& connection, std::int64_t version, const Part& part) {
  IMGPROC_TRY(Statement insert,
              connection.prepare("INSERT INTO s3_parts VALUES(?1, ?2, ?3, ?4, ?5, ?6)"));
  return insert.bind(1, version)
      .bind(2, part.number)
      .bind(3, static_cast<std::int64_t>(part.bytes))
      .bind(4, part.etag)
      .bind(5, part.file)
      .bind(6, part.checksum)
      .run();
}

base::Result<std::vector<Part>> load_parts(Connection& connection, std::int64_t version) {
  IMGPROC_TRY(Statement query,
              connection.prepare("SELECT number, bytes, etag, file, checksum FROM s3_parts WHERE "
                                 "version = ?1 ORDER BY number"));
  query.bind(1, version);
  std::vector<Part> parts;
  for (;;) {
    IMGPROC_TRY(bool more, query.step());
    if (!more) return parts;
    parts.push_back(Part{.number = query.column_int(0),
                         .bytes = static_cast<std::uint64_t>(query.column_int(1)),
                         .etag = std::string(query.column_text(2)),
                         .file = std::string(query.column_text(3)),
                         .checksum = std::string(query.column_text(4))});
  }
}

}  // namespace imgproc::localcloud::s3
