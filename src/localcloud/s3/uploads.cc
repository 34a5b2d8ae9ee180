#include "localcloud/s3/uploads.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "localcloud/s3/errors.h"
#include "localcloud/s3/listing.h"
#include "localcloud/s3/object_headers.h"
#include "localcloud/s3/xml.h"
#include "protocol/checksum.h"

namespace imgproc::localcloud::s3 {
namespace {

base::SystemTime from_ms(std::int64_t ms) {
  return base::SystemTime{std::chrono::milliseconds{ms}};
}

#define IMGPROC_S3_UPLOAD_COLUMNS                                                                  \
  "id, key, initiated_ms, checksum_algorithm, composite, checksum_asked, storage_class, headers, " \
  "tags"

Upload read_upload(const Statement& row) {
  Upload upload{.id = std::string(row.column_text(0)),
                .key = std::string(row.column_blob(1)),
                .initiated = from_ms(row.column_int(2)),
                .composite = row.column_int(4) != 0,
                .checksum_asked = row.column_int(5) != 0,
                .storage_class = std::string(row.column_text(6)),
                .headers = std::string(row.column_text(7)),
                .tags = std::string(row.column_text(8))};
  if (const auto* name = protocol::find_checksum(row.column_text(3)))
    upload.algorithm = name->algorithm;
  return upload;
}

}  // namespace

base::Status insert_upload(Connection& connection, std::string_view bucket, const Upload& upload) {
  IMGPROC_TRY(
      Statement insert,
      connection.prepare("INSERT INTO s3_uploads VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"));
  return insert.bind(1, upload.id)
      .bind(2, bucket)
      .bind_blob(3, upload.key)
      .bind(4, static_cast<std::int64_t>(upload.initiated.time_since_epoch().count()))
      .bind(5, protocol::checksum_name(upload.algorithm).name)
      .bind(6, static_cast<std::int64_t>(upload.composite))
      .bind(7, static_cast<std::int64_t>(upload.checksum_asked))
      .bind(8, upload.storage_class)
      .bind(9, upload.headers)
      .bind(10, upload.tags)
      .run();
}

base::Result<Upload> require_upload(Connection& connection, const Operation& operation) {
  IMGPROC_TRY([[maybe_unused]] Bucket bucket, require_bucket(connection, operation.bucket));
  std::string id = operation.param("uploadId").value_or("");
  IMGPROC_TRY(Statement query,
              connection.prepare("SELECT " IMGPROC_S3_UPLOAD_COLUMNS
                                 " FROM s3_uploads WHERE id = ?1 AND bucket = ?2 AND key = ?3"));
  query.bind(1, id).bind(2, operation.bucket).bind_blob(3, operation.key);
  IMGPROC_TRY(bool found, query.step());
  if (!found) return no_such_upload(id);
  return read_upload(query);
}

base::Result<std::vector<Part>> load_upload_parts(Connection& connection,
                                                  std::string_view upload_id) {
  IMGPROC_TRY(Statement query,
              connection.prepare("SELECT number, bytes, etag, file, checksum, modified_ms FROM "
                                 "s3_upload_parts WHERE upload = ?1 ORDER BY number"));
  query.bind(1, upload_id);
  std::vector<Part> parts;
  for (;;) {
    IMGPROC_TRY(bool more, query.step());
    if (!more) return parts;
    parts.push_back(Part{.number = query.column_int(0),
                         .bytes = static_cast<std::uint64_t>(query.column_int(1)),
                         .etag = std::string(query.column_text(2)),
                         .file = std::string(query.column_text(3)),
                         .checksum = std::string(query.column_text(4)),
                         .modified = from_ms(query.column_int(5))});
  }
}

base::Status save_upload_part(Connection& connection, std::string_view upload_id, const Part& part,
                              Removed& removed) {
  IMGPROC_TRY(Statement old, connection.prepare("SELECT file FROM s3_upload_parts WHERE upload = "
                                                "?1 AND number = ?2"));
  IMGPROC_TRY(bool found, old.bind(1, upload_id).bind(2, part.number).step());
  if (found) removed.files.emplace_back(old.column_text(0));
  old.reset();
  IMGPROC_TRY(Statement insert,
              connection.prepare("INSERT OR REPLACE INTO s3_upload_parts VALUES(?1, ?2, ?3, ?4, "
                                 "?5, ?6, ?7)"));
  return insert.bind(1, upload_id)
      .bind(2, part.number)
      .bind(3, static_cast<std::int64_t>(part.bytes))
      .bind(4, part.etag)
      .bind(5, part.file)
      .bind(6, part.checksum)
      .bind(7, static_cast<std::int64_t>(part.modified.time_since_epoch().count()))
      .run();
}

base::Status erase_upload(Connection& connection, std::string_view upload_id) {
  for (const char* sql :
       {"DELETE FROM s3_upload_parts WHERE upload = ?1", "DELETE FROM s3_uploads WHERE id = ?1"}) {
    IMGPROC_TRY(Statement erase, connection.prepare(sql));
    IMGPROC_CHECK(erase.bind(1, upload_id).run());
  }
  return {};
}

base::Result<std::vector<Upload>> load_uploads(Connection& connection, std::string_view bucket,
                                               std::string_view prefix) {
  IMGPROC_TRY(Statement query,
              connection.prepare("SELECT " IMGPROC_S3_UPLOAD_COLUMNS
                                 " FROM s3_uploads WHERE bucket = ?1 AND key >= ?2 ORDER BY key, "
                                 "initiated_ms, id"));
  query.bind(1, bucket).bind_blob(2, prefix);
  std::vector<Upload> uploads;
  for (;;) {
    IMGPROC_TRY(bool more, query.step());
    if (!more || !query.column_blob(1).starts_with(prefix)) return uploads;
    uploads.push_back(read_upload(query));
  }
}

base::Result<std::int64_t> read_part_number(const Operation& operation) {
  auto number = base::parse_unsigned(operation.param("partNumber").value_or(""));
  if (!number || *number < 1 || *number > kPartNumberMax)
    return invalid_argument(
        fmt::format("Part number must be an integer between 1 and {}, inclusive", kPartNumberMax));
  return static_cast<std::int64_t>(*number);
}

base::Result<std::vector<ListedPart>> parse_complete(std::string_view xml) {
  pugi::xml_document document;
  IMGPROC_CHECK(parse_xml(xml, "CompleteMultipartUpload", document));
  std::vector<ListedPart> parts;
  for (pugi::xml_node node : document.document_element().children("Part")) {
    auto number = base::parse_unsigned(base::trim(node.child_value("PartNumber")));
    ListedPart part{.etag = std::string(unquote_etag(node.child_value("ETag")))};
    if (!number || part.etag.empty()) return malformed_xml("a Part needs PartNumber and ETag");
    if (*number < 1 || *number > kPartNumberMax)
      return invalid_argument("Part number must be an integer between 1 and 10000, inclusive");
    part.number = static_cast<std::int64_t>(*number);
    if (!parts.empty() && part.number <= parts.back().number)
      return fail(400, "InvalidPartOrder",
                  "The list of parts was not in ascending order. The parts list must be specified "
                  "in order by part number.");
    for (const auto& name : protocol::checksum_names())
      if (pugi::xml_node value = node.child(std::string(name.element).c_str()))
        part.checksums.emplace_back(name.element, value.child_value());
    parts.push_back(std::move(part));
  }
  if (parts.empty()) return malformed_xml("there is no Part");
  return parts;
}

std::string combine_checksums(base::HashAlgorithm algorithm, bool composite,
                              const std::vector<Part>& parts) {
  std::string raw;
  if (composite) {
    for (const Part& part : parts) raw += base::from_base64(part.checksum).value_or("");
    return fmt::format("{}-{}", base::to_base64(base::hash(algorithm, raw)), parts.size());
  }
  raw = base::hash(algorithm, "");
  for (const Part& part : parts)
    raw = protocol::combine_crc(algorithm, raw, base::from_base64(part.checksum).value_or(""),
                                part.bytes);
  return base::to_base64(raw);
}

std::string combine_etags(const std::vector<Part>& parts) {
  std::string raw;
  for (const Part& part : parts) raw += base::from_hex(part.etag).value_or("");
  return fmt::format("{}-{}", base::md5_hex(raw), parts.size());
}

}  // namespace imgproc::localcloud::s3
