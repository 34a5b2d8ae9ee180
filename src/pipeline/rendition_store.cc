#include "pipeline/rendition_store.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/hash.h"

namespace imgproc::pipeline {
namespace {

/// Each round means that another writer came in between; more than a few is no accident.
constexpr int kRoundsMax = 6;
constexpr std::size_t kSourceMarkBytesMax = 1500;

bool lost_condition(const base::Error& error) {
  return error.code == ports::kPreconditionFailed || error.code == ports::kConditionalConflict ||
         error.code == ports::kNoSuchKey;
}

std::unexpected<base::Error> contended(std::string_view key) {
  return base::transient("CONTENDED",
                         fmt::format("other writers kept changing the rendition {}", key));
}

}  // namespace

std::string source_mark(std::string_view path) {
  std::string mark = base::percent_encode(path, /*keep_slash=*/true);
  return mark.size() <= kSourceMarkBytesMax ? mark : "sha256:" + base::sha256_hex(path);
}

base::Result<std::optional<RenditionStore::Standing>> RenditionStore::look(std::string_view key) {
  const auto info = store_.head(bucket_, key);
  if (!info) {
    if (info.error().code == ports::kNoSuchKey) return std::optional<Standing>{};
    return std::unexpected(info.error());
  }
  const auto mark = [&](const char* name) {
    const auto found = info->metadata.find(name);
    return found == info->metadata.end() ? std::string() : found->second;
  };
  Standing standing{.etag = info->etag};
  standing.of_this_source = mark(kMetaSource) == source_;
  if (standing.of_this_source) standing.sequencer = mark(kMetaSequencer);
  return standing;
}

base::Result<RenditionStore::PutResult> RenditionStore::put(const Rendition& rendition,
                                                            std::string_view sequencer,
                                                            bool likely_there) {
  ports::PutOptions options{.content_type = rendition.content_type,
                            .cache_control = rendition.cache_control,
                            .metadata = {{kMetaSource, source_},
                                         {kMetaRecipe, rendition.recipe},
                                         {kMetaSequencer, std::string(sequencer)},
                                         {kMetaGenerated, "true"}}};
  bool look_first = likely_there;
  for (int round = 0; round < kRoundsMax; ++round) {
    options.if_match.clear();
    if (look_first) {
      IMGPROC_TRY(const auto standing, look(rendition.key));
      if (standing && standing->sequencer > sequencer) return PutResult{};
      if (standing) options.if_match = standing->etag;
    }
    options.if_none_match = options.if_match.empty();
    const auto stored = store_.put(bucket_, rendition.key, rendition.bytes, options);
    if (stored)
      return PutResult{
          .written = true, .etag = stored->etag, .replaced = !options.if_match.empty()};
    if (!lost_condition(stored.error())) return std::unexpected(stored.error());
    look_first = true;
  }
  return contended(rendition.key);
}

base::Result<bool> RenditionStore::remove(std::string_view key, std::string_view sequencer) {
  for (int round = 0; round < kRoundsMax; ++round) {
    IMGPROC_TRY(const auto standing, look(key));
    if (!standing || !standing->of_this_source || standing->sequencer > sequencer) return false;
    const auto removed = store_.remove(bucket_, key, standing->etag);
    if (removed) return true;
    if (!lost_condition(removed.error())) return std::unexpected(removed.error());
  }
  return contended(key);
}

base::Result<std::optional<std::string>> RenditionStore::sequencer_at(std::string_view key) {
  IMGPROC_TRY(const auto standing, look(key));
  if (!standing || !standing->of_this_source) return std::optional<std::string>{};
  return std::optional<std::string>{standing->sequencer};
}

}  // namespace imgproc::pipeline
