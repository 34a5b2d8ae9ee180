#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "ports/blob_store.h"

namespace imgproc::ports {

/// A BlobStore in memory, for tests. Thread-safe. ETags are the MD5 of the bytes, as S3's are, so
/// that equal bytes have equal ETags here too. Buckets must be made first.
class MemoryBlobStore final : public BlobStore {
 public:
  /// Runs around each call ("get", "head", "put", "remove"; the key): `before` may return an error
  /// instead of the call, `after` one although the call took effect. Both run without the lock.
  using CallHook = std::function<base::Status(std::string_view operation, std::string_view key)>;

  /// With `versioned`, overwritten and removed objects stay readable by version.
  explicit MemoryBlobStore(bool versioned = false) : versioned_(versioned) {}

  void create_bucket(std::string_view bucket);
  [[nodiscard]] base::Result<BlobInfo> get(std::string_view bucket, std::string_view key,
                                           const GetOptions& options,
                                           const BlobSink& sink) override;
  [[nodiscard]] base::Result<BlobInfo> head(std::string_view bucket, std::string_view key) override;
  [[nodiscard]] base::Result<BlobInfo> put(std::string_view bucket, std::string_view key,
                                           std::span<const std::byte> bytes,
                                           const PutOptions& options) override;
  [[nodiscard]] base::Status remove(std::string_view bucket, std::string_view key,
                                    const std::string& if_match = {}) override;

  /// Keys of a bucket in order.
  [[nodiscard]] std::vector<std::string> keys(std::string_view bucket) const;
  /// The bytes of an object; empty if there is none.
  [[nodiscard]] std::string content(std::string_view bucket, std::string_view key) const;
  /// Set before other threads use the store.
  void set_hooks(CallHook before, CallHook after = {});

 private:
  struct Object {
    BlobInfo info;
    std::string bytes;
  };
  struct Bucket {
    std::map<std::string, Object, std::less<>> objects;
    /// By version id.
    std::map<std::string, Object, std::less<>> versions;
  };

  [[nodiscard]] base::Result<const Object*> find(std::string_view bucket, std::string_view key,
                                                 const std::string& version_id) const;
  [[nodiscard]] base::Status before(std::string_view operation, std::string_view key) const;
  [[nodiscard]] base::Status after(std::string_view operation, std::string_view key) const;

  mutable std::mutex mutex_;
  bool versioned_;
  std::uint64_t writes_ = 0;
  std::map<std::string, Bucket, std::less<>> buckets_;
  CallHook before_;
  CallHook after_;
};

}  // namespace imgproc::ports
