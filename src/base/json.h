#pragma once
// Untrusted JSON: bounded in depth, and read by name with errors that say what is wrong.

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace imgproc::base {

namespace json = boost::json;

/// DynamoDB nests 32 levels; nothing that we read goes deeper than this.
inline constexpr std::size_t kJsonDepthMax = 100;

/// Parses one JSON text (RFC 8259, no extensions). Error code: "INVALID_JSON".
[[nodiscard]] Result<json::value> parse_json(std::string_view text);

/// Members by name; nullopt / nullptr if absent or of another kind. Borrowed from `object`.
[[nodiscard]] std::optional<std::string_view> json_string(const json::object& object,
                                                          std::string_view name);
[[nodiscard]] std::optional<std::int64_t> json_int(const json::object& object,
                                                   std::string_view name);
[[nodiscard]] std::optional<double> json_number(const json::object& object, std::string_view name);
[[nodiscard]] std::optional<bool> json_bool(const json::object& object, std::string_view name);
[[nodiscard]] const json::object* json_object(const json::object& object, std::string_view name);
[[nodiscard]] const json::array* json_array(const json::object& object, std::string_view name);

}  // namespace imgproc::base
