#pragma once
// The rows of S3: buckets with their configurations, object versions, uploads under way.
// All functions run inside a transaction of the caller.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "localcloud/s3/body_store.h"
#include "localcloud/store/database.h"

namespace imgproc::localcloud::s3 {

enum class Versioning { never, enabled, suspended };

struct Bucket {
  std::string name;
  std::string region;
  base::SystemTime created;
  Versioning versioning = Versioning::never;
};

/// A checksum as S3 shows it.
struct Checksum {
  base::HashAlgorithm algorithm = base::HashAlgorithm::crc64nvme;
  /// Base64; a composite one ends with "-PARTS".
  std::string value;
  bool composite = false;
};

/// The version id of objects that were written while versioning was off or suspended.
inline constexpr const char* kNullVersion = "null";

struct ObjectVersion {
  std::int64_t id = 0;
  std::string key;
  /// Grows with every write of the store: the newest version of a key has the highest.
  std::int64_t sequence = 0;
  std::string version_id = kNullVersion;
  bool delete_marker = false;
  std::uint64_t bytes = 0;
  /// Without quotes.
  std::string etag;
  base::SystemTime modified{};
  /// Name of the body file; with parts the name of their group; empty if the body is in the row.
  std::string file;
  /// 0: not uploaded in parts.
  std::int64_t parts = 0;
  std::optional<Checksum> checksum;
  std::string storage_class = "STANDARD";
  /// "Name:value\n" lines: what GetObject repeats of the headers of the upload.
  std::string headers;
  /// "key=value&…", percent-encoded.
  std::string tags;
};

/// One part of an object or of an upload under way.
struct Part {
  std::int64_t number = 0;
  std::uint64_t bytes = 0;
  /// MD5, hexadecimal.
  std::string etag;
  std::string file;
  /// Base64, of the upload's algorithm.
  std::string checksum;
  base::SystemTime modified{};
};

/// Body files that rows named until this transaction: to be deleted after its commit.
struct Removed {
  std::vector<std::string> files;
  struct Group {
    std::string name;
    std::vector<std::string> files;
  };
  std::vector<Group> groups;
  void apply(BodyStore& bodies) const;
};

[[nodiscard]] base::Status create_index(Database& database);
/// Every body file that a row names.
[[nodiscard]] base::Status collect_files(Connection& connection,
                                         std::unordered_set<std::string>& files);

/// The store's numbers: strictly increasing, also over restarts, about milliseconds since 1970 *
/// 2^16. The row in the database is an upper bound of those given out, so that few writes of
/// objects have to write it too. After a restart they go on above the bound, seconds ahead.
class Sequence {
 public:
  /// To be called inside of write() only, whose lock guards the state.
  [[nodiscard]] base::Result<std::int64_t> next(Connection& connection, base::SystemTime now);

 private:
  std::optional<std::int64_t> last_;
};

[[nodiscard]] base::Result<std::optional<Bucket>> find_bucket(Connection& connection,
                                                              std::string_view name);
/// The bucket, or NoSuchBucket.
[[nodiscard]] base::Result<Bucket> require_bucket(Connection& connection, std::string_view name);

/// A sub-resource's stored text, nullopt if not configured.
[[nodiscard]] base::Result<std::optional<std::string>> load_config(Connection& connection,
                                                                   std::string_view bucket,
                                                                   std::string_view kind);
[[nodiscard]] base::Status save_config(Connection& connection, std::string_view bucket,
                                       std::string_view kind, std::string_view text);
[[nodiscard]] base::Status erase_config(Connection& connection, std::string_view bucket,
                                        std::string_view kind);

/// The columns that read_version() takes, in its order.
#define IMGPROC_S3_VERSION_COLUMNS                                                               \
  "v.id, v.key, v.sequence, v.version_id, v.delete_marker, v.bytes, v.etag, v.modified_ms, "     \
  "v.file, v.parts, v.checksum_algorithm, v.checksum, v.composite, v.storage_class, v.headers, " \
  "v.tags"
inline constexpr int kVersionColumns = 16;
[[nodiscard]] ObjectVersion read_version(const Statement& row);

/// The newest version of the key, which may be a delete marker.
[[nodiscard]] base::Result<std::optional<ObjectVersion>> find_latest(Connection& connection,
                                                                     std::string_view bucket,
                                                                     std::string_view key);
[[nodiscard]] base::Result<std::optional<ObjectVersion>> find_version(Connection& connection,
                                                                      std::string_view bucket,
                                                                      std::string_view key,
                                                                      std::string_view version_id);
/// The object a request names: by version id, or the newest. Errors NoSuchBucket, NoSuchKey,
/// NoSuchVersion; a delete marker is returned as such.
[[nodiscard]] base::Result<ObjectVersion> require_version(
    Connection& connection, std::string_view bucket, std::string_view key,
    const std::optional<std::string>& version_id);

/// Adds the row, with `text` as the body if it has neither file nor parts; sets version.id.
[[nodiscard]] base::Status insert_version(Connection& connection, const Bucket& bucket,
                                          ObjectVersion& version, std::string_view text);
/// As delete_version(old) and insert_version(version), of the same key; but what stays the same
/// keeps its place in the database, which changes a third of the pages.
[[nodiscard]] base::Status replace_version(Connection& connection, const Bucket& bucket,
                                           const ObjectVersion& old, ObjectVersion& version,
                                           std::string_view text, Removed& removed);
/// Deletes the row with its body and parts.
[[nodiscard]] base::Status delete_version(Connection& connection, const ObjectVersion& version,
                                          Removed& removed);
[[nodiscard]] base::Result<std::string> load_text(Connection& connection, std::int64_t version);
[[nodiscard]] base::Status insert_part(Connection& connection, std::int64_t version,
                                       const Part& part);
/// In order of their numbers.
[[nodiscard]] base::Result<std::vector<Part>> load_parts(Connection& connection,
                                                         std::int64_t version);

}  // namespace imgproc::localcloud::s3
