#include "pipeline/plan.h"

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "base/hash.h"
#include "pipeline/media_type.h"
#include "pipeline/settings.h"

namespace imgproc::pipeline {
namespace {

namespace json = boost::json;

/// Raised when the same recipe comes to mean other bytes, so that nothing old passes for new.
constexpr int kFingerprintVersion = 1;

std::string fingerprint_of(const Config& config, const Recipe& recipe) {
  json::object renditions;
  for (const auto& spec : recipe.renditions)
    renditions[spec.name] = settings_to_json(rendition_settings(), spec);
  const json::object canonical{
      {"version", kFingerprintVersion},
      {"renditions", std::move(renditions)},
      {"destination", settings_to_json(destination_settings(), config.destination)},
      {"limits", settings_to_json(limit_settings(), config.limits)}};
  return base::sha256_hex(json::serialize(canonical));
}

bool matches(const Match& match, std::string_view key, std::string_view media_type) {
  return may_match(match, key) &&
         (match.types.empty() || std::ranges::any_of(match.types, [&](const std::string& range) {
            return media_type_matches(media_type, range);
          }));
}

}  // namespace

bool may_match(const Match& match, std::string_view key) {
  return key.starts_with(match.prefix) && key.ends_with(match.suffix);
}

std::optional<Plan> make_plan(const Config& config, std::string_view key,
                              std::string_view media_type) {
  for (std::size_t i = 0; i < config.recipes.size(); ++i) {
    const Recipe& recipe = config.recipes[i];
    if (!matches(recipe.match, key, media_type)) continue;
    return Plan{.recipe = i,
                .fingerprint = fingerprint_of(config, recipe),
                .renditions = recipe.renditions};
  }
  return std::nullopt;
}

std::vector<ports::OutputFormat> possible_formats(ports::OutputFormat format) {
  if (format == ports::OutputFormat::automatic)
    return {ports::OutputFormat::webp, ports::OutputFormat::jpeg};
  return {format};
}

std::vector<KeyTemplate::Use> key_uses(const Config& config) {
  std::vector<KeyTemplate::Use> uses;
  for (std::size_t i = 0; i < config.recipes.size(); ++i)
    for (const auto& spec : config.recipes[i].renditions)
      for (const auto format : possible_formats(spec.format))
        uses.push_back({.recipe = i,
                        .rendition = spec.name,
                        .extension = std::string(ports::extension(format))});
  return uses;
}

std::vector<std::string> possible_keys(const Config& config, std::string_view bucket,
                                       std::string_view key) {
  std::set<std::string> keys;
  for (const auto& use : key_uses(config)) {
    if (!may_match(config.recipes[use.recipe].match, key)) continue;
    if (auto expanded = config.destination.key.expand(bucket, key, use.rendition, use.extension))
      keys.insert(std::move(*expanded));
  }
  return {keys.begin(), keys.end()};
}

}  // namespace imgproc::pipeline
