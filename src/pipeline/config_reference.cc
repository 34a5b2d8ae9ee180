// The JSON Schema and the reference page, both made from the tables of settings.h.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json.hpp>

#include "pipeline/config.h"
#include "pipeline/settings.h"

namespace imgproc::pipeline {
namespace {

namespace json = boost::json;

json::string text_of(std::string_view text) {
  return json::string(text.data(), text.size());
}

template <class Target>
json::object schema_of(const Setting<Target>& setting, const Target& fresh) {
  json::object schema{{"description", text_of(setting.text)}};
  switch (setting.type) {
    case SettingType::integer:
      schema["type"] = "integer";
      schema["minimum"] = setting.min;
      schema["maximum"] = setting.max;
      break;
    case SettingType::boolean:
      schema["type"] = "boolean";
      break;
    case SettingType::text:
    case SettingType::color:
      schema["type"] = "string";
      schema["maxLength"] = setting.max;
      break;
    case SettingType::word: {
      json::array words;
      for (const auto word : setting.words) words.emplace_back(text_of(word));
      schema["enum"] = std::move(words);
      break;
    }
    case SettingType::text_list:
      schema["type"] = "array";
      schema["items"] = {{"type", "string"}};
      schema["maxItems"] = setting.max;
      break;
  }
  schema["default"] = setting.get(fresh);
  return schema;
}

template <class Target>
json::object object_schema(std::span<const Setting<Target>> settings, std::string_view text) {
  json::object properties;
  const Target fresh;
  for (const auto& setting : settings)
    properties[json::string_view(setting.name.data(), setting.name.size())] =
        schema_of(setting, fresh);
  return {{"type", "object"},
          {"description", text_of(text)},
          {"additionalProperties", false},
          {"properties", std::move(properties)}};
}

constexpr std::string_view kMatchText =
    "Which objects the recipe is for; what is left out matches everything.";
constexpr std::string_view kRenditionText = "One picture to make.";
constexpr std::string_view kDestinationText = "How renditions are stored.";
constexpr std::string_view kLimitsText =
    "Bounds that are checked from a source's header, before pixels are touched.";

/// Objects over several lines, scalars and short lists on one.
void write_indented(const json::value& value, int depth, std::string& out) {
  const std::string indent(static_cast<std::size_t>(depth + 1) * 2, ' ');
  const json::object* object = value.if_object();
  if (object == nullptr || object->empty()) {
    out += json::serialize(value);
    return;
  }
  out += "{\n";
  bool first = true;
  for (const auto& member : *object) {
    if (!first) out += ",\n";
    first = false;
    out += indent + json::serialize(json::string(member.key())) + ": ";
    write_indented(member.value(), depth + 1, out);
  }
  out += "\n" + indent.substr(2) + "}";
}

std::string allowed(SettingType type, std::int64_t min, std::int64_t max,
                    std::span<const std::string_view> words) {
  switch (type) {
    case SettingType::integer:
      return fmt::format("{} to {}", min, max);
    case SettingType::boolean:
      return "true, false";
    case SettingType::text:
      return fmt::format("text, {} bytes", max);
    case SettingType::color:
      return "colour";
    case SettingType::word: {
      std::string list;
      for (const auto word : words) list += fmt::format("{}`{}`", list.empty() ? "" : ", ", word);
      return list;
    }
    case SettingType::text_list:
      return fmt::format("list of texts, {} at most", max);
  }
  return {};
}

template <class Target>
std::string table_of(std::span<const Setting<Target>> settings) {
  std::string table = "| setting | values | default | meaning |\n|---|---|---|---|\n";
  const Target fresh;
  for (const auto& setting : settings)
    table += fmt::format("| `{}` | {} | `{}` | {} |\n", setting.name,
                         allowed(setting.type, setting.min, setting.max, setting.words),
                         json::serialize(setting.get(fresh)), setting.text);
  return table;
}

}  // namespace

std::string config_schema() {
  json::object renditions{
      {"type", "object"},
      {"description", "The pictures to make, by name."},
      {"minProperties", 1},
      {"maxProperties", kRenditionsPerRecipeMax},
      {"additionalProperties", false},
      {"patternProperties",
       {{json::string_view(kRenditionNamePattern.data(), kRenditionNamePattern.size()),
         object_schema(rendition_settings(), kRenditionText)}}}};
  json::object recipe{{"type", "object"},
                      {"additionalProperties", false},
                      {"required", json::array{"renditions"}},
                      {"properties",
                       {{"match", object_schema(match_settings(), kMatchText)},
                        {"renditions", std::move(renditions)}}}};
  const json::object schema{
      {"$schema", "https://json-schema.org/draft/2020-12/schema"},
      {"title", "imgproc.json"},
      {"type", "object"},
      {"additionalProperties", false},
      {"required", json::array{"recipes"}},
      {"properties",
       {{"$schema", {{"type", "string"}}},
        {"recipes",
         {{"type", "array"},
          {"description", "The first recipe that matches an object is used."},
          {"minItems", 1},
          {"maxItems", kRecipesMax},
          {"items", std::move(recipe)}}},
        {"destination", object_schema(destination_settings(), kDestinationText)},
        {"limits", object_schema(limit_settings(), kLimitsText)}}}};
  std::string text;
  write_indented(schema, 0, text);
  return text + "\n";
}

std::string config_reference() {
  return fmt::format(
      R"(# Configuration

One JSON document: `imgproc.json`, or the same text in `IMGPROC_CONFIG`. `imgproc lint FILE` explains a
document and every fault in it, `imgproc lint --schema` prints the JSON Schema for editors. This page
is made by `imgproc lint --reference`.

Without a configuration this one is used:

```json
{}```

An object is handled by the first of `recipes` whose `match` admits it. An object that none admits is
recorded as `SKIPPED`. Unknown settings are refused.

## `recipes[].match`

{}

{}
## `recipes[].renditions.NAME`

{} Names have 1 to 64 of `A-Z a-z 0-9 _ -`. At most {} in one recipe and {} in all.

{}
## `destination`

{}

{}
Two renditions must never get one key, whatever the sources are called: a document under which that
could happen is refused. Whether a rendition could start the pipeline again depends on the buckets, so
the function checks it when it starts, and refuses to; `imgproc lint FILE --source BUCKET --destination
BUCKET` checks it beforehand.

## `limits`

{}

{})",
      default_config_text(), kMatchText, table_of(match_settings()), kRenditionText,
      kRenditionsPerRecipeMax, kRenditionsTotalMax, table_of(rendition_settings()),
      kDestinationText, table_of(destination_settings()), kLimitsText, table_of(limit_settings()));
}

}  // namespace imgproc::pipeline
