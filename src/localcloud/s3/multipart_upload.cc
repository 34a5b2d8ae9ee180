// CreateMultipartUpload, UploadPart, UploadPartCopy, AbortMultipartUpload.

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/random.h"
#include "base/time.h"
#include "localcloud/s3/conditions.h"
#include "localcloud/s3/copy_source.h"
#include "localcloud/s3/errors.h"
#include "localcloud/s3/object_headers.h"
#include "localcloud/s3/operation.h"
#include "localcloud/s3/put_object.h"
#include "localcloud/s3/uploads.h"
#include "localcloud/s3/xml.h"
#include "protocol/checksum.h"

namespace imgproc::localcloud::s3 {
namespace {

/// x-amz-checksum-algorithm and x-amz-checksum-type, with S3's table of what goes together.
base::Status read_checksum_choice(const Operation& operation, Upload& upload) {
  std::string name = operation.header_or_empty("x-amz-checksum-algorithm");
  std::string type = operation.header_or_empty("x-amz-checksum-type");
  if (name.empty()) {
    if (type.empty()) return {};
    return invalid_request(
        "The x-amz-checksum-type header can only be used with the "
        "x-amz-checksum-algorithm header.");
  }
  const auto* found = protocol::find_checksum(name);
  if (found == nullptr)
    return invalid_request(
        "Checksum algorithm provided is unsupported. Please try again with any "
        "of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
  upload.algorithm = found->algorithm;
  upload.checksum_asked = true;
  bool crc64 = found->algorithm == base::HashAlgorithm::crc64nvme;
  if (type.empty()) {
    upload.composite = !crc64;
    return {};
  }
  if (type != "COMPOSITE" && type != "FULL_OBJECT")
    return invalid_request("Value for x-amz-checksum-type header is invalid.");
  upload.composite = type == "COMPOSITE";
  if (upload.composite ? crc64 : !protocol::is_crc(found->algorithm))
    return invalid_request(
        fmt::format("The {} checksum type cannot be used with the {} checksum algorithm.", type,
                    base::to_lower(name)));
  return {};
}

base::Result<Upload> lookup_upload(Core& core, const Operation& operation) {
  Upload upload;
  IMGPROC_CHECK(core.context.database.read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(upload, require_upload(connection, operation));
    return {};
  }));
  return upload;
}

base::Status commit_part(Core& core, const Operation& operation, const Part& part) {
  Removed removed;
  IMGPROC_CHECK(core.context.database.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(Upload upload, require_upload(connection, operation));
    return save_upload_part(connection, upload.id, part, removed);
  }));
  removed.apply(core.bodies);
  return {};
}

base::Result<ByteRange> copy_range(const Operation& operation, std::uint64_t source_bytes) {
  auto header = operation.header("x-amz-copy-source-range");
  if (!header) return ByteRange{.first = 0, .count = source_bytes};
  std::string_view spec = *header;
  auto dash = spec.find('-');
  constexpr std::string_view kUnit = "bytes=";
  if (!spec.starts_with(kUnit) || dash == std::string_view::npos)
    return invalid_argument(
        "The x-amz-copy-source-range value must be of the form bytes=first-last "
        "where first and last are the zero-based offsets of the first and last "
        "bytes to copy");
  auto first = base::parse_unsigned(spec.substr(kUnit.size(), dash - kUnit.size()));
  auto last = base::parse_unsigned(spec.substr(dash + 1));
  if (!first || !last || *last < *first)
    return invalid_argument(
        "The x-amz-copy-source-range value must be of the form bytes=first-last "
        "where first and last are the zero-based offsets of the first and last "
        "bytes to copy");
  if (*last >= source_bytes)
    return invalid_argument(
        fmt::format("Range specified is not valid for source object of size: {}", source_bytes));
  return ByteRange{.first = *first, .count = *last - *first + 1};
}

}  // namespace

Answer create_multipart_upload(Core& core, Operation& operation) {
  IMGPROC_TRY(ObjectAttributes attributes, read_object_attributes(operation.request.headers));
  Upload upload{.id = base::random_hex(24),
                .key = operation.key,
                .initiated = core.context.clock.now(),
                .storage_class = std::move(attributes.storage_class),
                .headers = std::move(attributes.headers),
                .tags = std::move(attributes.tags)};
  IMGPROC_CHECK(read_checksum_choice(operation, upload));
  IMGPROC_CHECK(core.context.database.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY([[maybe_unused]] Bucket bucket, require_bucket(connection, operation.bucket));
    return insert_upload(connection, operation.bucket, upload);
  }));
  XmlWriter xml("InitiateMultipartUploadResult");
  xml.element("Bucket", operation.bucket)
      .element("Key", operation.key)
      .element("UploadId", upload.id);
  http::Response response = xml.respond();
  response.headers.add("x-amz-server-side-encryption", "AES256");
  if (upload.checksum_asked) {
    response.headers.add("x-amz-checksum-algorithm",
                         std::string(protocol::checksum_name(upload.algorithm).name));
    response.headers.add("x-amz-checksum-type", upload.composite ? "COMPOSITE" : "FULL_OBJECT");
  }
  return response;
}

Answer upload_part(Core& core, Operation& operation) {
  IMGPROC_TRY(std::int64_t number, read_part_number(operation));
  IMGPROC_TRY(Upload upload, lookup_upload(core, operation));
  IMGPROC_TRY(RequestBody body, RequestBody::open(operation, kPutBytesMax));
  if (upload.checksum_asked && body.named_algorithm() &&
      *body.named_algorithm() != upload.algorithm)
    return invalid_request(fmt::format(
        "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
        base::to_lower(protocol::checksum_name(upload.algorithm).name),
        base::to_lower(protocol::checksum_name(*body.named_algorithm()).name)));
  body.compute(upload.algorithm);
  IMGPROC_TRY(NewBody stored, store_body(core, body, false));
  Part part{.number = number,
            .bytes = stored.bytes,
            .etag = body.md5_hex(),
            .file = stored.file,
            .checksum = body.checksum(upload.algorithm),
            .modified = core.context.clock.now()};
  IMGPROC_CHECK(commit_part(core, operation, part));
  stored.keep();
  http::Response response;
  response.headers.add("ETag", quote_etag(part.etag));
  response.headers.add("x-amz-server-side-encryption", "AES256");
  base::HashAlgorithm shown = body.named_algorithm().value_or(upload.algorithm);
  response.headers.add(std::string(protocol::checksum_name(shown).header), body.checksum(shown));
  return response;
}

Answer upload_part_copy(Core& core, Operation& operation) {
  IMGPROC_TRY(std::int64_t number, read_part_number(operation));
  IMGPROC_TRY(CopySource source,
              parse_copy_source(operation.header("x-amz-copy-source").value_or("")));
  IMGPROC_TRY(Upload upload, lookup_upload(core, operation));
  IMGPROC_TRY(FoundObject object, find_copy_source(core, operation, source));
  IMGPROC_TRY(ByteRange range, copy_range(operation, object.version.bytes));
  if (range.count > kPutBytesMax)
    return invalid_request(
        "The specified copy source is larger than the maximum allowable size "
        "for a copy source: 5368709120");
  IMGPROC_TRY(CopiedBody copied, copy_body(core, operation, source, object, range.first,
                                           range.count, upload.algorithm, false));
  Part part{.number = number,
            .bytes = copied.body.bytes,
            .etag = copied.md5_hex,
            .file = copied.body.file,
            .checksum = copied.checksum,
            .modified = core.context.clock.now()};
  IMGPROC_CHECK(commit_part(core, operation, part));
  copied.body.keep();
  XmlWriter xml("CopyPartResult");
  xml.element("LastModified", base::to_iso8601(part.modified))
      .element("ETag", quote_etag(part.etag));
  if (upload.checksum_asked)
    xml.element(protocol::checksum_name(upload.algorithm).element, part.checksum);
  http::Response response = xml.respond();
  if (object.versioned)
    response.headers.add("x-amz-copy-source-version-id", object.version.version_id);
  return response;
}

Answer abort_multipart_upload(Core& core, Operation& operation) {
  Removed removed;
  IMGPROC_CHECK(core.context.database.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(Upload upload, require_upload(connection, operation));
    IMGPROC_TRY(std::vector<Part> parts, load_upload_parts(connection, upload.id));
    for (Part& part : parts) removed.files.push_back(std::move(part.file));
    return erase_upload(connection, upload.id);
  }));
  removed.apply(core.bodies);
  http::Response response;
  response.status = 204;
  return response;
}

}  // namespace imgproc::localcloud::s3
