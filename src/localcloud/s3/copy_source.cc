#include "localcloud/s3/copy_source.h"

#include "base/bytes.h"
#include "localcloud/s3/conditions.h"
#include "localcloud/s3/errors.h"
#include "localcloud/s3/request_body.h"

namespace imgproc::localcloud::s3 {

base::Result<CopySource> parse_copy_source(std::string_view header) {
  CopySource source;
  constexpr std::string_view kVersion = "?versionId=";
  if (auto at = header.rfind(kVersion); at != std::string_view::npos) {
    source.version_id = base::percent_decode(header.substr(at + kVersion.size()));
    header = header.substr(0, at);
  }
  std::string path = base::percent_decode(header);
  if (path.starts_with("arn:")) return not_implemented("copying from an access point");
  if (path.starts_with('/')) path.erase(0, 1);
  auto slash = path.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == path.size())
    return invalid_argument(
        "Copy Source must mention the source bucket and key: "
        "sourcebucket/sourcekey");
  source.bucket = path.substr(0, slash);
  source.key = path.substr(slash + 1);
  return source;
}

base::Result<FoundObject> find_copy_source(Core& core, const Operation& operation,
                                           const CopySource& source) {
  IMGPROC_TRY(FoundObject object,
              find_object(core, source.bucket, source.key, source.version_id, true));
  if (object.version.delete_marker) {
    if (source.version_id)
      return invalid_request(
          "The source of a copy request may not specifically refer to a delete "
          "marker by version id.");
    return no_such_key(source.key);
  }
  if (check_read(operation.request.headers, "x-amz-copy-source-", object.version) !=
      ReadCondition::holds)
    return precondition_failed("x-amz-copy-source-if-*");
  return object;
}

base::Result<CopiedBody> copy_body(Core& core, const Operation& operation, const CopySource& source,
                                   FoundObject& object, std::uint64_t offset, std::uint64_t count,
                                   base::HashAlgorithm algorithm, bool inline_allowed) {
  auto opened = read_object(core, object, offset, count);
  for (int lookup = 1; !opened && opened.error().code == "NO_BODY_FILE" && lookup < kLookupsMax;
       ++lookup) {
    std::string etag = object.version.etag;
    IMGPROC_TRY(object, find_copy_source(core, operation, source));
    if (object.version.etag != etag && (offset != 0 || count != object.version.bytes))
      return fail(409, "OperationAborted", "The source was replaced while it was copied.");
    opened = read_object(core, object, offset, count);
  }
  if (!opened) return std::unexpected(std::move(opened).error());
  auto reader = http::to_reader(std::move(*opened));
  base::Hasher md5(base::HashAlgorithm::md5);
  base::Hasher checksum(algorithm);
  BodyWriter writer(core.bodies, inline_allowed);
  auto buffer = std::make_unique_for_overwrite<char[]>(kCopyBufferBytes);
  for (;;) {
    IMGPROC_TRY(std::size_t got, reader->read({buffer.get(), kCopyBufferBytes}));
    if (got == 0) break;
    std::string_view bytes(buffer.get(), got);
    md5.update(bytes);
    checksum.update(bytes);
    IMGPROC_CHECK(writer.write(bytes));
  }
  CopiedBody copied;
  IMGPROC_TRY(copied.body, writer.finish());
  copied.md5_hex = base::to_hex(md5.finish());
  copied.checksum = base::to_base64(checksum.finish());
  return copied;
}

}  // namespace imgproc::localcloud::s3
