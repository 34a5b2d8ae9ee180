#pragma once
// Every setting, declared once: the parser, the JSON Schema, the reference page and the fingerprint
// of a recipe all come from these tables.

#include <boost/json.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "pipeline/config.h"

namespace imgproc::pipeline {

enum class SettingType { integer, boolean, text, word, color, text_list };

using SettingValue = std::variant<std::int64_t, bool, std::string, std::vector<std::string>>;

/// One member of an object of the configuration that becomes a Target.
template <class Target>
struct Setting {
  std::string_view name;
  SettingType type;
  /// For the reference and the schema.
  std::string_view text;
  /// Bounds of integers; of texts `max` is the length in bytes.
  std::int64_t min = 0;
  std::int64_t max = 0;
  /// The words of SettingType::word.
  std::span<const std::string_view> words = {};
  /// `value` has the right type and stands within the bounds; an error's message says what else is
  /// wrong with it.
  base::Status (*set)(Target& target, const SettingValue& value) = nullptr;
  /// As it would be written in the configuration; of a fresh Target this is the default.
  boost::json::value (*get)(const Target& target) = nullptr;
};

[[nodiscard]] std::span<const Setting<Match>> match_settings();
[[nodiscard]] std::span<const Setting<ports::RenditionSpec>> rendition_settings();
[[nodiscard]] std::span<const Setting<Destination>> destination_settings();
[[nodiscard]] std::span<const Setting<ports::ImageLimits>> limit_settings();

/// All settings of `target` in the order of the table.
template <class Target>
[[nodiscard]] boost::json::object settings_to_json(std::span<const Setting<Target>> settings,
                                                   const Target& target) {
  boost::json::object object;
  for (const auto& setting : settings)
    object[boost::json::string_view(setting.name.data(), setting.name.size())] =
        setting.get(target);
  return object;
}

/// Names of renditions: 1 to 64 of A-Z a-z 0-9 _ -.
[[nodiscard]] bool is_rendition_name(std::string_view name);
inline constexpr std::string_view kRenditionNamePattern = "^[A-Za-z0-9_-]{1,64}$";

/// #rgb, #rrggbb, #rrggbbaa, "transparent", "white", "black".
[[nodiscard]] base::Result<ports::Color> parse_color(std::string_view text);
[[nodiscard]] std::string to_string(const ports::Color& color);

/// What no single setting can tell: settings that do not go together. Messages by setting name.
struct SettingConflict {
  std::string_view setting;
  std::string message;
};
[[nodiscard]] std::vector<SettingConflict> find_conflicts(const ports::RenditionSpec& spec);

}  // namespace imgproc::pipeline
