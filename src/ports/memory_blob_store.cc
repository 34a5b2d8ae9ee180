#include "ports/memory_blob_store.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/hash.h"

namespace imgproc::ports {
namespace {

/// Large objects arrive in several pieces, as they do from a network.
constexpr std::size_t kPieceBytes = 64 * 1024;

std::unexpected<base::Error> precondition_failed(std::string_view key) {
  auto error = base::permanent(kPreconditionFailed,
                               fmt::format("the condition does not hold for the object {}", key));
  error.error().http_status = 412;
  return error;
}

}  // namespace

void MemoryBlobStore::create_bucket(std::string_view bucket) {
  const std::lock_guard lock(mutex_);
  buckets_.try_emplace(std::string(bucket));
}

void MemoryBlobStore::set_hooks(CallHook before, CallHook after) {
  before_ = std::move(before);
  after_ = std::move(after);
}

base::Status MemoryBlobStore::before(std::string_view operation, std::string_view key) const {
  return before_ ? before_(operation, key) : base::Status{};
}

base::Status MemoryBlobStore::after(std::string_view operation, std::string_view key) const {
  return after_ ? after_(operation, key) : base::Status{};
}

base::Result<const MemoryBlobStore::Object*> MemoryBlobStore::find(
    std::string_view bucket, std::string_view key, const std::string& version_id) const {
  const auto found = buckets_.find(bucket);
  if (found == buckets_.end()) {
    auto error = base::permanent(kNoSuchBucket, fmt::format("there is no bucket {}", bucket));
    error.error().http_status = 404;
    return error;
  }
  const auto& objects = version_id.empty() ? found->second.objects : found->second.versions;
  const auto object = objects.find(version_id.empty() ? key : std::string_view(version_id));
  if (object == objects.end()) {
    auto error = base::permanent(version_id.empty() ? kNoSuchKey : "NoSuchVersion",
                                 fmt::format("there is no object {} in {}", key, bucket));
    error.error().http_status = 404;
    return error;
  }
  return &object->second;
}

base::Result<BlobInfo> MemoryBlobStore::get(std::string_view bucket, std::string_view key,
                                            const GetOptions& options, const BlobSink& sink) {
  IMGPROC_CHECK(before("get", key));
  Object copy;
  {
    const std::lock_guard lock(mutex_);
    IMGPROC_TRY(const Object* object, find(bucket, key, options.version_id));
    if (!options.if_match.empty() && options.if_match != object->info.etag)
      return precondition_failed(key);
    copy = *object;
  }
  if (sink.begin) IMGPROC_CHECK(sink.begin(copy.info));
  const auto bytes = base::as_bytes(copy.bytes);
  for (std::size_t at = 0; at < bytes.size(); at += kPieceBytes)
    IMGPROC_CHECK(sink.write(bytes.subspan(at, std::min(kPieceBytes, bytes.size() - at))));
  IMGPROC_CHECK(after("get", key));
  return copy.info;
}

base::Result<BlobInfo> MemoryBlobStore::head(std::string_view bucket, std::string_view key) {
  IMGPROC_CHECK(before("head", key));
  BlobInfo info;
  {
    const std::lock_guard lock(mutex_);
    IMGPROC_TRY(const Object* object, find(bucket, key, {}));
    info = object->info;
  }
  IMGPROC_CHECK(after("head", key));
  return info;
}

base::Result<BlobInfo> MemoryBlobStore::put(std::string_view bucket, std::string_view key,
                                            std::span<const std::byte> bytes,
                                            const PutOptions& options) {
  IMGPROC_CHECK(before("put", key));
  BlobInfo info;
  {
    const std::lock_guard lock(mutex_);
    const auto existing = find(bucket, key, {});
    if (!existing && existing.error().code == kNoSuchBucket)
      return std::unexpected(existing.error());
    if (options.if_none_match && existing) return precondition_failed(key);
    if (!options.if_match.empty()) {
      // S3 answers 404, not 412, when there is nothing to match.
      if (!existing) return std::unexpected(existing.error());
      if ((*existing)->info.etag != options.if_match) return precondition_failed(key);
    }
    ++writes_;
    Object object{.info = {}, .bytes = std::string(base::as_text(bytes))};
    object.info =
        BlobInfo{.etag = base::md5_hex(object.bytes),
                 .size = bytes.size(),
                 .content_type = options.content_type.empty() ? std::string("binary/octet-stream")
                                                              : options.content_type,
                 .version_id = versioned_ ? fmt::format("v{:06}", writes_) : "",
                 .last_modified = base::SystemTime{std::chrono::seconds{writes_}},
                 .metadata = options.metadata};
    info = object.info;
    auto& target = buckets_.find(bucket)->second;
    if (versioned_) target.versions.insert_or_assign(info.version_id, object);
    target.objects.insert_or_assign(std::string(key), std::move(object));
  }
  IMGPROC_CHECK(after("put", key));
  return info;
}

base::Status MemoryBlobStore::remove(std::string_view bucket, std::string_view key,
                                     const std::string& if_match) {
  IMGPROC_CHECK(before("remove", key));
  {
    const std::lock_guard lock(mutex_);
    const auto existing = find(bucket, key, {});
    if (!existing) {
      if (existing.error().code == kNoSuchBucket) return std::unexpected(existing.error());
    } else {
      if (!if_match.empty() && if_match != (*existing)->info.etag) return precondition_failed(key);
      auto& objects = buckets_.find(bucket)->second.objects;
      objects.erase(objects.find(key));
    }
  }
  return after("remove", key);
}

std::vector<std::string> MemoryBlobStore::keys(std::string_view bucket) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  if (const auto found = buckets_.find(bucket); found != buckets_.end())
    for (const auto& [key, object] : found->second.objects) names.push_back(key);
  return names;
}

std::string MemoryBlobStore::content(std::string_view bucket, std::string_view key) const {
  const std::lock_guard lock(mutex_);
  const auto object = find(bucket, key, {});
  return object ? (*object)->bytes : std::string();
}

}  // namespace imgproc::ports
