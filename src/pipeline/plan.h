#pragma once
// What to make of an object. Pure: nothing here touches the world.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/config.h"
#include "ports/image_engine.h"

namespace imgproc::pipeline {

struct Plan {
  /// Index in Config::recipes.
  std::size_t recipe = 0;
  /// SHA-256 (hexadecimal) of everything that decides what is written: renditions, key template,
  /// cache control, limits. Equal fingerprints mean equal renditions of equal bytes.
  std::string fingerprint;
  std::vector<ports::RenditionSpec> renditions;
};

/// Whether a recipe may apply to a key at all, its type not being known yet.
[[nodiscard]] bool may_match(const Match& match, std::string_view key);
/// The plan of the first recipe that matches; nullopt if none does. `media_type` as media_type_of()
/// tells it.
[[nodiscard]] std::optional<Plan> make_plan(const Config& config, std::string_view key,
                                            std::string_view media_type);

/// Formats that a rendition may turn out to have: one, or two for OutputFormat::automatic.
[[nodiscard]] std::vector<ports::OutputFormat> possible_formats(ports::OutputFormat format);

/// Every rendition of every recipe in every format that it may have.
[[nodiscard]] std::vector<KeyTemplate::Use> key_uses(const Config& config);

/// Every key under which this configuration could store a rendition of the object, whichever recipe
/// and format it gets. Keys that would be too long are left out: nothing can stand there.
[[nodiscard]] std::vector<std::string> possible_keys(const Config& config, std::string_view bucket,
                                                     std::string_view key);

}  // namespace imgproc::pipeline
