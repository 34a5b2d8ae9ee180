#include "localcloud/s3/put_object.h"

#include <algorithm>

#include "base/hash.h"
#include "localcloud/s3/commit.h"
#include "localcloud/s3/conditions.h"
#include "localcloud/s3/errors.h"
#include "localcloud/s3/object_headers.h"

namespace imgproc::localcloud::s3 {

base::Status check_before_write(Core& core, const Operation& operation) {
  return core.context.database.read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY([[maybe_unused]] Bucket bucket, require_bucket(connection, operation.bucket));
    if (!operation.header("If-Match") && !operation.header("If-None-Match")) return {};
    IMGPROC_TRY(auto latest, find_latest(connection, operation.bucket, operation.key));
    bool exists = latest && !latest->delete_marker;
    return check_write(operation.request.headers, operation.key, exists ? &*latest : nullptr);
  });
}

base::Result<NewBody> store_body(Core& core, RequestBody& body, bool inline_allowed) {
  BodyWriter writer(core.bodies, inline_allowed);
  // No more than is needed: a block of kCopyBufferBytes goes back to the kernel each time.
  auto room = static_cast<std::size_t>(
      std::clamp<std::uint64_t>(body.expected_bytes(), 1, kCopyBufferBytes));
  auto buffer = std::make_unique_for_overwrite<char[]>(room);
  for (;;) {
    IMGPROC_TRY(std::size_t got, body.read({buffer.get(), room}));
    if (got == 0) break;
    IMGPROC_CHECK(writer.write({buffer.get(), got}));
  }
  IMGPROC_CHECK(body.verify());
  return writer.finish();
}

void add_written_headers(const Written& written, const ObjectVersion& version,
                         http::Headers& headers) {
  headers.add("ETag", quote_etag(version.etag));
  std::string_view encryption = stored_header(version, "x-amz-server-side-encryption");
  headers.add("x-amz-server-side-encryption",
              encryption.empty() ? "AES256" : std::string(encryption));
  if (written.versioned) headers.add("x-amz-version-id", written.version_id);
}

Answer put_object(Core& core, Operation& operation) {
  IMGPROC_TRY(ObjectAttributes attributes, read_object_attributes(operation.request.headers));
  // Saves sending a body in vain; one that is here already is refused by the write itself.
  if (operation.request.body.stream) IMGPROC_CHECK(check_before_write(core, operation));
  IMGPROC_TRY(RequestBody body, RequestBody::open(operation, kPutBytesMax));
  base::HashAlgorithm algorithm = body.named_algorithm().value_or(base::HashAlgorithm::crc64nvme);
  body.compute(algorithm);
  IMGPROC_TRY(NewBody stored, store_body(core, body, true));

  ObjectVersion version{
      .key = operation.key,
      .bytes = stored.bytes,
      .etag = body.md5_hex(),
      .file = stored.file,
      .checksum =
          Checksum{.algorithm = algorithm, .value = body.checksum(algorithm), .composite = false},
      .storage_class = std::move(attributes.storage_class),
      .headers = std::move(attributes.headers),
      .tags = std::move(attributes.tags)};
  AfterCommit after;
  Written written;
  IMGPROC_CHECK(core.context.database.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(Bucket bucket, require_bucket(connection, operation.bucket));
    IMGPROC_TRY(written, commit_object(core, connection, operation, bucket, version, stored.text,
                                       "s3:ObjectCreated:Put", after));
    return {};
  }));
  stored.keep();
  after.apply(core);

  http::Response response;
  add_written_headers(written, version, response.headers);
  add_checksum_headers(*version.checksum, response.headers);
  return response;
}

}  // namespace imgproc::localcloud::s3
