#pragma once
// What an upload says about its object, and what GetObject repeats of it.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "localcloud/s3/index.h"
#include "localcloud/s3/operation.h"

namespace imgproc::localcloud::s3 {

/// Names and values of x-amz-meta-* together.
inline constexpr std::size_t kMetadataBytesMax = 2 * 1024;
inline constexpr std::size_t kObjectTagsMax = 10;
inline constexpr std::size_t kBucketTagsMax = 50;

struct ObjectAttributes {
  /// As ObjectVersion::headers, storage_class, tags.
  std::string headers;
  std::string storage_class = "STANDARD";
  std::string tags;
};

/// NotImplemented for the headers (in small letters) of encryption with the client's own keys.
[[nodiscard]] base::Status refuse_customer_keys(std::string_view name);

/// Reads the headers of an upload (or the form fields of a POST). Errors: MetadataTooLarge,
/// InvalidStorageClass, InvalidTag, InvalidArgument, AccessControlListNotSupported,
/// NotImplemented (SSE-C), InvalidRequest (object lock).
[[nodiscard]] base::Result<ObjectAttributes> read_object_attributes(const http::Headers& headers);

using Tags = std::vector<std::pair<std::string, std::string>>;
/// From "key=value&…". Errors InvalidTag, InvalidArgument.
[[nodiscard]] base::Result<Tags> parse_tags(std::string_view text);
[[nodiscard]] std::string format_tags(const Tags& tags);
/// Limits on number, lengths and duplicates.
[[nodiscard]] base::Status check_tags(const Tags& tags, std::size_t count_max);
/// <Tagging> as S3 reads and writes it.
[[nodiscard]] base::Result<Tags> parse_tagging_xml(std::string_view xml, std::size_t count_max);
[[nodiscard]] std::string tagging_xml(const Tags& tags);

/// ETag, Last-Modified, metadata and the rest of what GetObject and HeadObject say.
void add_object_headers(const ObjectVersion& version, bool versioned, http::Headers& headers);
/// The value of one stored header (lower-case name), or "".
[[nodiscard]] std::string_view stored_header(const ObjectVersion& version, std::string_view name);
/// x-amz-checksum-… and x-amz-checksum-type.
void add_checksum_headers(const Checksum& checksum, http::Headers& headers);
[[nodiscard]] std::string quote_etag(std::string_view etag);
[[nodiscard]] std::string_view unquote_etag(std::string_view etag);

}  // namespace imgproc::localcloud::s3
