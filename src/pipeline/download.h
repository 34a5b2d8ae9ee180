#pragma once
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "pipeline/config.h"
#include "pipeline/plan.h"
#include "ports/blob_store.h"
#include "ports/image_engine.h"
#include "ports/record.h"

namespace imgproc::pipeline {

/// Why an object is not worked on, although nothing failed.
struct Refusal {
  ports::RecordStatus status = ports::RecordStatus::skipped;
  base::Error reason;
};

/// An object on its way into the image engine. Facts stay filled in as far as they became known,
/// also if the object was refused.
struct Download {
  ports::BlobInfo info;
  /// As the first bytes tell; empty until they are there.
  std::string media_type;
  std::optional<Plan> plan;
  /// Set: the object is refused, and `job` and `sha256` may be missing.
  std::optional<Refusal> refusal;
  std::unique_ptr<ports::ImageJob> job;
  std::string sha256;
};

/// What must hold before bytes are taken.
struct DownloadOrder {
  std::string bucket;
  std::string key;
  std::string version_id;
  /// Nothing is to be done if the object still has this ETag and, once planned, this recipe.
  std::string etag_done;
};

/// `Refusal::reason.code` of an object that has DownloadOrder::etag_done.
inline constexpr const char* kUnchanged = "UNCHANGED";
inline constexpr const char* kGenerated = "GENERATED";
inline constexpr const char* kNoRecipe = "NO_RECIPE";
inline constexpr const char* kGone = "GONE";

/// Streams the object straight into the engine's input, hashing it on the way. Refused from the
/// header alone, before any byte: what we wrote ourselves, what is too large or empty. Refused from
/// the first bytes: what no recipe wants. A Result error is the store's or the engine's own, to be
/// raised.
[[nodiscard]] base::Result<Download> download(const Config& config, ports::BlobStore& store,
                                              ports::ImageEngine& engine,
                                              const DownloadOrder& order);

/// "1048576 bytes are more than the 1024 that limits.max_bytes allows"
[[nodiscard]] base::Error too_many_bytes(std::uint64_t size, std::uint64_t max);
[[nodiscard]] base::Error no_recipe(std::string_view key, std::string_view media_type);

}  // namespace imgproc::pipeline
