#include "aws/record_item.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <type_traits>

#include "base/bytes.h"
#include "protocol/decimal.h"

namespace imgproc::aws {
namespace {

using protocol::AttributeMap;
using protocol::AttributeType;
using protocol::AttributeValue;

/// Every byte that is no part of well-formed UTF-8 becomes U+FFFD.
std::string as_utf8(std::string_view text) {
  if (base::is_utf8(text)) return std::string(text);
  std::string out;
  while (!text.empty()) {
    std::size_t length = 1;
    while (length <= 4 && length <= text.size() && !base::is_utf8(text.substr(0, length))) ++length;
    if (length <= 4 && length <= text.size()) {
      out += text.substr(0, length);
      text.remove_prefix(length);
    } else {
      out += "\xEF\xBF\xBD";
      text.remove_prefix(1);
    }
  }
  return out;
}

class ItemWriter {
 public:
  explicit ItemWriter(AttributeMap& item) : item_(item) {}
  void text(const char* name, std::string_view value) {
    if (!value.empty()) item_[name] = AttributeValue::of_string(as_utf8(value));
  }
  void number(const char* name, std::uint64_t value) {
    item_[name] = AttributeValue::of_number(std::to_string(value));
  }
  /// Zero means unknown here.
  void known_number(const char* name, std::uint64_t value) {
    if (value != 0) number(name, value);
  }
  void boolean(const char* name, bool value) { item_[name] = AttributeValue::of_boolean(value); }
  void map(const char* name, AttributeMap value) {
    if (!value.empty()) item_[name] = AttributeValue::of_map(std::move(value));
  }

 private:
  AttributeMap& item_;
};

/// Nullopt for what DynamoDB cannot hold.
std::optional<AttributeValue> decimal_of(double value) {
  if (!std::isfinite(value)) return std::nullopt;
  // The shortest text that reads back as the same double.
  auto decimal = protocol::Decimal::parse(fmt::format("{}", value));
  if (!decimal) return std::nullopt;
  return AttributeValue::of_number(decimal->to_string());
}

AttributeMap error_item(const ports::RecordError& error) {
  AttributeMap item;
  ItemWriter write(item);
  write.text("code", error.code);
  write.text("message", error.message);
  write.boolean("retryable", error.retryable);
  return item;
}

AttributeMap exif_item(const ports::ExifMap& exif) {
  AttributeMap item;
  for (const auto& [name, value] : exif) {
    if (name.empty()) continue;
    if (const auto* text = std::get_if<std::string>(&value)) {
      if (!text->empty()) item[as_utf8(name)] = AttributeValue::of_string(as_utf8(*text));
    } else if (auto number = decimal_of(std::get<double>(value))) {
      item[as_utf8(name)] = *std::move(number);
    }
  }
  return item;
}

AttributeMap rendition_item(const ports::RenditionRecord& rendition) {
  AttributeMap item;
  ItemWriter write(item);
  write.text("key", rendition.key);
  write.known_number("width", rendition.width);
  write.known_number("height", rendition.height);
  write.known_number("size", rendition.size);
  write.text("format", rendition.format);
  write.text("etag", rendition.etag);
  write.text("state", ports::to_string(rendition.state));
  if (rendition.error) write.map("error", error_item(*rendition.error));
  return item;
}

/// Reads members by name; the first one of a wrong type is remembered.
class ItemReader {
 public:
  explicit ItemReader(const AttributeMap& item) : item_(item) {}

  const AttributeValue* find(const char* name, AttributeType type) {
    auto found = item_.find(name);
    if (found == item_.end() || found->second.type == AttributeType::null) return nullptr;
    if (found->second.type == type) return &found->second;
    fail(name);
    return nullptr;
  }
  void text(const char* name, std::string& into) {
    if (const auto* value = find(name, AttributeType::string)) into = value->text;
  }
  template <class Integer>
  void number(const char* name, Integer& into) {
    const auto* value = find(name, AttributeType::number);
    if (value == nullptr) return;
    auto decimal = protocol::Decimal::parse(value->text);
    auto whole = decimal ? decimal->to_integer() : std::nullopt;
    if (!whole || !std::in_range<Integer>(*whole)) return fail(name);
    into = static_cast<Integer>(*whole);
  }
  void boolean(const char* name, bool& into) {
    if (const auto* value = find(name, AttributeType::boolean)) into = value->boolean;
  }
  const AttributeMap* map(const char* name) {
    const auto* value = find(name, AttributeType::map);
    return value == nullptr ? nullptr : &value->map;
  }
  void fail(std::string_view name) {
    if (bad_.empty()) bad_ = name;
  }
  [[nodiscard]] base::Status status() const {
    if (bad_.empty()) return {};
    return base::permanent(
        "INVALID_RECORD",
        fmt::format("attribute `{}` has the wrong type or an unknown value", bad_),
        "another program has written to the table");
  }

 private:
  const AttributeMap& item_;
  std::string bad_;
};

double as_double(const AttributeValue& value) {
  double number = 0;
  std::from_chars(value.text.data(), value.text.data() + value.text.size(), number);
  return number;
}

base::Result<ports::RecordError> error_of(const AttributeMap& item) {
  ports::RecordError error;
  ItemReader read(item);
  read.text("code", error.code);
  read.text("message", error.message);
  read.boolean("retryable", error.retryable);
  IMGPROC_CHECK(read.status());
  return error;
}

base::Result<ports::RenditionRecord> rendition_of(const AttributeMap& item) {
  ports::RenditionRecord rendition;
  ItemReader read(item);
  read.text("key", rendition.key);
  read.number("width", rendition.width);
  read.number("height", rendition.height);
  read.number("size", rendition.size);
  read.text("format", rendition.format);
  read.text("etag", rendition.etag);
  std::string state;
  read.text("state", state);
  if (auto known = ports::rendition_state_from_string(state))
    rendition.state = *known;
  else
    read.fail("state");
  if (const AttributeMap* error = read.map("error")) {
    IMGPROC_TRY(rendition.error, error_of(*error));
  }
  IMGPROC_CHECK(read.status());
  return rendition;
}

void write_metadata(ItemWriter& write, const ports::ImageMetadata& metadata) {
  write.text("format", metadata.format);
  write.text("content_type", metadata.content_type);
  write.known_number("width", metadata.width);
  write.known_number("height", metadata.height);
  write.known_number("pages", metadata.pages);
  // Without a width no header was read, and nothing is known about these two.
  if (metadata.width != 0) {
    write.number("orientation", static_cast<std::uint64_t>(metadata.orientation));
    write.boolean("has_alpha", metadata.has_alpha);
  }
  write.text("color_space", metadata.color_space);
  write.text("icc_profile", metadata.icc_profile);
  write.map("exif", exif_item(metadata.exif));
  write.text("taken_at", metadata.taken_at);
  write.text("dominant_color", metadata.appearance.dominant_color);
  write.text("blurhash", metadata.appearance.blurhash);
  write.text("thumbhash", metadata.appearance.thumbhash);
  write.text("phash", metadata.appearance.phash);
  if (metadata.degraded) write.boolean("degraded", true);
}

void read_metadata(ItemReader& read, ports::ImageMetadata& metadata) {
  read.text("format", metadata.format);
  read.text("content_type", metadata.content_type);
  read.number("width", metadata.width);
  read.number("height", metadata.height);
  read.number("pages", metadata.pages);
  read.number("orientation", metadata.orientation);
  read.boolean("has_alpha", metadata.has_alpha);
  read.text("color_space", metadata.color_space);
  read.text("icc_profile", metadata.icc_profile);
  read.text("taken_at", metadata.taken_at);
  read.text("dominant_color", metadata.appearance.dominant_color);
  read.text("blurhash", metadata.appearance.blurhash);
  read.text("thumbhash", metadata.appearance.thumbhash);
  read.text("phash", metadata.appearance.phash);
  read.boolean("degraded", metadata.degraded);
  const AttributeMap* exif = read.map("exif");
  if (exif == nullptr) return;
  for (const auto& [name, value] : *exif) {
    if (value.type == AttributeType::string)
      metadata.exif[name] = value.text;
    else if (value.type == AttributeType::number)
      metadata.exif[name] = as_double(value);
    else
      read.fail("exif");
  }
}

}  // namespace

AttributeMap item_of(const ports::Record& record) {
  AttributeMap item;
  ItemWriter write(item);
  write.text("path", record.path);
  write.number("size", record.size);
  write.text("timestamp", record.timestamp);
  write.text("status", ports::to_string(record.status));
  write.text("bucket", record.bucket);
  write.text("key", record.key);
  write.text("version_id", record.version_id);
  write.text("etag", record.etag);
  write.text("sequencer", record.sequencer);
  write.text("sha256", record.sha256);
  write_metadata(write, record.metadata);
  AttributeMap renditions;
  for (const auto& [name, rendition] : record.renditions)
    renditions[name] = AttributeValue::of_map(rendition_item(rendition));
  write.map("renditions", std::move(renditions));
  write.text("recipe", record.recipe);
  if (record.error) write.map("error", error_item(*record.error));
  write.known_number("attempts", record.attempts);
  AttributeMap timings;
  for (const auto& [name, value] : record.timings_ms)
    if (auto number = decimal_of(value)) timings[name] = *std::move(number);
  write.map("timings_ms", std::move(timings));
  write.text("processed_at", record.processed_at);
  write.text("request_id", record.request_id);
  if (record.expires_at) item["expires_at"] = AttributeValue::of_number(*record.expires_at);
  return item;
}

base::Result<ports::Record> record_of(const AttributeMap& item) {
  ports::Record record;
  ItemReader read(item);
  read.text("path", record.path);
  read.number("size", record.size);
  read.text("timestamp", record.timestamp);
  std::string status;
  read.text("status", status);
  if (auto known = ports::record_status_from_string(status))
    record.status = *known;
  else
    read.fail("status");
  read.text("bucket", record.bucket);
  read.text("key", record.key);
  read.text("version_id", record.version_id);
  read.text("etag", record.etag);
  read.text("sequencer", record.sequencer);
  read.text("sha256", record.sha256);
  read_metadata(read, record.metadata);
  if (const AttributeMap* renditions = read.map("renditions")) {
    for (const auto& [name, value] : *renditions) {
      if (value.type != AttributeType::map) {
        read.fail("renditions");
        continue;
      }
      IMGPROC_TRY(record.renditions[name], rendition_of(value.map));
    }
  }
  read.text("recipe", record.recipe);
  if (const AttributeMap* error = read.map("error")) {
    IMGPROC_TRY(record.error, error_of(*error));
  }
  read.number("attempts", record.attempts);
  if (const AttributeMap* timings = read.map("timings_ms")) {
    for (const auto& [name, value] : *timings)
      if (value.type == AttributeType::number) record.timings_ms[name] = as_double(value);
  }
  read.text("processed_at", record.processed_at);
  read.text("request_id", record.request_id);
  if (read.find("expires_at", AttributeType::number) != nullptr) {
    std::int64_t expires_at = 0;
    read.number("expires_at", expires_at);
    record.expires_at = expires_at;
  }
  IMGPROC_CHECK(read.status());
  return record;
}

}  // namespace imgproc::aws
