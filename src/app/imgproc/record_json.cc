#include "app/imgproc/record_json.h"

#include <boost/json.hpp>

namespace imgproc::app {
namespace {

namespace json = boost::json;

json::string text(std::string_view view) {
  return json::string(view.data(), view.size());
}

void set(json::object& object, json::string_view name, std::string_view value) {
  if (!value.empty()) object[name] = text(value);
}

json::object error_to_json(const ports::RecordError& error) {
  return {{"code", error.code}, {"message", error.message}, {"retryable", error.retryable}};
}

json::object rendition_to_json(const ports::RenditionRecord& rendition) {
  json::object object;
  set(object, "key", rendition.key);
  object["width"] = rendition.width;
  object["height"] = rendition.height;
  object["size"] = rendition.size;
  set(object, "format", rendition.format);
  object["state"] = text(ports::to_string(rendition.state));
  if (rendition.error) object["error"] = error_to_json(*rendition.error);
  return object;
}

}  // namespace

json::object metadata_to_json(const ports::ImageMetadata& metadata) {
  json::object object;
  set(object, "format", metadata.format);
  set(object, "content_type", metadata.content_type);
  if (metadata.width > 0) {
    object["width"] = metadata.width;
    object["height"] = metadata.height;
    object["pages"] = metadata.pages;
    object["orientation"] = metadata.orientation;
    object["has_alpha"] = metadata.has_alpha;
  }
  set(object, "color_space", metadata.color_space);
  set(object, "icc_profile", metadata.icc_profile);
  json::object exif;
  for (const auto& [tag, value] : metadata.exif)
    std::visit([&](const auto& held) { exif[tag] = held; }, value);
  if (!exif.empty()) object["exif"] = std::move(exif);
  set(object, "taken_at", metadata.taken_at);
  set(object, "dominant_color", metadata.appearance.dominant_color);
  set(object, "blurhash", metadata.appearance.blurhash);
  set(object, "thumbhash", metadata.appearance.thumbhash);
  set(object, "phash", metadata.appearance.phash);
  if (metadata.degraded) object["degraded"] = true;
  return object;
}

json::object record_to_json(const ports::Record& record) {
  json::object object{{"key", record.key},
                      {"status", text(ports::to_string(record.status))},
                      {"size", record.size}};
  set(object, "sha256", record.sha256);
  for (const auto& member : metadata_to_json(record.metadata))
    object[member.key()] = member.value();
  json::object renditions;
  for (const auto& [name, rendition] : record.renditions)
    renditions[name] = rendition_to_json(rendition);
  if (!renditions.empty()) object["renditions"] = std::move(renditions);
  set(object, "recipe", record.recipe);
  if (record.error) object["error"] = error_to_json(*record.error);
  json::object timings;
  for (const auto& [step, spent] : record.timings_ms) timings[step] = spent;
  if (!timings.empty()) object["timings_ms"] = std::move(timings);
  return object;
}

}  // namespace imgproc::app
