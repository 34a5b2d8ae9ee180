// ListObjects and ListObjectsV2.

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/time.h"
#include "localcloud/s3/errors.h"
#include "localcloud/s3/index.h"
#include "localcloud/s3/listing.h"
#include "localcloud/s3/object_headers.h"
#include "localcloud/s3/operation.h"
#include "protocol/checksum.h"

namespace imgproc::localcloud::s3 {
namespace {

/// Older versions of one key that are stepped over before the next key is sought directly.
constexpr int kStepsMax = 16;

struct Page {
  std::vector<ObjectVersion> objects;
  std::vector<std::string> prefixes;
  bool truncated = false;
  /// The last key or common prefix of the page, whichever came last.
  std::string last;
  [[nodiscard]] std::size_t size() const { return objects.size() + prefixes.size(); }
};

/// Walks over the newest version of every key from `start` on.
base::Status scan(Connection& connection, std::string_view bucket, const ListRequest& request,
                  std::string start, Page& page) {
  IMGPROC_TRY(Statement query, connection.prepare("SELECT " IMGPROC_S3_VERSION_COLUMNS
                                                  " FROM s3_versions v WHERE bucket = ?1 AND "
                                                  "key >= ?2 ORDER BY key, newest_first"));
  auto seek = [&] { query.reset().bind(1, bucket).bind_blob(2, start); };
  seek();
  std::string key;
  bool any = false;
  int steps = 0;
  for (;;) {
    IMGPROC_TRY(bool more, query.step());
    if (!more) return {};
    std::string_view row_key = query.column_blob(1);
    if (any && row_key == key) {
      if (++steps < kStepsMax) continue;
      start = key + '\0';
      seek();
      continue;
    }
    if (!row_key.starts_with(request.prefix)) return {};
    key = row_key;
    any = true;
    steps = 0;
    if (query.column_int(4) != 0) continue;
    if (page.size() == request.count_max) {
      page.truncated = request.count_max > 0;
      return {};
    }
    if (auto common = common_prefix(request, key)) {
      start = after_prefix(*common);
      page.last = *common;
      page.prefixes.push_back(std::move(*common));
      if (start.empty()) return {};
      seek();
      continue;
    }
    page.objects.push_back(read_version(query));
    page.last = key;
  }
}

base::Result<Page> list_page(Core& core, const Operation& operation, const ListRequest& request,
                             std::string_view marker) {
  Page page;
  IMGPROC_CHECK(core.context.database.read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY([[maybe_unused]] Bucket bucket, require_bucket(connection, operation.bucket));
    std::string start = first_key(request, marker);
    // An empty start with a marker means that nothing can stand behind it.
    if (request.count_max == 0 || (start.empty() && !marker.empty())) return {};
    return scan(connection, operation.bucket, request, std::move(start), page);
  }));
  return page;
}

void write_objects(const ListRequest& request, const Page& page, bool with_owner, XmlWriter& xml) {
  for (const ObjectVersion& object : page.objects) {
    xml.open("Contents")
        .element("Key", request.shown(object.key))
        .element("LastModified", base::to_iso8601(object.modified))
        .element("ETag", quote_etag(object.etag));
    if (object.checksum)
      xml.element("ChecksumAlgorithm", protocol::checksum_name(object.checksum->algorithm).name)
          .element("ChecksumType", object.checksum->composite ? "COMPOSITE" : "FULL_OBJECT");
    xml.number("Size", object.bytes);
    if (with_owner)
      xml.open("Owner").element("ID", kOwnerId).element("DisplayName", kOwnerName).close("Owner");
    xml.element("StorageClass", object.storage_class).close("Contents");
  }
}

void write_request(const Operation& operation, const ListRequest& request, const Page& page,
                   XmlWriter& xml) {
  xml.element("Name", operation.bucket).element("Prefix", request.shown(request.prefix));
  if (!request.delimiter.empty()) xml.element("Delimiter", request.shown(request.delimiter));
  xml.number("MaxKeys", request.count_max);
  if (request.encode) xml.element("EncodingType", "url");
  xml.element("IsTruncated", page.truncated ? "true" : "false");
}

/// Continuation tokens are opaque to clients: the marker in base64.
base::Result<std::string> decode_token(std::string_view token) {
  auto marker = base::from_base64(token);
  if (!marker || marker->empty())
    return invalid_argument("The continuation token provided is incorrect");
  return std::move(*marker);
}

}  // namespace

Answer list_objects(Core& core, Operation& operation) {
  IMGPROC_TRY(ListRequest request, read_list_request(operation, "max-keys"));
  std::string marker = operation.param("marker").value_or("");
  IMGPROC_TRY(Page page, list_page(core, operation, request, marker));
  XmlWriter xml("ListBucketResult");
  write_request(operation, request, page, xml);
  xml.element("Marker", request.shown(marker));
  // Without a delimiter clients take the last key; AWS answers NextMarker only with one.
  if (page.truncated && !request.delimiter.empty())
    xml.element("NextMarker", request.shown(page.last));
  write_objects(request, page, true, xml);
  write_common_prefixes(request, page.prefixes, xml);
  return xml.respond();
}

Answer list_objects_v2(Core& core, Operation& operation) {
  if (operation.param("list-type") != "2")
    return invalid_argument("Invalid List Type specified in Request");
  IMGPROC_TRY(ListRequest request, read_list_request(operation, "max-keys"));
  std::string start_after = operation.param("start-after").value_or("");
  std::string marker = start_after;
  auto token = operation.param("continuation-token");
  if (token) {
    IMGPROC_TRY(marker, decode_token(*token));
  }
  IMGPROC_TRY(Page page, list_page(core, operation, request, marker));
  XmlWriter xml("ListBucketResult");
  write_request(operation, request, page, xml);
  xml.number("KeyCount", page.size());
  if (token) xml.element("ContinuationToken", *token);
  if (!start_after.empty()) xml.element("StartAfter", request.shown(start_after));
  if (page.truncated) xml.element("NextContinuationToken", base::to_base64(page.last));
  write_objects(request, page, operation.param("fetch-owner") == "true", xml);
  write_common_prefixes(request, page.prefixes, xml);
  return xml.respond();
}

}  // namespace imgproc::localcloud::s3
