#include <charconv>

#include "base/time.h"
#include "localcloud/s3/errors.h"
#include "localcloud/s3/index.h"
#include "localcloud/s3/listing.h"
#include "localcloud/s3/object_headers.h"
#include "localcloud/s3/operation.h"

namespace imgproc::localcloud::s3 {
namespace {

struct VersionPage {
  struct Entry {
    ObjectVersion version;
    bool latest;
  };
  std::vector<Entry> entries;
  std::vector<std::string> prefixes;
  bool truncated = false;
  std::string last_key;
  /// Empty if the page ended with a common prefix.
  std::string last_version;
};

/// Where a version stands among those of its key; INT64_MIN (before all) if it cannot be told. The
/// marker of a page may name a version that was deleted meanwhile: its id tells its sequence.
base::Result<std::int64_t> version_position(Connection& connection, std::string_view bucket,
                                            std::string_view key, std::string_view version_id) {
  constexpr std::size_t kSequenceDigits = 16;
  if (version_id.size() == 2 * kSequenceDigits) {
    std::int64_t sequence = 0;
    std::string_view digits = version_id.substr(0, kSequenceDigits);
    auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), sequence, 16);
    if (parsed.ec == std::errc{} && parsed.ptr == digits.data() + digits.size()) return -sequence;
  }
  if (version_id.empty()) return INT64_MIN;
  IMGPROC_TRY(auto marker, find_version(connection, bucket, key, version_id));
  return marker ? -marker->sequence : INT64_MIN;
}

base::Status scan_versions(Connection& connection, std::string_view bucket,
                           const ListRequest& request, std::string_view key_marker,
                           std::string_view version_marker, VersionPage& page) {
  // With a version to go on from, the marker's own key is looked at again.
  std::string start = version_marker.empty() ? first_key(request, key_marker)
                                             : std::max(std::string(key_marker), request.prefix);
  if (start.empty() && !key_marker.empty()) return {};
  IMGPROC_TRY(std::int64_t newest_first,
              version_position(connection, bucket, key_marker, version_marker));
  IMGPROC_TRY(Statement query,
              connection.prepare("SELECT " IMGPROC_S3_VERSION_COLUMNS
                                 " FROM s3_versions v WHERE bucket = ?1 AND key >= ?2 ORDER BY "
                                 "key, newest_first"));
  auto seek = [&] { query.reset().bind(1, bucket).bind_blob(2, start); };
  seek();
  std::string previous;
  bool any = false;
  for (;;) {
    IMGPROC_TRY(bool more, query.step());
    if (!more) return {};
    std::string key(query.column_blob(1));
    if (!key.starts_with(request.prefix)) return {};
    bool latest = !any || key != previous;
    previous = key;
    any = true;
    if (key == key_marker && !version_marker.empty() && -query.column_int(2) <= newest_first)
      continue;
    auto common = common_prefix(request, key);
    if (page.entries.size() + page.prefixes.size() == request.count_max) {
      page.truncated = request.count_max > 0;
      return {};
    }
    if (common) {
      start = after_prefix(*common);
      page.last_key = *common;
      page.last_version.clear();
      page.prefixes.push_back(std::move(*common));
      if (start.empty()) return {};
      seek();
      continue;
    }
    page.entries.push_back({.version = read_version(query), .latest = latest});
    page.last_key = key;
    page.last_version = page.entries.back().version.version_id;
  }
}

void write_entry(const ListRequest& request, const VersionPage::Entry& entry, XmlWriter& xml) {
  const ObjectVersion& version = entry.version;
  const char* element = version.delete_marker ? "DeleteMarker" : "Version";
  xml.open(element)
      .element("Key", request.shown(version.key))
      .element("VersionId", version.version_id)
      .element("IsLatest", entry.latest ? "true" : "false")
      .element("LastModified", base::to_iso8601(version.modified));
  if (!version.delete_marker)
    xml.element("ETag", quote_etag(version.etag))
        .number("Size", version.bytes)
        .element("StorageClass", version.storage_class);
  xml.open("Owner").element("ID", kOwnerId).element("DisplayName", kOwnerName).close("Owner");
  xml.close(element);
}

}  // namespace

Answer list_object_versions(Core& core, Operation& operation) {
  IMGPROC_TRY(ListRequest request, read_list_request(operation, "max-keys"));
  std::string key_marker = operation.param("key-marker").value_or("");
  std::string version_marker = operation.param("version-id-marker").value_or("");
  if (key_marker.empty() && !version_marker.empty())
    return invalid_argument("A version-id marker cannot be specified without a key marker.");
  VersionPage page;
  IMGPROC_CHECK(core.context.database.read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY([[maybe_unused]] Bucket bucket, require_bucket(connection, operation.bucket));
    if (request.count_max == 0) return {};
    return scan_versions(connection, operation.bucket, request, key_marker, version_marker, page);
  }));
  XmlWriter xml("ListVersionsResult");
  xml.element("Name", operation.bucket)
      .element("Prefix", request.shown(request.prefix))
      .element("KeyMarker", request.shown(key_marker))
      .element("VersionIdMarker", version_marker)
      .number("MaxKeys", request.count_max);
  if (!request.delimiter.empty()) xml.element("Delimiter", request.shown(request.delimiter));
  if (request.encode) xml.element("EncodingType", "url");
  xml.element("IsTruncated", page.truncated ? "true" : "false");
  if (page.truncated) {
    xml.element("NextKeyMarker", request.shown(page.last_key));
    if (!page.last_version.empty()) xml.element("NextVersionIdMarker", page.last_version);
  }
  for (const auto& entry : page.entries) write_entry(request, entry, xml);
  write_common_prefixes(request, page.prefixes, xml);
  return xml.respond();
}

}  // namespace imgproc::localcloud::s3
