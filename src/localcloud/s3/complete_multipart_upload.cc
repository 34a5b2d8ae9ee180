#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "localcloud/s3/commit.h"
#include "localcloud/s3/errors.h"
#include "localcloud/s3/object_headers.h"
#include "localcloud/s3/operation.h"
#include "localcloud/s3/put_object.h"
#include "localcloud/s3/request_body.h"
#include "localcloud/s3/uploads.h"
#include "localcloud/s3/xml.h"
#include "protocol/checksum.h"

namespace imgproc::localcloud::s3 {
namespace {

Failure invalid_part(std::int64_t number) {
  return fail(400, "InvalidPart",
              fmt::format("One or more of the specified parts could not be found. The part may not "
                          "have been uploaded, or the specified entity tag may not match the "
                          "part's entity tag: part {}",
                          number));
}

base::Status check_part(const Upload& upload, const ListedPart& listed, const Part& part) {
  if (part.etag != listed.etag) return invalid_part(listed.number);
  const auto& name = protocol::checksum_name(upload.algorithm);
  bool found = false;
  for (const auto& [element, value] : listed.checksums) {
    if (element != name.element) continue;
    found = true;
    if (value != part.checksum) return invalid_part(listed.number);
  }
  if (!found && upload.composite)
    return invalid_request(fmt::format(
        "The upload was created using a {} checksum. The complete request must include the "
        "checksum for each part. It was missing for part {} in the request.",
        base::to_lower(name.name), listed.number));
  return {};
}

/// The uploaded parts that the request lists, in its order; the others go to `removed`.
base::Result<std::vector<Part>> choose_parts(const Upload& upload,
                                             const std::vector<ListedPart>& listed,
                                             std::vector<Part> uploaded, Removed& removed) {
  std::vector<Part> chosen;
  auto at = uploaded.begin();
  for (const ListedPart& want : listed) {
    for (; at != uploaded.end() && at->number < want.number; ++at)
      removed.files.push_back(at->file);
    if (at == uploaded.end() || at->number != want.number) return invalid_part(want.number);
    IMGPROC_CHECK(check_part(upload, want, *at));
    chosen.push_back(std::move(*at++));
  }
  for (; at != uploaded.end(); ++at) removed.files.push_back(at->file);
  for (std::size_t i = 0; i + 1 < chosen.size(); ++i)
    if (chosen[i].bytes < kPartBytesMin)
      return fail(400, "EntityTooSmall",
                  fmt::format("Your proposed upload is smaller than the minimum allowed object "
                              "size: part {} has {} bytes, at least {} are needed",
                              chosen[i].number, chosen[i].bytes, kPartBytesMin));
  return chosen;
}

/// What the request says about the whole object.
base::Status check_whole(const Operation& operation, const Upload& upload,
                         const ObjectVersion& version) {
  if (auto type = operation.header("x-amz-checksum-type");
      type && upload.checksum_asked && (*type == "COMPOSITE") != upload.composite)
    return invalid_request(fmt::format(
        "The upload was created using the {} checksum mode. The complete request must use the same "
        "checksum mode.",
        upload.composite ? "COMPOSITE" : "FULL_OBJECT"));
  if (auto size = operation.header("x-amz-mp-object-size");
      size && base::parse_unsigned(*size) != version.bytes)
    return invalid_request(fmt::format(
        "The provided 'x-amz-mp-object-size' header does not match what was computed: {}",
        version.bytes));
  const auto& name = protocol::checksum_name(upload.algorithm);
  auto claimed = operation.header(name.header);
  if (!claimed || *claimed == version.checksum->value) return {};
  std::string_view value = version.checksum->value;
  if (upload.composite && *claimed == value.substr(0, value.rfind('-'))) return {};
  return fail(400, "BadDigest",
              fmt::format("The {} you specified did not match the calculated checksum.",
                          base::to_lower(name.name)));
}

struct Completed {
  std::string etag;
  std::optional<Checksum> checksum;
  Written written;
};

/// A client that lost the answer asks again: the same answer, for as long as the row is kept.
base::Result<std::optional<Completed>> find_completed(Connection& connection,
                                                      const Operation& operation) {
  IMGPROC_TRY(Statement query,
              connection.prepare("SELECT etag, checksum_algorithm, checksum, composite, version_id "
                                 "FROM s3_completed WHERE upload = ?1 AND bucket = ?2 AND key = "
                                 "?3"));
  query.bind(1, operation.param("uploadId").value_or(""))
      .bind(2, operation.bucket)
      .bind_blob(3, operation.key);
  IMGPROC_TRY(bool found, query.step());
  if (!found) return std::nullopt;
  Completed completed{.etag = std::string(query.column_text(0))};
  if (const auto* name = protocol::find_checksum(query.column_text(1)))
    completed.checksum = Checksum{.algorithm = name->algorithm,
                                  .value = std::string(query.column_text(2)),
                                  .composite = query.column_int(3) != 0};
  completed.written = Written{.versioned = !query.column_text(4).empty(),
                              .version_id = std::string(query.column_text(4))};
  return completed;
}

base::Status remember_completed(Connection& connection, const Operation& operation,
                                const Upload& upload, const ObjectVersion& version,
                                const Written& written) {
  constexpr std::int64_t kKeepMs = std::int64_t{24} * 3600 * 1000;
  std::int64_t now_ms = version.modified.time_since_epoch().count();
  IMGPROC_TRY(Statement old, connection.prepare("DELETE FROM s3_completed WHERE done_ms < ?1"));
  IMGPROC_CHECK(old.bind(1, now_ms - kKeepMs).run());
  IMGPROC_TRY(Statement insert, connection.prepare("INSERT OR REPLACE INTO s3_completed VALUES("
                                                   "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"));
  return insert.bind(1, upload.id)
      .bind(2, operation.bucket)
      .bind_blob(3, operation.key)
      .bind(4, version.etag)
      .bind(5, protocol::checksum_name(upload.algorithm).name)
      .bind(6, version.checksum->value)
      .bind(7, static_cast<std::int64_t>(upload.composite))
      .bind(8, written.versioned ? std::string_view(written.version_id) : std::string_view{})
      .bind(9, now_ms)
      .run();
}

base::Result<Completed> complete(Core& core, Connection& connection, const Operation& operation,
                                 const std::vector<ListedPart>& listed, AfterCommit& after) {
  auto upload = require_upload(connection, operation);
  if (!upload) {
    IMGPROC_TRY(auto before, find_completed(connection, operation));
    if (before) return std::move(*before);
    return std::unexpected(std::move(upload).error());
  }
  IMGPROC_TRY(Bucket bucket, require_bucket(connection, operation.bucket));
  IMGPROC_TRY(std::vector<Part> uploaded, load_upload_parts(connection, upload->id));
  IMGPROC_TRY(std::vector<Part> parts,
              choose_parts(*upload, listed, std::move(uploaded), after.removed));
  std::uint64_t bytes = 0;
  for (const Part& part : parts) bytes += part.bytes;
  ObjectVersion version{
      .key = operation.key,
      .bytes = bytes,
      .etag = combine_etags(parts),
      .file = upload->id,
      .parts = static_cast<std::int64_t>(parts.size()),
      .checksum = Checksum{.algorithm = upload->algorithm,
                           .value = combine_checksums(upload->algorithm, upload->composite, parts),
                           .composite = upload->composite},
      .storage_class = upload->storage_class,
      .headers = upload->headers,
      .tags = upload->tags};
  IMGPROC_CHECK(check_whole(operation, *upload, version));
  IMGPROC_TRY(Written written, commit_object(core, connection, operation, bucket, version, {},
                                             "s3:ObjectCreated:CompleteMultipartUpload", after));
  for (const Part& part : parts) IMGPROC_CHECK(insert_part(connection, version.id, part));
  IMGPROC_CHECK(erase_upload(connection, upload->id));
  IMGPROC_CHECK(remember_completed(connection, operation, *upload, version, written));
  return Completed{
      .etag = version.etag, .checksum = version.checksum, .written = std::move(written)};
}

}  // namespace

Answer complete_multipart_upload(Core& core, Operation& operation) {
  IMGPROC_TRY(std::string text, read_complete_body(operation));
  IMGPROC_TRY(std::vector<ListedPart> listed, parse_complete(text));
  AfterCommit after;
  Completed completed;
  IMGPROC_CHECK(core.context.database.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(completed, complete(core, connection, operation, listed, after));
    return {};
  }));
  after.apply(core);
  XmlWriter xml("CompleteMultipartUploadResult");
  xml.element("Location", fmt::format("http://{}/{}/{}", operation.header("Host").value_or(""),
                                      operation.bucket, base::percent_encode(operation.key, true)))
      .element("Bucket", operation.bucket)
      .element("Key", operation.key)
      .element("ETag", quote_etag(completed.etag));
  if (completed.checksum)
    xml.element(protocol::checksum_name(completed.checksum->algorithm).element,
                completed.checksum->value)
        .element("ChecksumType", completed.checksum->composite ? "COMPOSITE" : "FULL_OBJECT");
  http::Response response = xml.respond();
  response.headers.add("x-amz-server-side-encryption", "AES256");
  if (completed.written.versioned)
    response.headers.add("x-amz-version-id", completed.written.version_id);
  return response;
}

}  // namespace imgproc::localcloud::s3
