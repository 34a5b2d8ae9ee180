#include "localcloud/dynamodb/expression.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "localcloud/dynamodb/errors.h"
#include "localcloud/dynamodb/input.h"

namespace imgproc::localcloud::dynamodb {
namespace {

bool is_placeholder(std::string_view text, char mark) {
  return text.size() >= 2 && text[0] == mark &&
         std::all_of(text.begin() + 1, text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_';
         });
}

std::unexpected<base::Error> bad_key(std::string_view parameter, std::string_view key) {
  return invalid(fmt::format("{} contains invalid key: Syntax error; key: \"{}\"", parameter, key));
}

}  // namespace

std::string to_string(const Path& path) {
  std::string text = "[";
  for (const auto& element : path) {
    if (text.size() > 1) text += ", ";
    if (const auto* name = std::get_if<std::string>(&element)) {
      text += *name;
    } else {
      text += fmt::format("[{}]", std::get<std::size_t>(element));
    }
  }
  return text + "]";
}

base::Result<Placeholders> Placeholders::read(const json::object& request) {
  Placeholders result;
  Input input(request);
  const auto* names = input.object("ExpressionAttributeNames");
  const auto* values = input.object("ExpressionAttributeValues");
  IMGPROC_CHECK(input.status());
  if (names != nullptr) {
    if (names->empty()) return invalid("ExpressionAttributeNames must not be empty");
    for (const auto& [key, value] : *names) {
      std::string placeholder(key.data(), key.size());
      if (!is_placeholder(placeholder, '#'))
        return bad_key("ExpressionAttributeNames", placeholder);
      if (!value.is_string()) return not_serializable("Unexpected token received from parser");
      result.names_.emplace(placeholder, std::string(value.get_string()));
      result.unused_names_.insert(placeholder);
    }
  }
  if (values != nullptr) {
    if (values->empty()) return invalid("ExpressionAttributeValues must not be empty");
    for (const auto& [key, value] : *values) {
      std::string placeholder(key.data(), key.size());
      if (!is_placeholder(placeholder, ':'))
        return bad_key("ExpressionAttributeValues", placeholder);
      auto read = protocol::parse_attribute_value(value);
      if (!read) {
        if (read.error().code != "ValidationException") return std::unexpected(read.error());
        return invalid(
            fmt::format("ExpressionAttributeValues contains invalid value: {} for key {}",
                        read.error().message, placeholder));
      }
      result.values_.emplace(placeholder, *std::move(read));
      result.unused_values_.insert(placeholder);
    }
  }
  return result;
}

const std::string* Placeholders::name(const std::string& placeholder) {
  unused_names_.erase(placeholder);
  auto found = names_.find(placeholder);
  return found == names_.end() ? nullptr : &found->second;
}

const AttributeValue* Placeholders::value(const std::string& placeholder) {
  unused_values_.erase(placeholder);
  auto found = values_.find(placeholder);
  return found == values_.end() ? nullptr : &found->second;
}

base::Status Placeholders::check_all_used() const {
  if (!unused_names_.empty())
    return invalid(fmt::format(
        "Value provided in ExpressionAttributeNames unused in expressions: keys: {{{}}}",
        fmt::join(unused_names_, ", ")));
  if (!unused_values_.empty())
    return invalid(fmt::format(
        "Value provided in ExpressionAttributeValues unused in expressions: keys: {{{}}}",
        fmt::join(unused_values_, ", ")));
  return {};
}

}  // namespace imgproc::localcloud::dynamodb
