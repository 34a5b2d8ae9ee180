#include "pipeline/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"

namespace imgproc::pipeline {
namespace {

namespace json = boost::json;
using base::Status;
using ports::Fit;
using ports::ImageLimits;
using ports::OutputFormat;
using ports::Position;
using ports::RenditionSpec;

/// WebP's own bound; JPEG's is 65,535, AVIF's 65,536.
constexpr std::int64_t kSideMax = 16383;
constexpr std::int64_t kTextMax = 1024;
constexpr std::int64_t kListMax = 32;

json::value text_value(std::string_view text) {
  return json::string(text.data(), text.size());
}

json::value list_value(const std::vector<std::string>& texts) {
  json::array array;
  for (const auto& text : texts) array.push_back(text_value(text));
  return array;
}

const std::string& as_text(const SettingValue& value) {
  return std::get<std::string>(value);
}

template <class Integer>
Integer as_integer(const SettingValue& value) {
  return static_cast<Integer>(std::get<std::int64_t>(value));
}

Status invalid(std::string message) {
  return base::permanent("INVALID_SETTING", std::move(message));
}

bool is_media_range(std::string_view type) {
  const std::size_t slash = type.find('/');
  if (slash == 0 || slash == std::string_view::npos || slash + 1 == type.size()) return false;
  const std::string_view subtype = type.substr(slash + 1);
  const auto is_token = [](std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.';
    });
  };
  return is_token(type.substr(0, slash)) && (subtype == "*" || is_token(subtype));
}

constexpr std::array kMatchSettings{
    Setting<Match>{.name = "prefix",
                   .type = SettingType::text,
                   .text = "Only keys that start with this.",
                   .max = kTextMax,
                   .set = [](Match& match, const SettingValue& value) -> Status {
                     match.prefix = as_text(value);
                     return {};
                   },
                   .get = [](const Match& match) { return text_value(match.prefix); }},
    Setting<Match>{.name = "suffix",
                   .type = SettingType::text,
                   .text = "Only keys that end with this.",
                   .max = kTextMax,
                   .set = [](Match& match, const SettingValue& value) -> Status {
                     match.suffix = as_text(value);
                     return {};
                   },
                   .get = [](const Match& match) { return text_value(match.suffix); }},
    Setting<Match>{
        .name = "types",
        .type = SettingType::text_list,
        .text = "Only these media types, for example `image/png` or `image/*`. The type is told by "
                "the object's first bytes, never by its name or its declared type.",
        .max = kListMax,
        .set = [](Match& match, const SettingValue& value) -> Status {
          match.types = std::get<std::vector<std::string>>(value);
          for (const auto& type : match.types)
            if (!is_media_range(type))
              return invalid(fmt::format("'{}' is no media type like image/png or image/*", type));
          return {};
        },
        .get = [](const Match& match) { return list_value(match.types); }},
};

constexpr std::array<std::string_view, 5> kFitWords{"inside", "cover", "contain", "fill",
                                                    "outside"};
constexpr std::array<std::string_view, 12> kPositionWords{
    "centre", "center",      "top",  "right top", "right",   "right bottom",
    "bottom", "left bottom", "left", "left top",  "entropy", "attention"};
constexpr std::array<std::string_view, 7> kFormatWords{"auto", "jpeg", "jpg", "png",
                                                       "webp", "avif", "gif"};

template <auto Member>
Status set_flag(RenditionSpec& spec, const SettingValue& value) {
  spec.*Member = std::get<bool>(value);
  return {};
}
template <auto Member>
json::value get_flag(const RenditionSpec& spec) {
  return spec.*Member;
}
template <class Target, auto Member>
Status set_integer(Target& target, const SettingValue& value) {
  target.*Member = as_integer<std::remove_reference_t<decltype(target.*Member)>>(value);
  return {};
}
template <class Target, auto Member>
json::value get_integer(const Target& target) {
  return static_cast<std::int64_t>(target.*Member);
}

constexpr std::array kRenditionSettings{
    Setting<RenditionSpec>{.name = "width",
                           .type = SettingType::integer,
                           .text = "Pixels; 0: follows from the height.",
                           .min = 0,
                           .max = kSideMax,
                           .set = set_integer<RenditionSpec, &RenditionSpec::width>,
                           .get = get_integer<RenditionSpec, &RenditionSpec::width>},
    Setting<RenditionSpec>{.name = "height",
                           .type = SettingType::integer,
                           .text = "Pixels; 0: follows from the width. Both 0: the source's size.",
                           .min = 0,
                           .max = kSideMax,
                           .set = set_integer<RenditionSpec, &RenditionSpec::height>,
                           .get = get_integer<RenditionSpec, &RenditionSpec::height>},
    Setting<RenditionSpec>{
        .name = "fit",
        .type = SettingType::word,
        .text = "How the picture is laid into width x height. `inside`: all of it, ratio kept. "
                "`cover`: the box is filled and the rest cut off. `contain`: all of it, filled up "
                "with the background. `fill`: stretched. `outside`: the smallest size, ratio kept, "
                "that covers the box.",
        .words = kFitWords,
        .set = [](RenditionSpec& spec, const SettingValue& value) -> Status {
          spec.fit = *ports::fit_from_string(as_text(value));
          return {};
        },
        .get = [](const RenditionSpec& spec) { return text_value(ports::to_string(spec.fit)); }},
    Setting<RenditionSpec>{
        .name = "position",
        .type = SettingType::word,
        .text = "Which part `cover` keeps, or where `contain` puts the picture. `entropy` and "
                "`attention` look for the busiest and the most striking part.",
        .words = kPositionWords,
        .set = [](RenditionSpec& spec, const SettingValue& value) -> Status {
          spec.position = *ports::position_from_string(as_text(value));
          return {};
        },
        .get =
            [](const RenditionSpec& spec) { return text_value(ports::to_string(spec.position)); }},
    Setting<RenditionSpec>{.name = "enlarge",
                           .type = SettingType::boolean,
                           .text = "Enlarge a picture that is smaller than the box.",
                           .set = set_flag<&RenditionSpec::enlarge>,
                           .get = get_flag<&RenditionSpec::enlarge>},
    Setting<RenditionSpec>{
        .name = "format",
        .type = SettingType::word,
        .text = "`auto`: WebP if the picture has transparency, else JPEG.",
        .words = kFormatWords,
        .set = [](RenditionSpec& spec, const SettingValue& value) -> Status {
          spec.format = *ports::output_format_from_string(as_text(value));
          return {};
        },
        .get = [](const RenditionSpec& spec) { return text_value(ports::to_string(spec.format)); }},
    Setting<RenditionSpec>{.name = "quality",
                           .type = SettingType::integer,
                           .text = "For JPEG, WebP and AVIF.",
                           .min = 1,
                           .max = 100,
                           .set = set_integer<RenditionSpec, &RenditionSpec::quality>,
                           .get = get_integer<RenditionSpec, &RenditionSpec::quality>},
    Setting<RenditionSpec>{.name = "effort",
                           .type = SettingType::integer,
                           .text = "Encoder effort: WebP 0 to 6, AVIF 0 to 9, GIF 1 to 10. "
                                   "-1: the format's own default.",
                           .min = -1,
                           .max = 10,
                           .set = set_integer<RenditionSpec, &RenditionSpec::effort>,
                           .get = get_integer<RenditionSpec, &RenditionSpec::effort>},
    Setting<RenditionSpec>{.name = "lossless",
                           .type = SettingType::boolean,
                           .text = "For WebP and AVIF; PNG always is.",
                           .set = set_flag<&RenditionSpec::lossless>,
                           .get = get_flag<&RenditionSpec::lossless>},
    Setting<RenditionSpec>{.name = "progressive",
                           .type = SettingType::boolean,
                           .text = "Interlaced (progressive) JPEG or PNG.",
                           .set = set_flag<&RenditionSpec::progressive>,
                           .get = get_flag<&RenditionSpec::progressive>},
    Setting<RenditionSpec>{.name = "animated",
                           .type = SettingType::boolean,
                           .text =
                               "Keep all frames of an animation, in WebP and GIF; else the first "
                               "frame is taken.",
                           .set = set_flag<&RenditionSpec::animated>,
                           .get = get_flag<&RenditionSpec::animated>},
    Setting<RenditionSpec>{
        .name = "background",
        .type = SettingType::color,
        .text = "What shows through transparency in JPEG, and around `contain`: #rgb, #rrggbb, "
                "#rrggbbaa, `white`, `black` or `transparent`.",
        .max = 16,
        .set = [](RenditionSpec& spec, const SettingValue& value) -> Status {
          IMGPROC_TRY(spec.background, parse_color(as_text(value)));
          return {};
        },
        .get = [](const RenditionSpec& spec) { return text_value(to_string(spec.background)); }},
};

constexpr std::array kDestinationSettings{
    Setting<Destination>{
        .name = "key",
        .type = SettingType::text,
        .text =
            "How renditions are called. Placeholders: `{key}` the source's key; `{dir}` its part "
            "up to and with the last slash, `{name}` what follows; `{bucket}` the source bucket; "
            "`{rendition}` the rendition's name; `{ext}` the extension of the format written. "
            "Refused if two renditions could ever get one key.",
        .max = kTextMax,
        .set = [](Destination& destination, const SettingValue& value) -> Status {
          IMGPROC_TRY(destination.key, KeyTemplate::parse(as_text(value)));
          return {};
        },
        .get = [](const Destination& destination) { return text_value(destination.key.text()); }},
    Setting<Destination>{
        .name = "cache_control",
        .type = SettingType::text,
        .text = "The Cache-Control header of every rendition; empty: none.",
        .max = 256,
        .set = [](Destination& destination, const SettingValue& value) -> Status {
          for (const char c : as_text(value))
            if (c < ' ' || c > '~') return invalid("only printable ASCII can stand in a header");
          destination.cache_control = as_text(value);
          return {};
        },
        .get =
            [](const Destination& destination) { return text_value(destination.cache_control); }},
};

constexpr std::array kLimitSettings{
    Setting<ImageLimits>{.name = "max_bytes",
                         .type = SettingType::integer,
                         .text = "Bytes of a source; more is refused before it is downloaded.",
                         .min = 1,
                         .max = 2147483647,
                         .set = set_integer<ImageLimits, &ImageLimits::max_bytes>,
                         .get = get_integer<ImageLimits, &ImageLimits::max_bytes>},
    Setting<ImageLimits>{
        .name = "max_pixels",
        .type = SettingType::integer,
        .text = "Pixels that are really decoded: after shrink-on-load, times frames. What can only "
                "be decoded whole, such as AVIF, counts in full.",
        .min = 1,
        .max = 10000000000,
        .set = set_integer<ImageLimits, &ImageLimits::max_pixels>,
        .get = get_integer<ImageLimits, &ImageLimits::max_pixels>},
    Setting<ImageLimits>{.name = "max_source_pixels",
                         .type = SettingType::integer,
                         .text = "Pixels that a source's header declares for one frame.",
                         .min = 1,
                         .max = 10000000000,
                         .set = set_integer<ImageLimits, &ImageLimits::max_source_pixels>,
                         .get = get_integer<ImageLimits, &ImageLimits::max_source_pixels>},
    Setting<ImageLimits>{.name = "max_frames",
                         .type = SettingType::integer,
                         .text = "Frames that are decoded, and pages of a TIFF. To take the first "
                                 "frame of a GIF or WebP for a still, 2048 may stand there.",
                         .min = 1,
                         .max = 10000,
                         .set = set_integer<ImageLimits, &ImageLimits::max_frames>,
                         .get = get_integer<ImageLimits, &ImageLimits::max_frames>},
    Setting<ImageLimits>{.name = "max_scans",
                         .type = SettingType::integer,
                         .text = "Scans of a progressive JPEG.",
                         .min = 1,
                         .max = 10000,
                         .set = set_integer<ImageLimits, &ImageLimits::max_scans>,
                         .get = get_integer<ImageLimits, &ImageLimits::max_scans>},
};

/// Bounds of `effort` by format; nullopt where it has no meaning.
std::optional<std::pair<int, int>> effort_bounds(OutputFormat format) {
  switch (format) {
    case OutputFormat::webp:
      return std::pair{0, 6};
    case OutputFormat::avif:
      return std::pair{0, 9};
    case OutputFormat::gif:
      return std::pair{1, 10};
    case OutputFormat::automatic:
      return std::pair{0, 6};
    case OutputFormat::jpeg:
    case OutputFormat::png:
      break;
  }
  return std::nullopt;
}

}  // namespace

std::span<const Setting<Match>> match_settings() {
  return kMatchSettings;
}
std::span<const Setting<RenditionSpec>> rendition_settings() {
  return kRenditionSettings;
}
std::span<const Setting<Destination>> destination_settings() {
  return kDestinationSettings;
}
std::span<const Setting<ImageLimits>> limit_settings() {
  return kLimitSettings;
}

bool is_rendition_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

base::Result<ports::Color> parse_color(std::string_view text) {
  if (text == "white") return ports::Color{};
  if (text == "black") return ports::Color{.r = 0, .g = 0, .b = 0};
  if (text == "transparent") return ports::Color{.r = 0, .g = 0, .b = 0, .alpha = 0};
  std::string digits(text.starts_with('#') ? text.substr(1) : std::string_view());
  if (digits.size() == 3)
    digits = {digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]};
  const auto bytes = base::from_hex(digits);
  if (!bytes || (bytes->size() != 3 && bytes->size() != 4))
    return base::permanent("INVALID_SETTING", fmt::format("'{}' is no colour", text),
                           "write #rgb, #rrggbb, #rrggbbaa, white, black or transparent");
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>((*bytes)[i]); };
  return ports::Color{
      .r = at(0), .g = at(1), .b = at(2), .alpha = bytes->size() == 4 ? at(3) : std::uint8_t{255}};
}

std::string to_string(const ports::Color& color) {
  std::string text = fmt::format("#{:02x}{:02x}{:02x}", color.r, color.g, color.b);
  if (color.alpha != 255) text += fmt::format("{:02x}", color.alpha);
  return text;
}

std::vector<SettingConflict> find_conflicts(const RenditionSpec& spec) {
  std::vector<SettingConflict> conflicts;
  const auto format = ports::to_string(spec.format);
  const bool has_box = spec.width > 0 && spec.height > 0;
  if (!has_box && spec.fit != Fit::inside)
    conflicts.push_back(
        {"fit", fmt::format("'{}' needs both width and height", ports::to_string(spec.fit))});
  if (spec.position != Position::centre && spec.fit != Fit::cover && spec.fit != Fit::contain)
    conflicts.push_back({"position", fmt::format("has no effect with fit '{}', only with 'cover' "
                                                 "and 'contain'",
                                                 ports::to_string(spec.fit))});
  if ((spec.position == Position::entropy || spec.position == Position::attention) &&
      spec.fit == Fit::contain)
    conflicts.push_back({"position", "'entropy' and 'attention' go with fit 'cover' only"});
  if (spec.effort >= 0) {
    const auto bounds = effort_bounds(spec.format);
    if (!bounds)
      conflicts.push_back({"effort", fmt::format("has no effect with format '{}'", format)});
    else if (spec.effort < bounds->first || spec.effort > bounds->second)
      conflicts.push_back(
          {"effort", fmt::format("{} is outside {} to {} of format '{}'", spec.effort,
                                 bounds->first, bounds->second, format)});
  }
  if (spec.lossless && spec.format != OutputFormat::webp && spec.format != OutputFormat::avif &&
      spec.format != OutputFormat::png)
    conflicts.push_back({"lossless", fmt::format("format '{}' cannot be lossless", format)});
  if (spec.progressive && spec.format != OutputFormat::jpeg && spec.format != OutputFormat::png &&
      spec.format != OutputFormat::automatic)
    conflicts.push_back({"progressive", fmt::format("format '{}' has no interlacing", format)});
  if (spec.animated && spec.format != OutputFormat::webp && spec.format != OutputFormat::gif)
    conflicts.push_back({"animated", fmt::format("format '{}' keeps no animation here, only webp "
                                                 "and gif do",
                                                 format)});
  return conflicts;
}

}  // namespace imgproc::pipeline
