#pragma once
// The record: one per source object, what users query. Attribute names are those of the table.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "ports/image_engine.h"

namespace imgproc::ports {

enum class RecordStatus { processing, ready, failed, skipped, deleted };

/// "PROCESSING", "READY", "FAILED", "SKIPPED", "DELETED".
[[nodiscard]] std::string_view to_string(RecordStatus value);
[[nodiscard]] std::optional<RecordStatus> record_status_from_string(std::string_view text);

struct RecordError {
  std::string code;
  std::string message;
  bool retryable = false;
  bool operator==(const RecordError&) const = default;
};

enum class RenditionState { planned, ready, failed, skipped };
[[nodiscard]] std::string_view to_string(RenditionState value);
[[nodiscard]] std::optional<RenditionState> rendition_state_from_string(std::string_view text);

/// Every planned rendition is listed with its state: none is ever silently missing.
struct RenditionRecord {
  std::string key;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint64_t size = 0;
  std::string format;
  std::string etag;
  RenditionState state = RenditionState::planned;
  std::optional<RecordError> error;
  bool operator==(const RenditionRecord&) const = default;
};

struct Record {
  /// Key of the table: bucket + "/" + key.
  std::string path;
  std::uint64_t size = 0;
  /// ISO 8601 UTC, the time of the event.
  std::string timestamp;
  RecordStatus status = RecordStatus::processing;
  std::string bucket;
  std::string key;
  std::string version_id;
  std::string etag;
  /// Padded by pad_sequencer(), so that text order is event order.
  std::string sequencer;
  std::string sha256;
  /// format, content_type, width, height, pages, orientation, has_alpha, color_space, icc_profile,
  /// exif, taken_at, dominant_color, blurhash, thumbhash, phash, degraded.
  ImageMetadata metadata;
  std::map<std::string, RenditionRecord> renditions;
  /// Fingerprint of the recipe that made the renditions.
  std::string recipe;
  std::optional<RecordError> error;
  std::uint32_t attempts = 0;
  std::map<std::string, double> timings_ms;
  std::string processed_at;
  std::string request_id;
  /// Epoch seconds; the table's time to live.
  std::optional<std::int64_t> expires_at;
};

/// Event order for one key: right-padded with zeros to 32 characters, upper case, so that plain
/// text comparison is the order S3 documents for `sequencer`. Empty stays empty (before
/// everything).
[[nodiscard]] std::string pad_sequencer(std::string_view sequencer);

}  // namespace imgproc::ports
