#pragma once
// What happens to one object after one event. Knows stores and an engine, no cloud.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "pipeline/config.h"
#include "ports/blob_store.h"
#include "ports/image_engine.h"
#include "ports/record.h"
#include "ports/record_store.h"

namespace imgproc::pipeline {

/// How long the record of a removed object is kept, so that a late event cannot bring it back.
/// Events live 6 hours in Lambda and at most 14 days in a queue.
inline constexpr std::chrono::hours kTombstoneTtl{24 * 30};
/// Wall-clock time that the engine gets for one image, if the deadline leaves as much.
inline constexpr std::chrono::milliseconds kEngineTimeMax{30'000};
/// Kept free before the deadline for storing what the engine made.
inline constexpr std::chrono::milliseconds kStoreTimeReserve{2'000};

struct SourceEvent {
  enum class Kind { created, removed };
  Kind kind = Kind::created;
  std::string bucket;
  /// Decoded.
  std::string key;
  std::string version_id;
  std::string etag;
  /// As the event tells; nullopt if it does not.
  std::optional<std::uint64_t> size;
  /// As S3 sent it. Empty (direct invocation, S3 Batch Operations): the object as it stands now is
  /// brought in order, at the place in time of the newest event that was seen.
  std::string sequencer;
  /// Epoch: taken as now.
  base::SystemTime time;
  /// Removal of a versioned object that leaves its versions.
  bool delete_marker = false;
};

struct ProcessContext {
  std::string request_id;
  base::SteadyTime deadline = base::SteadyTime::max();
};

struct Outcome {
  enum class Kind {
    ready,       ///< every rendition stands
    failed,      ///< the image is at fault; recorded, no retry can help
    skipped,     ///< recorded, with why
    deleted,     ///< renditions gone, tombstone written
    unchanged,   ///< a repeated event; nothing was to be done
    superseded,  ///< a newer event has the say; nothing of this one remains
  };
  Kind kind = Kind::ready;
  /// What stands in the store now.
  ports::Record record;
  /// One sentence for the log.
  std::string reason;
};

[[nodiscard]] std::string_view to_string(Outcome::Kind kind);

/// Brings the destination and the record in line with one event. All references are borrowed for
/// the processor's life. Thread-safe if its parts are.
class Processor {
 public:
  struct Parts {
    const Config& config;
    ports::BlobStore& source;
    ports::BlobStore& destination;
    ports::RecordStore& records;
    ports::ImageEngine& engine;
    base::Clock& clock;
    std::string destination_bucket;
    /// Buckets whose events are accepted; empty: all.
    std::vector<std::string> source_buckets;
    /// How many renditions are put at once. More than one pays where a store is far away, and needs
    /// a destination that is thread-safe.
    std::size_t uploads_max = 1;
  };
  explicit Processor(Parts parts) : parts_(std::move(parts)) {}

  /// An error is to be raised to whoever delivered the event, so that it is delivered again: the
  /// stores or the engine failed, not the image. It is noted in the record where that is possible.
  /// BUCKET_NOT_ALLOWED leaves no record.
  [[nodiscard]] base::Result<Outcome> process(const SourceEvent& event,
                                              const ProcessContext& context) const;

 private:
  Parts parts_;
};

}  // namespace imgproc::pipeline
