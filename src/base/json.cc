#include "base/json.h"

#include <fmt/format.h>

namespace imgproc::base {

Result<json::value> parse_json(std::string_view text) {
  json::parse_options options;
  options.max_depth = kJsonDepthMax;
  json::stream_parser parser({}, options);
  boost::system::error_code error;
  std::size_t used = parser.write_some({text.data(), text.size()}, error);
  if (!error && used < text.size()) error = json::error::extra_data;
  if (!error) parser.finish(error);
  if (error)
    return permanent("INVALID_JSON",
                     fmt::format("not valid JSON at byte {}: {}", used, error.message()));
  return parser.release();
}

namespace {
const json::value* member(const json::object& object, std::string_view name) {
  return object.if_contains({name.data(), name.size()});
}
}  // namespace

std::optional<std::string_view> json_string(const json::object& object, std::string_view name) {
  const auto* value = member(object, name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string_view(value->get_string().data(), value->get_string().size());
}

std::optional<std::int64_t> json_int(const json::object& object, std::string_view name) {
  const auto* value = member(object, name);
  if (value == nullptr) return std::nullopt;
  if (value->is_int64()) return value->get_int64();
  if (value->is_double()) {
    boost::system::error_code error;
    auto number = value->to_number<std::int64_t>(error);
    if (!error) return number;
  }
  return std::nullopt;
}

std::optional<double> json_number(const json::object& object, std::string_view name) {
  const auto* value = member(object, name);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  return value->to_number<double>();
}

std::optional<bool> json_bool(const json::object& object, std::string_view name) {
  const auto* value = member(object, name);
  if (value == nullptr || !value->is_bool()) return std::nullopt;
  return value->get_bool();
}

const json::object* json_object(const json::object& object, std::string_view name) {
  const auto* value = member(object, name);
  return value == nullptr ? nullptr : value->if_object();
}

const json::array* json_array(const json::object& object, std::string_view name) {
  const auto* value = member(object, name);
  return value == nullptr ? nullptr : value->if_array();
}

}  // namespace imgproc::base
