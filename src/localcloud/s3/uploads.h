#pragma once
// Multipart uploads under way: their rows, and what their operations share.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "localcloud/s3/index.h"
#include "localcloud/s3/operation.h"

namespace imgproc::localcloud::s3 {

inline constexpr std::int64_t kPartNumberMax = 10000;
/// Every part but the last.
inline constexpr std::uint64_t kPartBytesMin = std::uint64_t{5} << 20;

struct Upload {
  std::string id;
  std::string key;
  base::SystemTime initiated{};
  base::HashAlgorithm algorithm = base::HashAlgorithm::crc64nvme;
  bool composite = false;
  /// The client named the algorithm; otherwise it is S3's own choice.
  bool checksum_asked = false;
  std::string storage_class;
  std::string headers;
  std::string tags;
};

[[nodiscard]] base::Status insert_upload(Connection& connection, std::string_view bucket,
                                         const Upload& upload);
/// The upload that ?uploadId names, if it belongs to bucket and key. Errors NoSuchBucket,
/// NoSuchUpload.
[[nodiscard]] base::Result<Upload> require_upload(Connection& connection,
                                                  const Operation& operation);
/// In order of their numbers.
[[nodiscard]] base::Result<std::vector<Part>> load_upload_parts(Connection& connection,
                                                                std::string_view upload_id);
/// Replaces the part of that number; its file is added to `removed`.
[[nodiscard]] base::Status save_upload_part(Connection& connection, std::string_view upload_id,
                                            const Part& part, Removed& removed);
/// Deletes the rows; the files are the caller's business.
[[nodiscard]] base::Status erase_upload(Connection& connection, std::string_view upload_id);
/// Uploads of a bucket whose keys start with `prefix`, by key, then by age.
[[nodiscard]] base::Result<std::vector<Upload>> load_uploads(Connection& connection,
                                                             std::string_view bucket,
                                                             std::string_view prefix);

/// ?partNumber. Error InvalidArgument.
[[nodiscard]] base::Result<std::int64_t> read_part_number(const Operation& operation);

/// A part that a client lists in CompleteMultipartUpload.
struct ListedPart {
  std::int64_t number = 0;
  std::string etag;
  /// Element name ("ChecksumCRC32") and value.
  std::vector<std::pair<std::string, std::string>> checksums;
};
/// Errors MalformedXML, InvalidPartOrder.
[[nodiscard]] base::Result<std::vector<ListedPart>> parse_complete(std::string_view xml);

/// The checksum of the whole from those of its parts (base64, all of `algorithm`).
[[nodiscard]] std::string combine_checksums(base::HashAlgorithm algorithm, bool composite,
                                            const std::vector<Part>& parts);
/// S3's ETag of an object in parts: MD5 of the parts' MD5s, "-", their number.
[[nodiscard]] std::string combine_etags(const std::vector<Part>& parts);

}  // namespace imgproc::localcloud::s3
