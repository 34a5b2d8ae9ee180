#include "protocol/attribute_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_set>

#include "base/bytes.h"
#include "protocol/decimal.h"

namespace imgproc::protocol {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 10> kTypeNames{"S",  "N", "B", "SS",   "NS",
                                                      "BS", "M", "L", "NULL", "BOOL"};

std::unexpected<base::Error> invalid(std::string message) {
  return base::permanent("ValidationException", std::move(message));
}
std::unexpected<base::Error> not_serializable(std::string message) {
  return base::permanent("SerializationException", std::move(message));
}

/// The error for JSON of the wrong kind where `java_type` is expected.
std::unexpected<base::Error> wrong_kind(const json::value& value, std::string_view java_type) {
  if (value.is_array())
    return not_serializable(
        fmt::format("Unrecognized collection type class java.lang.{}", java_type));
  if (value.is_object())
    return not_serializable("Start of structure or map found where not expected");
  if (value.is_bool())
    return not_serializable(fmt::format("{} cannot be converted to {}",
                                        value.get_bool() ? "TRUE_VALUE" : "FALSE_VALUE",
                                        java_type));
  std::string_view kind = value.is_string()   ? "STRING_VALUE"
                          : value.is_double() ? "DECIMAL_VALUE"
                                              : "NUMBER_VALUE";
  return not_serializable(fmt::format("{} cannot be converted to {}", kind, java_type));
}

base::Result<std::string> read_text(const json::value& value) {
  if (!value.is_string()) return wrong_kind(value, "String");
  return std::string(value.get_string().data(), value.get_string().size());
}

base::Result<std::string> read_number(const json::value& value) {
  IMGPROC_TRY(std::string text, read_text(value));
  IMGPROC_TRY(Decimal number, Decimal::parse(text));
  return number.to_string();
}

base::Result<std::string> read_binary(const json::value& value) {
  if (!value.is_string())
    return not_serializable("only base-64-encoded strings are convertible to bytes");
  std::string_view text(value.get_string().data(), value.get_string().size());
  if (text.size() % 4 != 0)
    return not_serializable(fmt::format(
        "Base64 encoded length is expected a multiple of 4 bytes but found: {}", text.size()));
  auto bytes = base::from_base64(text);
  if (!bytes) return not_serializable("Invalid last non-pad Base64 character dectected");
  return *std::move(bytes);
}

using ReadElement = base::Result<std::string> (*)(const json::value&);

base::Result<AttributeValue> read_set(const json::value& value, AttributeType type,
                                      ReadElement read) {
  if (!value.is_array()) {
    return value.is_object()
               ? not_serializable("Start of structure or map found where not expected")
               : not_serializable("Unexpected field type");
  }
  const json::array& elements = value.get_array();
  if (elements.empty()) {
    return invalid(std::string("One or more parameter values were invalid: ") +
                   (type == AttributeType::binary_set   ? "Binary sets should not be empty"
                    : type == AttributeType::string_set ? "An string set  may not be empty"
                                                        : "An number set  may not be empty"));
  }
  AttributeValue set{.type = type};
  set.set.reserve(elements.size());
  for (const auto& element : elements) {
    IMGPROC_TRY(std::string text, read(element));
    set.set.push_back(std::move(text));
  }
  std::unordered_set<std::string_view> seen;
  for (const auto& text : set.set) {
    if (seen.insert(text).second) continue;
    if (type == AttributeType::number_set) return invalid("Input collection contains duplicates");
    std::string listed;
    for (const auto& element : elements)
      listed += (listed.empty() ? "" : ", ") + std::string(element.get_string());
    return invalid(fmt::format(
        "One or more parameter values were invalid: Input collection [{}]{} contains duplicates.",
        listed, type == AttributeType::binary_set ? " of type BS" : ""));
  }
  return set;
}

base::Result<AttributeMap> read_map(const json::object& members, int depth);

base::Result<AttributeValue> read_value(const json::value& value, int depth) {
  const json::object* object = value.if_object();
  if (object == nullptr) {
    return value.is_array() ? not_serializable(
                                  "Unrecognized collection type class "
                                  "com.amazonaws.dynamodb.v20120810.AttributeValue")
                            : not_serializable("Unexpected value type in payload");
  }
  if (depth > kAttributeDepthMax)
    return invalid(
        "Nesting Levels have exceeded supported limits: Attributes have nested levels "
        "beyond supported limit");
  AttributeValue result;
  int types = 0;
  for (const auto& [name, member] : *object) {
    auto type = attribute_type_from_string({name.data(), name.size()});
    if (!type || member.is_null()) continue;
    ++types;
    switch (*type) {
      case AttributeType::string: {
        IMGPROC_TRY(result.text, read_text(member));
        break;
      }
      case AttributeType::number: {
        IMGPROC_TRY(result.text, read_number(member));
        break;
      }
      case AttributeType::binary: {
        IMGPROC_TRY(result.text, read_binary(member));
        break;
      }
      case AttributeType::string_set: {
        IMGPROC_TRY(result, read_set(member, *type, read_text));
        break;
      }
      case AttributeType::number_set: {
        IMGPROC_TRY(result, read_set(member, *type, read_number));
        break;
      }
      case AttributeType::binary_set: {
        IMGPROC_TRY(result, read_set(member, *type, read_binary));
        break;
      }
      case AttributeType::map: {
        if (!member.is_object())
          return member.is_array()
                     ? not_serializable(
                           "Unrecognized collection type java.util.Map<java.lang.String, "
                           "com.amazonaws.dynamodb.v20120810.AttributeValue>")
                     : not_serializable("Unexpected field type");
        IMGPROC_TRY(result.map, read_map(member.get_object(), depth + 1));
        break;
      }
      case AttributeType::list: {
        if (!member.is_array())
          return member.is_object()
                     ? not_serializable("Start of structure or map found where not expected")
                     : not_serializable("Unexpected field type");
        for (const auto& element : member.get_array()) {
          IMGPROC_TRY(AttributeValue read, read_value(element, depth + 1));
          result.list.push_back(std::move(read));
        }
        break;
      }
      case AttributeType::null:
        if (!member.is_bool()) return wrong_kind(member, "Boolean");
        if (!member.get_bool())
          return invalid(
              "One or more parameter values were invalid: Null attribute value types "
              "must have the value of true");
        break;
      case AttributeType::boolean:
        if (!member.is_bool()) return wrong_kind(member, "Boolean");
        result.boolean = member.get_bool();
        break;
    }
    result.type = *type;
  }
  if (types == 0)
    return invalid(
        "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes");
  if (types > 1)
    return invalid(
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of "
        "the supported datatypes");
  return result;
}

base::Result<AttributeMap> read_map(const json::object& members, int depth) {
  AttributeMap map;
  for (const auto& [name, member] : members) {
    IMGPROC_TRY(AttributeValue value, read_value(member, depth));
    map.emplace(std::string(name.data(), name.size()), std::move(value));
  }
  return map;
}

std::size_t number_size(std::string_view text) {
  auto number = Decimal::parse(text);
  if (!number || number->is_zero()) return 1;
  auto digits = static_cast<std::size_t>(number->digit_count());
  bool aligned = digits % 2 != 0 || number->exponent() % 2 != 0;
  return 1 + (digits + 1) / 2 + (aligned ? 0 : 1) + (number->is_negative() ? 1 : 0);
}

template <class Elements, class Append>
void append_list(std::string& out, const Elements& elements, Append append) {
  out += '[';
  bool first = true;
  for (const auto& element : elements) {
    if (!first) out += ',';
    first = false;
    append(element);
  }
  out += ']';
}

}  // namespace

std::string_view to_string(AttributeType type) {
  return kTypeNames[static_cast<std::size_t>(type)];
}

std::optional<AttributeType> attribute_type_from_string(std::string_view text) {
  auto found = std::find(kTypeNames.begin(), kTypeNames.end(), text);
  if (found == kTypeNames.end()) return std::nullopt;
  return static_cast<AttributeType>(found - kTypeNames.begin());
}

AttributeValue AttributeValue::of_string(std::string text) {
  return {.type = AttributeType::string, .text = std::move(text)};
}
AttributeValue AttributeValue::of_number(std::string text) {
  return {.type = AttributeType::number, .text = std::move(text)};
}
AttributeValue AttributeValue::of_number(long long number) {
  return of_number(std::to_string(number));
}
AttributeValue AttributeValue::of_boolean(bool value) {
  return {.type = AttributeType::boolean, .boolean = value};
}
AttributeValue AttributeValue::of_map(AttributeMap map) {
  return {.type = AttributeType::map, .map = std::move(map)};
}
AttributeValue AttributeValue::of_list(std::vector<AttributeValue> list) {
  return {.type = AttributeType::list, .list = std::move(list)};
}

bool operator==(const AttributeValue& a, const AttributeValue& b) {
  if (a.type != b.type) return false;
  switch (a.type) {
    case AttributeType::string:
    case AttributeType::number:
    case AttributeType::binary:
      return a.text == b.text;
    case AttributeType::string_set:
    case AttributeType::number_set:
    case AttributeType::binary_set: {
      auto left = a.set;
      auto right = b.set;
      std::sort(left.begin(), left.end());
      std::sort(right.begin(), right.end());
      return left == right;
    }
    case AttributeType::map:
      return a.map == b.map;
    case AttributeType::list:
      return a.list == b.list;
    case AttributeType::null:
      return true;
    case AttributeType::boolean:
      return a.boolean == b.boolean;
  }
  return false;
}

base::Result<AttributeValue> parse_attribute_value(const json::value& value) {
  return read_value(value, 0);
}

base::Result<AttributeMap> parse_attribute_map(const json::object& members) {
  return read_map(members, 0);
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, start, i - start);
    start = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    }
  }
  out.append(text, start);
  out += '"';
}

void append_json(std::string& out, const AttributeValue& value) {
  out += "{\"";
  out += to_string(value.type);
  out += "\":";
  switch (value.type) {
    case AttributeType::string:
      append_json_string(out, value.text);
      break;
    case AttributeType::number:
      out += '"' + value.text + '"';
      break;
    case AttributeType::binary:
      out += '"' + base::to_base64(value.text) + '"';
      break;
    case AttributeType::string_set:
    case AttributeType::number_set:
      append_list(out, value.set, [&](const std::string& text) { append_json_string(out, text); });
      break;
    case AttributeType::binary_set:
      append_list(out, value.set,
                  [&](const std::string& bytes) { out += '"' + base::to_base64(bytes) + '"'; });
      break;
    case AttributeType::map:
      append_json(out, value.map);
      break;
    case AttributeType::list:
      append_list(out, value.list,
                  [&](const AttributeValue& element) { append_json(out, element); });
      break;
    case AttributeType::null:
      out += "true";
      break;
    case AttributeType::boolean:
      out += value.boolean ? "true" : "false";
      break;
  }
  out += '}';
}

void append_json(std::string& out, const AttributeMap& item) {
  out += '{';
  bool first = true;
  for (const auto& [name, value] : item) {
    if (!first) out += ',';
    first = false;
    append_json_string(out, name);
    out += ':';
    append_json(out, value);
  }
  out += '}';
}

std::string to_json(const AttributeMap& item) {
  std::string text;
  append_json(text, item);
  return text;
}

std::size_t size_of(const AttributeValue& value) {
  constexpr std::size_t kContainerBytes = 3;
  std::size_t bytes = 0;
  switch (value.type) {
    case AttributeType::string:
    case AttributeType::binary:
      return value.text.size();
    case AttributeType::number:
      return number_size(value.text);
    case AttributeType::string_set:
    case AttributeType::binary_set:
      for (const auto& element : value.set) bytes += element.size();
      return bytes;
    case AttributeType::number_set:
      for (const auto& element : value.set) bytes += number_size(element);
      return bytes;
    case AttributeType::map:
      return kContainerBytes + value.map.size() + size_of(value.map);
    case AttributeType::list:
      for (const auto& element : value.list) bytes += 1 + size_of(element);
      return kContainerBytes + bytes;
    case AttributeType::null:
    case AttributeType::boolean:
      return 1;
  }
  return 0;
}

std::size_t size_of(const AttributeMap& item) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : item) bytes += name.size() + size_of(value);
  return bytes;
}

}  // namespace imgproc::protocol
