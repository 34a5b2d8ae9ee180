#include "localcloud/dynamodb/input.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "localcloud/dynamodb/errors.h"

namespace imgproc::localcloud::dynamodb {
namespace {

constexpr std::size_t kNameLengthMin = 3;
constexpr std::size_t kNameLengthMax = 255;

std::string_view view(const json::string& text) {
  return {text.data(), text.size()};
}

/// Members stand in messages with a small first letter.
std::string lower_first(std::string_view name) {
  std::string lowered(name);
  if (!lowered.empty() && lowered[0] >= 'A' && lowered[0] <= 'Z')
    lowered[0] = static_cast<char>(lowered[0] + 32);
  return lowered;
}

bool is_resource_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  });
}

}  // namespace

Input::Input(const json::object& object, std::string path)
    : object_(object), path_(std::move(path)) {}

const json::value* Input::member(std::string_view name) const {
  const auto* value = object_.if_contains({name.data(), name.size()});
  return value == nullptr || value->is_null() ? nullptr : value;
}

bool Input::has(std::string_view name) const {
  return member(name) != nullptr;
}

void Input::fail(std::string message) {
  if (!serialization_error_) serialization_error_ = not_serializable(std::move(message)).error();
}

void Input::wrong_kind(const json::value& value, std::string_view java_type) {
  if (value.is_array())
    return fail(fmt::format("Unrecognized collection type class java.lang.{}", java_type));
  if (value.is_object()) return fail("Start of structure or map found where not expected");
  std::string_view kind = value.is_string()   ? "STRING_VALUE"
                          : value.is_double() ? "DECIMAL_VALUE"
                          : value.is_bool()   ? (value.get_bool() ? "TRUE_VALUE" : "FALSE_VALUE")
                                              : "NUMBER_VALUE";
  fail(fmt::format("{} cannot be converted to {}", kind, java_type));
}

std::optional<std::string_view> Input::text(std::string_view name) {
  const auto* value = member(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) {
    wrong_kind(*value, "String");
    return std::nullopt;
  }
  return view(value->get_string());
}

std::optional<std::int64_t> Input::integer(std::string_view name, std::int64_t min,
                                           std::int64_t max) {
  const auto* value = member(name);
  if (value == nullptr) return std::nullopt;
  std::int64_t number = 0;
  if (value->is_int64()) {
    number = value->get_int64();
  } else if (value->is_uint64()) {
    number = std::numeric_limits<std::int64_t>::max();
  } else if (value->is_double() && std::abs(value->get_double()) < 9e18) {
    number = static_cast<std::int64_t>(value->get_double());
  } else {
    wrong_kind(*value, "Integer");
    return std::nullopt;
  }
  if (number < min)
    violation(name, fmt::format("'{}'", number),
              fmt::format("Member must have value greater than or equal to {}", min));
  if (number > max)
    violation(name, fmt::format("'{}'", number),
              fmt::format("Member must have value less than or equal to {}", max));
  return number;
}

std::optional<bool> Input::boolean(std::string_view name) {
  const auto* value = member(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_bool()) return value->get_bool();
  if (value->is_string()) {
    // DynamoDB takes these texts too.
    std::string lowered;
    for (char c : view(value->get_string()))
      lowered += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    if (lowered == "true" || lowered == "yes" || lowered == "1") return true;
    if (lowered == "false" || lowered == "no" || lowered == "0") return false;
    fail("Unexpected token received from parser");
    return std::nullopt;
  }
  wrong_kind(*value, "Boolean");
  return std::nullopt;
}

const json::object* Input::object(std::string_view name) {
  const auto* value = member(name);
  if (value == nullptr) return nullptr;
  if (!value->is_object())
    fail(value->is_array() ? fmt::format("Unrecognized collection type for member {}", name)
                           : "Unexpected field type");
  return value->if_object();
}

const json::array* Input::array(std::string_view name) {
  const auto* value = member(name);
  if (value == nullptr) return nullptr;
  if (!value->is_array())
    fail(value->is_object() ? "Start of structure or map found where not expected"
                            : "Unexpected field type");
  return value->if_array();
}

std::optional<std::string_view> Input::choice(std::string_view name,
                                              std::initializer_list<std::string_view> values) {
  auto chosen = text(name);
  if (chosen && std::find(values.begin(), values.end(), *chosen) == values.end())
    violation(name, fmt::format("'{}'", *chosen),
              fmt::format("Member must satisfy enum value set: [{}]", fmt::join(values, ", ")));
  return chosen;
}

void Input::require(std::string_view name) {
  if (!has(name)) violation(name, "null", "Member must not be null");
}

std::optional<std::string_view> Input::resource_name(std::string_view name) {
  auto value = text(name);
  if (!value) return value;
  std::string quoted = fmt::format("'{}'", *value);
  if (!is_resource_name(*value))
    violation(name, quoted, "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+");
  if (value->size() < kNameLengthMin)
    violation(name, quoted,
              fmt::format("Member must have length greater than or equal to {}", kNameLengthMin));
  if (value->size() > kNameLengthMax)
    violation(name, quoted,
              fmt::format("Member must have length less than or equal to {}", kNameLengthMax));
  return value;
}

void Input::violation(std::string_view name, std::string_view value, std::string_view constraint) {
  constexpr std::size_t kViolationsMax = 10;
  if (violations_.size() < kViolationsMax)
    violations_.push_back(fmt::format("Value {} at '{}{}{}' failed to satisfy constraint: {}",
                                      value, path_, path_.empty() ? "" : ".", lower_first(name),
                                      constraint));
}

base::Status Input::status() const {
  if (serialization_error_) return std::unexpected(*serialization_error_);
  if (violations_.empty()) return {};
  return invalid(fmt::format("{} validation error{} detected: {}", violations_.size(),
                             violations_.size() == 1 ? "" : "s", fmt::join(violations_, "; ")));
}

base::Result<std::string> table_name_of(const json::object& request) {
  Input input(request);
  auto name = input.text("TableName");
  IMGPROC_CHECK(input.status());
  if (!name)
    return invalid("The parameter 'TableName' is required but was not present in the request");
  if (name->starts_with("arn:")) {
    auto slash = name->find(":table/");
    if (slash == std::string_view::npos) return invalid(fmt::format("Invalid TableArn: {}", *name));
    name = name->substr(slash + 7);
  }
  if (name->size() < kNameLengthMin || name->size() > kNameLengthMax)
    return invalid("TableName must be at least 3 characters long and at most 255 characters long");
  if (!is_resource_name(*name)) {
    input.violation("TableName", fmt::format("'{}'", *name),
                    "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+");
    return std::unexpected(input.status().error());
  }
  return std::string(*name);
}

base::Result<protocol::AttributeMap> item_parameter(const json::object& request,
                                                    std::string_view name) {
  Input input(request);
  const auto* members = input.object(name);
  input.require(name);
  IMGPROC_CHECK(input.status());
  return protocol::parse_attribute_map(*members);
}

base::Result<std::vector<std::string>> texts_of(const json::array& array) {
  std::vector<std::string> texts;
  for (const auto& value : array) {
    if (!value.is_string()) return not_serializable("Unexpected token received from parser");
    texts.emplace_back(view(value.get_string()));
  }
  return texts;
}

}  // namespace imgproc::localcloud::dynamodb
