#pragma once
// What the pipeline needs of an object store. S3's words; the conditions are S3's If-Match family.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"

namespace imgproc::ports {

struct BlobInfo {
  /// Without the quotes of HTTP.
  std::string etag;
  std::uint64_t size = 0;
  std::string content_type;
  std::string version_id;
  base::SystemTime last_modified;
  /// User metadata, names in lower case without "x-amz-meta-".
  std::map<std::string, std::string> metadata;
};

struct GetOptions {
  std::string version_id;
  /// Only if the object still has this ETag; else PRECONDITION_FAILED.
  std::string if_match;
};

/// Receives an object's bytes as they arrive. A returned error ends the transfer and is passed on.
struct BlobSink {
  /// Called once, before any bytes; may refuse by what `info` says.
  std::function<base::Status(const BlobInfo& info)> begin;
  std::function<base::Status(std::span<const std::byte> bytes)> write;
};

struct PutOptions {
  std::string content_type;
  std::string cache_control;
  std::map<std::string, std::string> metadata;
  /// Only over the object with this ETag; else PRECONDITION_FAILED.
  std::string if_match;
  /// Only if no object has this key; else PRECONDITION_FAILED.
  bool if_none_match = false;
};

/// Codes every implementation answers with.
inline constexpr const char* kNoSuchKey = "NoSuchKey";
inline constexpr const char* kNoSuchBucket = "NoSuchBucket";
inline constexpr const char* kPreconditionFailed = "PreconditionFailed";
/// Two conditional writes met (S3's 409 ConditionalRequestConflict); retryable.
inline constexpr const char* kConditionalConflict = "ConditionalRequestConflict";

/// Thread-safe. Permanent errors: NoSuchKey, NoSuchBucket, PreconditionFailed, AccessDenied.
/// Transient ones (throttling, 5xx, connection) are retryable, and have been retried already.
class BlobStore {
 public:
  virtual ~BlobStore() = default;
  /// Streams the object into `sink`.
  [[nodiscard]] virtual base::Result<BlobInfo> get(std::string_view bucket, std::string_view key,
                                                   const GetOptions& options,
                                                   const BlobSink& sink) = 0;
  [[nodiscard]] virtual base::Result<BlobInfo> head(std::string_view bucket,
                                                    std::string_view key) = 0;
  /// Stores the object whole or not at all; returns its ETag (and version).
  [[nodiscard]] virtual base::Result<BlobInfo> put(std::string_view bucket, std::string_view key,
                                                   std::span<const std::byte> bytes,
                                                   const PutOptions& options) = 0;
  /// Removes the object; that it is not there is no error. With `if_match` only that ETag.
  [[nodiscard]] virtual base::Status remove(std::string_view bucket, std::string_view key,
                                            const std::string& if_match = {}) = 0;
};

}  // namespace imgproc::ports
