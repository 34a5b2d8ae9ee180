#pragma once
// The configuration: imgproc.json, or the same text in IMGPROC_CONFIG.

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "pipeline/key_template.h"
#include "ports/image_engine.h"

namespace imgproc::pipeline {

inline constexpr std::size_t kConfigBytesMax = 256 * 1024;
inline constexpr std::size_t kRecipesMax = 100;
inline constexpr std::size_t kRenditionsPerRecipeMax = 32;
inline constexpr std::size_t kRenditionsTotalMax = 256;

/// Which objects a recipe is for; what is empty matches everything.
struct Match {
  std::string prefix;
  std::string suffix;
  /// Media types as the bytes tell them: "image/png", "image/*".
  std::vector<std::string> types;
};

struct Recipe {
  Match match;
  /// In the order of the document; names are unique within the recipe.
  std::vector<ports::RenditionSpec> renditions;
};

struct Destination {
  /// "{key}/{rendition}.{ext}"
  KeyTemplate key = KeyTemplate::standard();
  std::string cache_control = "public, max-age=31536000, immutable";
};

struct Config {
  /// The first that matches wins; an object that none matches is skipped.
  std::vector<Recipe> recipes;
  Destination destination;
  ports::ImageLimits limits;
};

/// One fault of a configuration.
struct ConfigProblem {
  /// JSON pointer (RFC 6901) of the value at fault; empty = the whole document.
  std::string pointer;
  std::string message;
  /// What to write instead; may be empty.
  std::string hint;
  /// Counted from 1; 0 = unknown.
  int line = 0;
  int column = 0;

  /// "line 3, column 5: /limits/max_byte: no such setting (did you mean max_bytes?)"
  [[nodiscard]] std::string describe() const;
};

using ConfigProblems = std::vector<ConfigProblem>;

/// Reads a configuration and gives every fault at once, in the order of the document.
[[nodiscard]] std::expected<Config, ConfigProblems> parse_config(std::string_view text);

/// One thumbnail per image, 200 x 200 at most: what runs when nothing is configured.
[[nodiscard]] Config default_config();
/// The default configuration as a document.
[[nodiscard]] std::string_view default_config_text();

/// All problems as one error, code "INVALID_CONFIG".
[[nodiscard]] base::Error config_error(const ConfigProblems& problems);

/// Proof that no output can ever start the pipeline again: the destination is none of the sources,
/// or all keys that are written start with a text that no recipe's prefix admits. Also refuses
/// several sources under a key template without {bucket}. Code: "LOOP_POSSIBLE", "BUCKET_NEEDED".
[[nodiscard]] base::Status check_no_loop(const Config& config,
                                         std::span<const std::string> source_buckets,
                                         std::string_view destination_bucket);

/// JSON Schema (2020-12) of the configuration, indented.
[[nodiscard]] std::string config_schema();
/// The reference page, Markdown (docs/configuration.md).
[[nodiscard]] std::string config_reference();

}  // namespace imgproc::pipeline
