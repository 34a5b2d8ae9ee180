#pragma once
// DynamoDB's typed values, items as maps of them, and their JSON form {"S": "…"}.
// Source: "AttributeValue" in the DynamoDB API reference.

#include <boost/json.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace imgproc::protocol {

enum class AttributeType : unsigned char {
  string,
  number,
  binary,
  string_set,
  number_set,
  binary_set,
  map,
  list,
  null,
  boolean,
};

/// "S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL".
[[nodiscard]] std::string_view to_string(AttributeType type);
[[nodiscard]] std::optional<AttributeType> attribute_type_from_string(std::string_view text);

/// Lists and maps inside a value go no deeper than this.
inline constexpr int kAttributeDepthMax = 32;

struct AttributeValue;
/// An item, or a value of type M.
using AttributeMap = std::map<std::string, AttributeValue, std::less<>>;

/// One value; only the member that belongs to `type` is meaningful.
struct AttributeValue {
  AttributeType type = AttributeType::null;
  bool boolean = false;
  /// string: UTF-8; number: in Decimal::to_string() form; binary: the raw bytes.
  std::string text;
  /// The three sets, elements as in `text`, in the order in which they came.
  std::vector<std::string> set;
  std::vector<AttributeValue> list;
  AttributeMap map;

  [[nodiscard]] static AttributeValue of_string(std::string text);
  /// `text` must be a number in normal form.
  [[nodiscard]] static AttributeValue of_number(std::string text);
  [[nodiscard]] static AttributeValue of_number(long long number);
  [[nodiscard]] static AttributeValue of_boolean(bool value);
  [[nodiscard]] static AttributeValue of_map(AttributeMap map);
  [[nodiscard]] static AttributeValue of_list(std::vector<AttributeValue> list);
  [[nodiscard]] bool is_set() const {
    return type == AttributeType::string_set || type == AttributeType::number_set ||
           type == AttributeType::binary_set;
  }
};

/// Equal as DynamoDB compares: same type, sets without regard to order.
[[nodiscard]] bool operator==(const AttributeValue& a, const AttributeValue& b);

/// Reads {"S": "…"}. Numbers are brought to normal form. Errors in DynamoDB's words:
/// "SerializationException" for the wrong kind of JSON or bad Base64, "ValidationException" for
/// more or less than one type, bad numbers, empty sets, duplicates, nesting beyond 32.
[[nodiscard]] base::Result<AttributeValue> parse_attribute_value(const boost::json::value& json);
/// Reads {"name": {"S": "…"}, …}: an item or a key. Errors as above.
[[nodiscard]] base::Result<AttributeMap> parse_attribute_map(const boost::json::object& json);

/// Appends the compact JSON form; the same value gives the same text.
void append_json(std::string& out, const AttributeValue& value);
void append_json(std::string& out, const AttributeMap& item);
[[nodiscard]] std::string to_json(const AttributeMap& item);
/// Appends `text` (UTF-8) as a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text);

/// Bytes that DynamoDB counts for a value or an item (names included): what the 400 KB limit, the
/// 1 MB page and the capacity units go by. Source: "DynamoDB item sizes and formats".
[[nodiscard]] std::size_t size_of(const AttributeValue& value);
[[nodiscard]] std::size_t size_of(const AttributeMap& item);

}  // namespace imgproc::protocol
