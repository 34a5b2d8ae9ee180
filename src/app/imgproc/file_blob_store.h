#pragma once
#include <filesystem>
#include <functional>
#include <map>

#include "ports/blob_store.h"

namespace imgproc::app {

/// Files as a BlobStore for the commands that work on this machine's files; buckets are ignored.
/// ETags are made of size, time of change and inode. Conditions are checked, but not in one step
/// with the write: one process at a time. Metadata is not kept.
class FileBlobStore final : public ports::BlobStore {
 public:
  /// Path of a key, or why it has none.
  using Resolve = std::function<base::Result<std::filesystem::path>(std::string_view key)>;
  explicit FileBlobStore(Resolve resolve) : resolve_(std::move(resolve)) {}

  /// Keys are paths below `root`; what would leave it is refused with INVALID_KEY.
  [[nodiscard]] static Resolve below(std::filesystem::path root);
  /// Keys are names for files that stand anywhere.
  [[nodiscard]] static Resolve among(
      std::map<std::string, std::filesystem::path, std::less<>> files);

  [[nodiscard]] base::Result<ports::BlobInfo> get(std::string_view bucket, std::string_view key,
                                                  const ports::GetOptions& options,
                                                  const ports::BlobSink& sink) override;
  [[nodiscard]] base::Result<ports::BlobInfo> head(std::string_view bucket,
                                                   std::string_view key) override;
  [[nodiscard]] base::Result<ports::BlobInfo> put(std::string_view bucket, std::string_view key,
                                                  std::span<const std::byte> bytes,
                                                  const ports::PutOptions& options) override;
  [[nodiscard]] base::Status remove(std::string_view bucket, std::string_view key,
                                    const std::string& if_match = {}) override;

 private:
  Resolve resolve_;
};

}  // namespace imgproc::app
