// ListParts and ListMultipartUploads.

#include "base/bytes.h"
#include "base/time.h"
#include "localcloud/s3/errors.h"
#include "localcloud/s3/listing.h"
#include "localcloud/s3/object_headers.h"
#include "localcloud/s3/operation.h"
#include "localcloud/s3/uploads.h"
#include "protocol/checksum.h"

namespace imgproc::localcloud::s3 {
namespace {

void write_owner(std::string_view element, XmlWriter& xml) {
  xml.open(element).element("ID", kOwnerId).element("DisplayName", kOwnerName).close(element);
}

void write_checksum_choice(const Upload& upload, XmlWriter& xml) {
  if (!upload.checksum_asked) return;
  xml.element("ChecksumAlgorithm", protocol::checksum_name(upload.algorithm).name)
      .element("ChecksumType", upload.composite ? "COMPOSITE" : "FULL_OBJECT");
}

/// Uploads behind the markers, grouped by the delimiter.
struct UploadPage {
  std::vector<Upload> uploads;
  std::vector<std::string> prefixes;
  bool truncated = false;
  std::string next_key;
  std::string next_id;
};

/// With an id marker, uploads of the marker's key go on behind that upload; without, the key is
/// passed over whole.
UploadPage page_uploads(const ListRequest& request, std::vector<Upload> all,
                        const std::string& key_marker, const std::string& id_marker) {
  UploadPage page;
  bool behind_id = false;
  for (Upload& upload : all) {
    if (!key_marker.empty() && upload.key < key_marker) continue;
    if (!key_marker.empty() && upload.key == key_marker) {
      bool skip = id_marker.empty() || !behind_id;
      if (upload.id == id_marker) behind_id = true;
      if (skip) continue;
    }
    auto common = common_prefix(request, upload.key);
    if (common &&
        (*common == key_marker || (!page.prefixes.empty() && page.prefixes.back() == *common)))
      continue;
    if (page.uploads.size() + page.prefixes.size() == request.count_max) {
      page.truncated = request.count_max > 0;
      return page;
    }
    page.next_key = common ? *common : upload.key;
    page.next_id = common ? "" : upload.id;
    if (common) {
      page.prefixes.push_back(std::move(*common));
    } else {
      page.uploads.push_back(std::move(upload));
    }
  }
  return page;
}

}  // namespace

Answer list_parts(Core& core, Operation& operation) {
  IMGPROC_TRY(ListRequest request, read_list_request(operation, "max-parts"));
  auto marker = base::parse_unsigned(operation.param("part-number-marker").value_or("0"));
  if (!marker) return invalid_argument("part-number-marker must be a number");
  Upload upload;
  std::vector<Part> parts;
  IMGPROC_CHECK(core.context.database.read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(upload, require_upload(connection, operation));
    IMGPROC_TRY(parts, load_upload_parts(connection, upload.id));
    return {};
  }));
  std::erase_if(
      parts, [&](const Part& part) { return part.number <= static_cast<std::int64_t>(*marker); });
  bool truncated = request.count_max > 0 && parts.size() > request.count_max;
  parts.resize(std::min(parts.size(), request.count_max));
  XmlWriter xml("ListPartsResult");
  xml.element("Bucket", operation.bucket)
      .element("Key", request.shown(operation.key))
      .element("UploadId", upload.id);
  write_owner("Initiator", xml);
  write_owner("Owner", xml);
  xml.element("StorageClass", upload.storage_class);
  write_checksum_choice(upload, xml);
  xml.number("PartNumberMarker", *marker)
      .number("NextPartNumberMarker",
              parts.empty() ? 0 : static_cast<std::uint64_t>(parts.back().number))
      .number("MaxParts", request.count_max)
      .element("IsTruncated", truncated ? "true" : "false");
  for (const Part& part : parts) {
    xml.open("Part")
        .number("PartNumber", static_cast<std::uint64_t>(part.number))
        .element("LastModified", base::to_iso8601(part.modified))
        .element("ETag", quote_etag(part.etag))
        .number("Size", part.bytes);
    if (upload.checksum_asked)
      xml.element(protocol::checksum_name(upload.algorithm).element, part.checksum);
    xml.close("Part");
  }
  return xml.respond();
}

Answer list_multipart_uploads(Core& core, Operation& operation) {
  IMGPROC_TRY(ListRequest request, read_list_request(operation, "max-uploads"));
  std::string key_marker = operation.param("key-marker").value_or("");
  std::string id_marker = operation.param("upload-id-marker").value_or("");
  std::vector<Upload> all;
  IMGPROC_CHECK(core.context.database.read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY([[maybe_unused]] Bucket bucket, require_bucket(connection, operation.bucket));
    IMGPROC_TRY(all, load_uploads(connection, operation.bucket, request.prefix));
    return {};
  }));
  UploadPage page = page_uploads(request, std::move(all), key_marker, id_marker);
  XmlWriter xml("ListMultipartUploadsResult");
  xml.element("Bucket", operation.bucket)
      .element("KeyMarker", request.shown(key_marker))
      .element("UploadIdMarker", id_marker)
      .element("Prefix", request.shown(request.prefix));
  if (!request.delimiter.empty()) xml.element("Delimiter", request.shown(request.delimiter));
  if (request.encode) xml.element("EncodingType", "url");
  xml.number("MaxUploads", request.count_max)
      .element("IsTruncated", page.truncated ? "true" : "false");
  if (page.truncated)
    xml.element("NextKeyMarker", request.shown(page.next_key))
        .element("NextUploadIdMarker", page.next_id);
  for (const Upload& upload : page.uploads) {
    xml.open("Upload").element("Key", request.shown(upload.key)).element("UploadId", upload.id);
    write_owner("Initiator", xml);
    write_owner("Owner", xml);
    xml.element("StorageClass", upload.storage_class)
        .element("Initiated", base::to_iso8601(upload.initiated));
    write_checksum_choice(upload, xml);
    xml.close("Upload");
  }
  write_common_prefixes(request, page.prefixes, xml);
  return xml.respond();
}

}  // namespace imgproc::localcloud::s3
