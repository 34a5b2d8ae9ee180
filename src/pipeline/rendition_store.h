#pragma once
// Rendition objects and the one rule about them: an older event never overwrites or removes what a
// newer one wrote.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "ports/blob_store.h"

namespace imgproc::pipeline {

/// Metadata of rendition objects.
inline constexpr const char* kMetaSource = "imgproc-source";
inline constexpr const char* kMetaRecipe = "imgproc-recipe";
inline constexpr const char* kMetaSequencer = "imgproc-sequencer";
inline constexpr const char* kMetaGenerated = "imgproc-generated";

/// Path of a source as metadata can carry it: percent-encoded; beyond what S3's 2 KB of metadata
/// leave room for, "sha256:" and its hash.
[[nodiscard]] std::string source_mark(std::string_view path);

/// Renditions of one source object. `sequencer` everywhere padded, and the event's own.
class RenditionStore {
 public:
  RenditionStore(ports::BlobStore& store, std::string bucket, std::string_view source_path)
      : store_(store), bucket_(std::move(bucket)), source_(source_mark(source_path)) {}

  struct Rendition {
    std::string key;
    std::span<const std::byte> bytes;
    std::string content_type;
    std::string cache_control;
    std::string recipe;
  };
  struct PutResult {
    /// False: a newer event's rendition stands there and was left alone.
    bool written = false;
    std::string etag;
    /// Something stood there before and was replaced.
    bool replaced = false;
  };
  /// Stores the rendition unless a newer event's stands there. `likely_there`: ask first, so that
  /// the bytes of an overwrite travel once. Transient error CONTENDED if other writers always win.
  [[nodiscard]] base::Result<PutResult> put(const Rendition& rendition, std::string_view sequencer,
                                            bool likely_there);
  /// Removes this source's rendition under `key` unless a newer event wrote it; objects of others
  /// are left alone. Returns whether something was removed.
  [[nodiscard]] base::Result<bool> remove(std::string_view key, std::string_view sequencer);
  /// Sequencer of this source's rendition under `key`; nullopt if there is none.
  [[nodiscard]] base::Result<std::optional<std::string>> sequencer_at(std::string_view key);

 private:
  struct Standing {
    std::string etag;
    /// Of this source; empty for what others wrote.
    std::string sequencer;
    bool of_this_source = false;
  };
  [[nodiscard]] base::Result<std::optional<Standing>> look(std::string_view key);

  ports::BlobStore& store_;
  std::string bucket_;
  std::string source_;
};

}  // namespace imgproc::pipeline
