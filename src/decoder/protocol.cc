#include "decoder/protocol.h"

#include <fmt/format.h>

#include <cmath>

#include "base/bytes.h"
#include "base/json.h"

namespace imgproc::decoder {
namespace {

namespace json = boost::json;
using ports::ImageOrder;
using ports::ImageResult;
using ports::RenditionSpec;

std::unexpected<base::Error> invalid(std::string what) {
  return base::permanent(kInvalidResult, "the decoder's message is not valid: " + std::move(what));
}

json::object to_json(const RenditionSpec& spec) {
  return {{"name", spec.name},
          {"width", spec.width},
          {"height", spec.height},
          {"fit", ports::to_string(spec.fit)},
          {"position", ports::to_string(spec.position)},
          {"enlarge", spec.enlarge},
          {"format", ports::to_string(spec.format)},
          {"quality", spec.quality},
          {"effort", spec.effort},
          {"lossless", spec.lossless},
          {"progressive", spec.progressive},
          {"animated", spec.animated},
          {"background",
           {spec.background.r, spec.background.g, spec.background.b, spec.background.alpha}}};
}

/// Reads members by name, remembering the first that is missing or out of range.
class Reader {
 public:
  explicit Reader(const json::object& object) : object_(object) {}

  template <class Number>
  void integer(std::string_view name, Number& value, std::int64_t low, std::int64_t high) {
    const auto found = base::json_int(object_, name);
    if (!found || *found < low || *found > high) return fail(name);
    value = static_cast<Number>(*found);
  }
  void boolean(std::string_view name, bool& value) {
    const auto found = base::json_bool(object_, name);
    if (!found) return fail(name);
    value = *found;
  }
  void text(std::string_view name, std::string& value, std::size_t bytes_max) {
    const auto found = base::json_string(object_, name);
    if (!found || found->size() > bytes_max || !base::is_utf8(*found)) return fail(name);
    value = *found;
  }
  template <class Word, class FromString>
  void word(std::string_view name, Word& value, FromString from_string) {
    const auto found = base::json_string(object_, name);
    const auto known = found ? from_string(*found) : std::nullopt;
    if (!known) return fail(name);
    value = *known;
  }
  void fail(std::string_view name) {
    if (bad_.empty()) bad_ = name;
  }
  /// Empty if everything was there.
  [[nodiscard]] const std::string& bad() const { return bad_; }

 private:
  const json::object& object_;
  std::string bad_;
};

constexpr std::int64_t kUint32Max = 0xFFFFFFFF;
constexpr std::int64_t kInt64Max = INT64_MAX;

base::Result<RenditionSpec> parse_spec(const json::value& value) {
  if (!value.is_object()) return invalid("a rendition is not an object");
  Reader reader(value.get_object());
  RenditionSpec spec;
  reader.text("name", spec.name, kTextBytesMax);
  reader.integer("width", spec.width, 0, kUint32Max);
  reader.integer("height", spec.height, 0, kUint32Max);
  reader.word("fit", spec.fit, ports::fit_from_string);
  reader.word("position", spec.position, ports::position_from_string);
  reader.boolean("enlarge", spec.enlarge);
  reader.word("format", spec.format, ports::output_format_from_string);
  reader.integer("quality", spec.quality, 1, 100);
  reader.integer("effort", spec.effort, -1, 10);
  reader.boolean("lossless", spec.lossless);
  reader.boolean("progressive", spec.progressive);
  reader.boolean("animated", spec.animated);
  const json::array* background = base::json_array(value.get_object(), "background");
  if (background == nullptr || background->size() != 4) return invalid("background");
  const std::array channels{&spec.background.r, &spec.background.g, &spec.background.b,
                            &spec.background.alpha};
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const auto* number = background->at(i).if_int64();
    if (number == nullptr || *number < 0 || *number > 255) return invalid("background");
    *channels[i] = static_cast<std::uint8_t>(*number);
  }
  if (!reader.bad().empty()) return invalid(reader.bad());
  return spec;
}

json::object to_json(const base::Error& error) {
  return {{"code", error.code},
          {"message", error.message.substr(0, kTextBytesMax)},
          {"hint", error.hint.substr(0, kTextBytesMax)}};
}

/// The decoder's errors are permanent by definition: it is this image that failed.
base::Result<base::Error> parse_error(const json::value& value) {
  if (!value.is_object()) return invalid("error");
  Reader reader(value.get_object());
  base::Error error;
  reader.text("code", error.code, 64);
  reader.text("message", error.message, kTextBytesMax);
  reader.text("hint", error.hint, kTextBytesMax);
  if (!reader.bad().empty()) return invalid(reader.bad());
  return error;
}

json::object to_json(const ports::ImageMetadata& metadata) {
  json::object exif;
  for (const auto& [name, value] : metadata.exif)
    std::visit([&](const auto& held) { exif[name] = held; }, value);
  return {{"format", metadata.format},
          {"content_type", metadata.content_type},
          {"width", metadata.width},
          {"height", metadata.height},
          {"pages", metadata.pages},
          {"orientation", metadata.orientation},
          {"has_alpha", metadata.has_alpha},
          {"color_space", metadata.color_space},
          {"icc_profile", metadata.icc_profile},
          {"exif", std::move(exif)},
          {"taken_at", metadata.taken_at},
          {"dominant_color", metadata.appearance.dominant_color},
          {"blurhash", metadata.appearance.blurhash},
          {"thumbhash", metadata.appearance.thumbhash},
          {"phash", metadata.appearance.phash},
          {"degraded", metadata.degraded}};
}

base::Result<ports::ImageMetadata> parse_metadata(const json::object* object) {
  if (object == nullptr) return invalid("metadata");
  Reader reader(*object);
  ports::ImageMetadata metadata;
  reader.text("format", metadata.format, 32);
  reader.text("content_type", metadata.content_type, 128);
  reader.integer("width", metadata.width, 0, kUint32Max);
  reader.integer("height", metadata.height, 0, kUint32Max);
  reader.integer("pages", metadata.pages, 0, kUint32Max);
  reader.integer("orientation", metadata.orientation, 1, 8);
  reader.boolean("has_alpha", metadata.has_alpha);
  reader.text("color_space", metadata.color_space, 32);
  reader.text("icc_profile", metadata.icc_profile, kTextBytesMax);
  reader.text("taken_at", metadata.taken_at, 64);
  reader.text("dominant_color", metadata.appearance.dominant_color, 16);
  reader.text("blurhash", metadata.appearance.blurhash, 64);
  reader.text("thumbhash", metadata.appearance.thumbhash, 64);
  reader.text("phash", metadata.appearance.phash, 16);
  reader.boolean("degraded", metadata.degraded);
  if (!reader.bad().empty()) return invalid(reader.bad());
  const json::object* exif = base::json_object(*object, "exif");
  if (exif == nullptr || exif->size() > kExifValuesMax) return invalid("exif");
  for (const auto& [name, value] : *exif) {
    if (name.size() > 64 || !base::is_utf8(name)) return invalid("exif");
    if (value.is_string() && value.get_string().size() <= kTextBytesMax &&
        base::is_utf8(value.get_string())) {
      metadata.exif.emplace(name, std::string(value.get_string()));
    } else if (value.is_number() && std::isfinite(value.to_number<double>())) {
      metadata.exif.emplace(name, value.to_number<double>());
    } else {
      return invalid("exif");
    }
  }
  return metadata;
}

base::Result<ports::Rendition> parse_rendition(const json::value& value, const RenditionSpec& spec,
                                               std::span<const std::byte> output) {
  if (!value.is_object()) return invalid("a rendition is not an object");
  const json::object& object = value.get_object();
  ports::Rendition rendition;
  rendition.name = spec.name;
  Reader reader(object);
  reader.word("format", rendition.format, ports::output_format_from_string);
  if (const json::value* error = object.if_contains("error")) {
    IMGPROC_TRY(rendition.error, parse_error(*error));
    if (!reader.bad().empty()) return invalid(reader.bad());
    return rendition;
  }
  std::uint64_t offset = 0, length = 0;
  reader.integer("width", rendition.width, 1, kUint32Max);
  reader.integer("height", rendition.height, 1, kUint32Max);
  reader.integer("offset", offset, 0, kInt64Max);
  reader.integer("length", length, 1, kInt64Max);
  if (!reader.bad().empty()) return invalid(reader.bad());
  const bool right_format = spec.format == ports::OutputFormat::automatic
                                ? rendition.format != ports::OutputFormat::automatic
                                : rendition.format == spec.format;
  if (!right_format) return invalid("format");
  if (offset > output.size() || length > output.size() - offset)
    return invalid(fmt::format("rendition bytes {}+{} lie outside the output memory of {}", offset,
                               length, output.size()));
  rendition.bytes = output.subspan(offset, length);
  return rendition;
}

}  // namespace

base::Result<std::string> write_order(const ImageOrder& order, std::uint64_t input_bytes) {
  const ports::ImageLimits& limits = order.limits;
  json::array renditions;
  for (const RenditionSpec& spec : order.renditions) renditions.emplace_back(to_json(spec));
  std::string text = json::serialize(json::object{{"input_bytes", input_bytes},
                                                  {"max_bytes", limits.max_bytes},
                                                  {"max_pixels", limits.max_pixels},
                                                  {"max_source_pixels", limits.max_source_pixels},
                                                  {"max_frames", limits.max_frames},
                                                  {"max_scans", limits.max_scans},
                                                  {"timeout_ms", order.timeout_ms},
                                                  {"renditions", std::move(renditions)}});
  if (order.renditions.size() > kRenditionsMax || text.size() > kMessageBytesMax)
    return base::permanent(
        "INVALID_ORDER",
        fmt::format("{} renditions ({} bytes) are more than one order holds ({})",
                    order.renditions.size(), text.size(), kRenditionsMax),
        "configure fewer renditions per recipe");
  return text;
}

base::Result<Order> parse_order(std::string_view text) {
  IMGPROC_TRY(const json::value value, base::parse_json(text));
  if (!value.is_object()) return invalid("not an object");
  const json::object& object = value.get_object();
  Reader reader(object);
  Order result;
  ImageOrder& order = result.image;
  reader.integer("input_bytes", result.input_bytes, 0, kInt64Max);
  reader.integer("max_bytes", order.limits.max_bytes, 0, kInt64Max);
  reader.integer("max_pixels", order.limits.max_pixels, 0, kInt64Max);
  reader.integer("max_source_pixels", order.limits.max_source_pixels, 0, kInt64Max);
  reader.integer("max_frames", order.limits.max_frames, 0, kUint32Max);
  reader.integer("max_scans", order.limits.max_scans, 0, kUint32Max);
  reader.integer("timeout_ms", order.timeout_ms, 0, kUint32Max);
  if (!reader.bad().empty()) return invalid(reader.bad());
  const json::array* renditions = base::json_array(object, "renditions");
  if (renditions == nullptr || renditions->size() > kRenditionsMax) return invalid("renditions");
  for (const json::value& item : *renditions) {
    IMGPROC_TRY(RenditionSpec spec, parse_spec(item));
    order.renditions.push_back(std::move(spec));
  }
  return result;
}

base::Result<std::string> write_result(const ImageResult& result,
                                       std::span<const std::byte> output) {
  json::object timings;
  for (const auto& [step, milliseconds] : result.timings_ms) timings[step] = milliseconds;
  json::array renditions;
  for (const ports::Rendition& rendition : result.renditions) {
    json::object object{{"format", ports::to_string(rendition.format)}};
    if (rendition.error) {
      object["error"] = to_json(*rendition.error);
    } else {
      object["width"] = rendition.width;
      object["height"] = rendition.height;
      object["offset"] = static_cast<std::uint64_t>(rendition.bytes.data() - output.data());
      object["length"] = rendition.bytes.size();
    }
    renditions.push_back(std::move(object));
  }
  json::object object{{"metadata", to_json(result.metadata)},
                      {"renditions", std::move(renditions)},
                      {"timings_ms", std::move(timings)}};
  if (result.error) object["error"] = to_json(*result.error);
  std::string text = json::serialize(object);
  if (text.size() > kMessageBytesMax) return invalid("the result is longer than a message");
  return text;
}

base::Result<ImageResult> parse_result(std::string_view text, const ImageOrder& order,
                                       std::span<const std::byte> output) {
  const auto parsed = base::parse_json(text);
  if (!parsed) return invalid(parsed.error().message);
  if (!parsed->is_object()) return invalid("not an object");
  const json::object& object = parsed->get_object();
  ImageResult result;
  IMGPROC_TRY(result.metadata, parse_metadata(base::json_object(object, "metadata")));
  if (const json::value* error = object.if_contains("error")) {
    IMGPROC_TRY(result.error, parse_error(*error));
  }
  const json::object* timings = base::json_object(object, "timings_ms");
  if (timings == nullptr || timings->size() > kTimingsMax) return invalid("timings_ms");
  for (const auto& [step, value] : *timings) {
    if (step.size() > 32 || !base::is_utf8(step) || !value.is_number())
      return invalid("timings_ms");
    result.timings_ms.emplace(step, value.to_number<double>());
  }
  const json::array* renditions = base::json_array(object, "renditions");
  if (renditions == nullptr) return invalid("renditions");
  if (renditions->size() != (result.error ? 0 : order.renditions.size()))
    return invalid("renditions are missing or too many");
  for (std::size_t i = 0; i < renditions->size(); ++i) {
    IMGPROC_TRY(ports::Rendition rendition,
                parse_rendition(renditions->at(i), order.renditions[i], output));
    result.renditions.push_back(std::move(rendition));
  }
  return result;
}

}  // namespace imgproc::decoder
