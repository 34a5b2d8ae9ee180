#include "pipeline/config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>
#include <tuple>

#include "base/bytes.h"
#include "pipeline/json_locations.h"
#include "pipeline/plan.h"
#include "pipeline/settings.h"

namespace imgproc::pipeline {
namespace {

namespace json = boost::json;

constexpr std::size_t kDepthMax = 16;
/// A document with more faults than this is no configuration; the rest is not reported.
constexpr std::size_t kProblemsMax = 100;

constexpr std::string_view kDefaultConfig = R"({
  "recipes": [
    { "renditions": { "thumbnail": { "width": 200, "height": 200, "fit": "inside", "quality": 80 } } }
  ]
}
)";

std::string_view view(json::string_view text) {
  return {text.data(), text.size()};
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

/// "did you mean …?", or else which there are.
std::string suggestion(std::string_view wrong, std::span<const std::string_view> known) {
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(2, wrong.size() / 3) + 1;
  for (const auto word : known) {
    const std::size_t distance =
        wrong.size() > 64 ? best_distance : edit_distance(base::to_lower(wrong), word);
    if (distance < best_distance) {
      best_distance = distance;
      best = word;
    }
  }
  if (!best.empty()) return fmt::format("did you mean {}?", best);
  return fmt::format("there are {}", fmt::join(known, ", "));
}

/// Reads one document and gathers everything that is wrong with it.
class Reader {
 public:
  explicit Reader(std::string_view text) : locations_(locate_json(text)) {}

  Config config;
  ConfigProblems problems;

  void read(const json::value& document) {
    for (const auto& pointer : locations_.duplicates) report(pointer, "stands there twice");
    const json::object* root = object_at(document, "");
    if (root == nullptr) return;
    static constexpr std::array<std::string_view, 4> kMembers{"$schema", "recipes", "destination",
                                                              "limits"};
    check_members(*root, "", kMembers);
    if (const json::value* destination = root->if_contains("destination"))
      read_settings(*destination, "/destination", destination_settings(), config.destination);
    if (const json::value* limits = root->if_contains("limits"))
      read_settings(*limits, "/limits", limit_settings(), config.limits);
    const json::value* recipes = root->if_contains("recipes");
    if (recipes == nullptr)
      report("", "recipes are missing", "write {\"recipes\":[{\"renditions\":{…}}]}");
    else
      read_recipes(*recipes);
    if (problems.empty()) check_keys();
  }

 private:
  void report(std::string pointer, std::string message, std::string hint = {}) {
    if (problems.size() >= kProblemsMax) return;
    ConfigProblem problem{
        .pointer = std::move(pointer), .message = std::move(message), .hint = std::move(hint)};
    if (const auto at = locations_.positions.find(problem.pointer);
        at != locations_.positions.end()) {
      problem.line = at->second.line;
      problem.column = at->second.column;
    }
    problems.push_back(std::move(problem));
  }

  const json::object* object_at(const json::value& value, const std::string& pointer) {
    const json::object* object = value.if_object();
    if (object == nullptr) report(pointer, "an object {…} is expected here");
    return object;
  }

  void check_members(const json::object& object, const std::string& pointer,
                     std::span<const std::string_view> known) {
    for (const auto& member : object) {
      const std::string_view name = view(member.key());
      if (std::ranges::find(known, name) == known.end())
        report(pointer + "/" + pointer_token(name), "no such setting", suggestion(name, known));
    }
  }

  void read_recipes(const json::value& value) {
    const json::array* array = value.if_array();
    if (array == nullptr) return report("/recipes", "an array […] of recipes is expected here");
    if (array->empty()) return report("/recipes", "at least one recipe is needed");
    if (array->size() > kRecipesMax)
      return report("/recipes",
                    fmt::format("{} recipes, at most {} are allowed", array->size(), kRecipesMax));
    std::size_t renditions = 0;
    for (std::size_t i = 0; i < array->size(); ++i) {
      read_recipe((*array)[i], fmt::format("/recipes/{}", i));
      renditions += config.recipes.back().renditions.size();
    }
    if (renditions > kRenditionsTotalMax)
      report("/recipes", fmt::format("{} renditions in all, at most {} are allowed", renditions,
                                     kRenditionsTotalMax));
    check_reachable();
  }

  void read_recipe(const json::value& value, const std::string& pointer) {
    Recipe& recipe = config.recipes.emplace_back();
    const json::object* object = object_at(value, pointer);
    if (object == nullptr) return;
    static constexpr std::array<std::string_view, 2> kMembers{"match", "renditions"};
    check_members(*object, pointer, kMembers);
    if (const json::value* match = object->if_contains("match"))
      read_settings(*match, pointer + "/match", match_settings(), recipe.match);
    const json::value* renditions = object->if_contains("renditions");
    if (renditions == nullptr) return report(pointer, "renditions are missing");
    const std::string at = pointer + "/renditions";
    const json::object* named = object_at(*renditions, at);
    if (named == nullptr) return;
    if (named->empty()) report(at, "at least one rendition is needed");
    if (named->size() > kRenditionsPerRecipeMax)
      return report(at, fmt::format("{} renditions, at most {} are allowed in one recipe",
                                    named->size(), kRenditionsPerRecipeMax));
    for (const auto& member : *named)
      read_rendition(view(member.key()), member.value(), at, recipe);
  }

  void read_rendition(std::string_view name, const json::value& value, const std::string& parent,
                      Recipe& recipe) {
    const std::string pointer = parent + "/" + pointer_token(name);
    if (!is_rendition_name(name))
      report(pointer, "the name of a rendition has 1 to 64 of A-Z a-z 0-9 _ -");
    ports::RenditionSpec spec;
    spec.name = name;
    const std::size_t problems_before = problems.size();
    read_settings(value, pointer, rendition_settings(), spec);
    if (problems.size() == problems_before)
      for (const auto& conflict : find_conflicts(spec))
        report(pointer + "/" + std::string(conflict.setting), conflict.message);
    recipe.renditions.push_back(std::move(spec));
  }

  template <class Target>
  void read_settings(const json::value& value, const std::string& pointer,
                     std::span<const Setting<Target>> settings, Target& target) {
    const json::object* object = object_at(value, pointer);
    if (object == nullptr) return;
    std::vector<std::string_view> names;
    for (const auto& setting : settings) names.push_back(setting.name);
    check_members(*object, pointer, names);
    for (const auto& setting : settings) {
      const json::value* given =
          object->if_contains(json::string_view(setting.name.data(), setting.name.size()));
      if (given == nullptr) continue;
      const std::string at = pointer + "/" + std::string(setting.name);
      const auto converted = convert(*given, setting, at);
      if (!converted) continue;
      if (const auto status = setting.set(target, *converted); !status)
        report(at, status.error().message, status.error().hint);
    }
  }

  /// Nullopt if the value has the wrong type or leaves its bounds; then that has been reported.
  template <class Target>
  std::optional<SettingValue> convert(const json::value& value, const Setting<Target>& setting,
                                      const std::string& at) {
    switch (setting.type) {
      case SettingType::integer:
        return convert_integer(value, setting.min, setting.max, at);
      case SettingType::boolean:
        if (value.is_bool()) return SettingValue{value.get_bool()};
        report(at, "true or false is expected here");
        return std::nullopt;
      case SettingType::text_list:
        return convert_list(value, static_cast<std::size_t>(setting.max), at);
      case SettingType::text:
      case SettingType::word:
      case SettingType::color:
        break;
    }
    if (!value.is_string()) {
      report(at, "a text \"…\" is expected here");
      return std::nullopt;
    }
    const std::string_view text = view(value.get_string());
    if (setting.type == SettingType::word) {
      if (std::ranges::find(setting.words, text) == setting.words.end()) {
        report(at, fmt::format("'{}' is not known here", text.substr(0, 64)),
               suggestion(text, setting.words));
        return std::nullopt;
      }
    } else if (text.size() > static_cast<std::size_t>(setting.max)) {
      report(at, fmt::format("longer than {} bytes", setting.max));
      return std::nullopt;
    }
    return SettingValue{std::string(text)};
  }

  std::optional<SettingValue> convert_integer(const json::value& value, std::int64_t min,
                                              std::int64_t max, const std::string& at) {
    boost::system::error_code error;
    const auto number = value.is_number() ? value.to_number<std::int64_t>(error) : 0;
    if (!value.is_number() || error) {
      report(at, "a whole number is expected here");
      return std::nullopt;
    }
    if (number < min || number > max) {
      report(at, fmt::format("{} is outside {} to {}", number, min, max));
      return std::nullopt;
    }
    return SettingValue{number};
  }

  std::optional<SettingValue> convert_list(const json::value& value, std::size_t max,
                                           const std::string& at) {
    const json::array* array = value.if_array();
    if (array == nullptr || !std::ranges::all_of(*array, &json::value::is_string)) {
      report(at, "an array of texts [\"…\"] is expected here");
      return std::nullopt;
    }
    if (array->size() > max) {
      report(at, fmt::format("{} entries, at most {} are allowed", array->size(), max));
      return std::nullopt;
    }
    std::vector<std::string> texts;
    for (const auto& entry : *array) texts.emplace_back(view(entry.get_string()));
    return SettingValue{std::move(texts)};
  }

  /// A recipe behind one that matches everything it matches can never be used.
  void check_reachable() {
    for (std::size_t i = 1; i < config.recipes.size(); ++i) {
      const Match& match = config.recipes[i].match;
      for (std::size_t j = 0; j < i; ++j) {
        const Match& earlier = config.recipes[j].match;
        const bool covers = match.prefix.starts_with(earlier.prefix) &&
                            match.suffix.ends_with(earlier.suffix) &&
                            (earlier.types.empty() || earlier.types == match.types);
        if (!covers) continue;
        report(
            fmt::format("/recipes/{}", i),
            fmt::format("can never be used: recipe {} matches first whatever this one matches", j),
            "the first recipe that matches wins; put the special ones before the general");
        break;
      }
    }
  }

  void check_keys() {
    const auto uses = key_uses(config);
    if (const auto status = config.destination.key.check_distinct(uses); !status)
      report("/destination/key", status.error().message, status.error().hint);
  }

  JsonLocations locations_;
};

}  // namespace

std::string ConfigProblem::describe() const {
  std::string text;
  if (line > 0) text += fmt::format("line {}, column {}: ", line, column);
  text += fmt::format("{}: {}", pointer.empty() ? "(document)" : pointer, message);
  if (!hint.empty()) text += fmt::format(" ({})", hint);
  return text;
}

std::expected<Config, ConfigProblems> parse_config(std::string_view text) {
  const auto refuse = [](std::string message, TextPosition at = {0, 0}) {
    return std::unexpected(ConfigProblems{
        {.pointer = "", .message = std::move(message), .line = at.line, .column = at.column}});
  };
  if (text.size() > kConfigBytesMax)
    return refuse(fmt::format("{} bytes, at most {} are allowed", text.size(), kConfigBytesMax));
  json::parse_options options;
  options.max_depth = kDepthMax;
  json::stream_parser parser({}, options);
  boost::system::error_code error;
  const std::size_t used = parser.write_some({text.data(), text.size()}, error);
  if (!error && used < text.size()) error = json::error::extra_data;
  if (!error) parser.finish(error);
  if (error) return refuse("not valid JSON: " + error.message(), position_at(text, used));
  Reader reader(text);
  reader.read(parser.release());
  if (!reader.problems.empty()) {
    std::ranges::sort(reader.problems, {}, [](const ConfigProblem& p) {
      return std::tie(p.line, p.column, p.pointer, p.message);
    });
    return std::unexpected(std::move(reader.problems));
  }
  return std::move(reader.config);
}

std::string_view default_config_text() {
  return kDefaultConfig;
}

Config default_config() {
  return *parse_config(kDefaultConfig);
}

base::Error config_error(const ConfigProblems& problems) {
  std::string message = fmt::format("the configuration has {} fault{}", problems.size(),
                                    problems.size() == 1 ? "" : "s");
  for (const auto& problem : problems) message += "; " + problem.describe();
  return {.code = "INVALID_CONFIG",
          .message = std::move(message),
          .retryable = false,
          .hint = "imgproc lint explains a configuration"};
}

base::Status check_no_loop(const Config& config, std::span<const std::string> source_buckets,
                           std::string_view destination_bucket) {
  if (source_buckets.size() > 1 && !config.destination.key.has_bucket())
    return base::permanent("BUCKET_NEEDED",
                           "with several source buckets two sources of one key would meet",
                           "put {bucket} into destination.key: {bucket}/{key}/{rendition}.{ext}");
  if (std::ranges::find(source_buckets, destination_bucket) == source_buckets.end()) return {};
  const std::string_view written = config.destination.key.literal_prefix();
  for (std::size_t i = 0; i < config.recipes.size(); ++i) {
    const std::string_view read = config.recipes[i].match.prefix;
    if (read.starts_with(written) || written.starts_with(read))
      return base::permanent(
          "LOOP_POSSIBLE",
          fmt::format("{} is source and destination, and recipe {} (prefix '{}') would match the "
                      "renditions that it makes (keys start with '{}')",
                      destination_bucket, i, read, written),
          "take another destination bucket, or give every recipe a match.prefix that "
          "destination.key does not start with");
  }
  return {};
}

}  // namespace imgproc::pipeline
