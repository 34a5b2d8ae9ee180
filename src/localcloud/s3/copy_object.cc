#include <fmt/format.h>

#include "base/bytes.h"
#include "base/time.h"
#include "localcloud/s3/commit.h"
#include "localcloud/s3/copy_source.h"
#include "localcloud/s3/errors.h"
#include "localcloud/s3/object_headers.h"
#include "localcloud/s3/operation.h"
#include "localcloud/s3/put_object.h"
#include "localcloud/s3/xml.h"
#include "protocol/checksum.h"

namespace imgproc::localcloud::s3 {
namespace {

/// COPY (default) or REPLACE.
base::Result<bool> replaces(const Operation& operation, const char* header) {
  std::string value = operation.header_or_empty(header);
  if (value.empty() || base::equals_ignoring_case(value, "COPY")) return false;
  if (base::equals_ignoring_case(value, "REPLACE")) return true;
  return invalid_argument(fmt::format("Unknown {}: {}", header, value));
}

base::Result<base::HashAlgorithm> copy_algorithm(const Operation& operation,
                                                 const ObjectVersion& source) {
  std::string name = operation.header_or_empty("x-amz-checksum-algorithm");
  if (name.empty())
    return source.checksum ? source.checksum->algorithm : base::HashAlgorithm::crc64nvme;
  const auto* found = protocol::find_checksum(name);
  if (found == nullptr)
    return invalid_request("Value for x-amz-checksum-algorithm header is invalid.");
  return found->algorithm;
}

}  // namespace

Answer copy_object(Core& core, Operation& operation) {
  IMGPROC_TRY(CopySource source,
              parse_copy_source(operation.header("x-amz-copy-source").value_or("")));
  IMGPROC_TRY(bool new_metadata, replaces(operation, "x-amz-metadata-directive"));
  IMGPROC_TRY(bool new_tags, replaces(operation, "x-amz-tagging-directive"));
  IMGPROC_TRY(ObjectAttributes attributes, read_object_attributes(operation.request.headers));
  IMGPROC_CHECK(check_before_write(core, operation));
  IMGPROC_TRY(FoundObject object, find_copy_source(core, operation, source));
  bool same =
      source.bucket == operation.bucket && source.key == operation.key && !source.version_id;
  if (same && !new_metadata && !operation.header("x-amz-storage-class") &&
      !operation.header("x-amz-website-redirect-location") &&
      !operation.header("x-amz-server-side-encryption") &&
      !operation.header("x-amz-checksum-algorithm"))
    return invalid_request(
        "This copy request is illegal because it is trying to copy an object to itself without "
        "changing the object's metadata, storage class, website redirect location or encryption "
        "attributes.");
  if (object.version.bytes > kPutBytesMax)
    return invalid_request(fmt::format(
        "The specified copy source is larger than the maximum allowable size for a copy source: {}",
        kPutBytesMax));
  IMGPROC_TRY(base::HashAlgorithm algorithm, copy_algorithm(operation, object.version));
  IMGPROC_TRY(CopiedBody copied,
              copy_body(core, operation, source, object, 0, object.version.bytes, algorithm, true));

  ObjectVersion version{
      .key = operation.key,
      .bytes = copied.body.bytes,
      .etag = copied.md5_hex,
      .file = copied.body.file,
      .checksum = Checksum{.algorithm = algorithm, .value = copied.checksum, .composite = false},
      .storage_class = attributes.storage_class,
      .headers = new_metadata ? attributes.headers : object.version.headers,
      .tags = new_tags ? attributes.tags : object.version.tags};
  AfterCommit after;
  Written written;
  IMGPROC_CHECK(core.context.database.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(Bucket bucket, require_bucket(connection, operation.bucket));
    IMGPROC_TRY(written, commit_object(core, connection, operation, bucket, version,
                                       copied.body.text, "s3:ObjectCreated:Copy", after));
    return {};
  }));
  copied.body.keep();
  after.apply(core);

  XmlWriter xml("CopyObjectResult");
  xml.element("LastModified", base::to_iso8601(version.modified))
      .element("ETag", quote_etag(version.etag))
      .element(protocol::checksum_name(algorithm).element, copied.checksum)
      .element("ChecksumType", "FULL_OBJECT");
  http::Response response = xml.respond();
  if (object.versioned)
    response.headers.add("x-amz-copy-source-version-id", object.version.version_id);
  if (written.versioned) response.headers.add("x-amz-version-id", written.version_id);
  response.headers.add("x-amz-server-side-encryption", "AES256");
  return response;
}

}  // namespace imgproc::localcloud::s3
