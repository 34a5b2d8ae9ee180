#pragma once
// Reads the members of a request with the checks of DynamoDB's model and in its words.

#include <boost/json.hpp>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "protocol/attribute_value.h"

namespace imgproc::localcloud::dynamodb {

namespace json = boost::json;

/// One structure of a request. Read members, then ask status() once: a member of the wrong kind is
/// a SerializationException and comes first, broken constraints are collected into one
/// ValidationException. JSON null counts as absent. Borrows `object`.
class Input {
 public:
  /// `path` leads the member names in messages, as "globalSecondaryIndexes.1.member".
  explicit Input(const json::object& object, std::string path = {});

  [[nodiscard]] std::optional<std::string_view> text(std::string_view name);
  [[nodiscard]] std::optional<std::int64_t> integer(
      std::string_view name, std::int64_t min = std::numeric_limits<std::int64_t>::min(),
      std::int64_t max = std::numeric_limits<std::int64_t>::max());
  [[nodiscard]] std::optional<bool> boolean(std::string_view name);
  [[nodiscard]] const json::object* object(std::string_view name);
  [[nodiscard]] const json::array* array(std::string_view name);
  /// A text that must be one of `values`.
  [[nodiscard]] std::optional<std::string_view> choice(
      std::string_view name, std::initializer_list<std::string_view> values);
  /// Adds "Member must not be null" if the member is absent.
  void require(std::string_view name);
  /// A text of [a-zA-Z0-9_.-]+ with 3 to 255 characters: the name of a table or an index.
  [[nodiscard]] std::optional<std::string_view> resource_name(std::string_view name);
  /// Adds "Value '…' at '…' failed to satisfy constraint: …".
  void violation(std::string_view name, std::string_view value, std::string_view constraint);
  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] base::Status status() const;

 private:
  const json::value* member(std::string_view name) const;
  void wrong_kind(const json::value& value, std::string_view java_type);
  void fail(std::string message);

  const json::object& object_;
  std::string path_;
  std::optional<base::Error> serialization_error_;
  std::vector<std::string> violations_;
};

/// The table that a request names, by name or by ARN. Errors: ValidationException.
[[nodiscard]] base::Result<std::string> table_name_of(const json::object& request);
/// The item or key in parameter `name`. Errors: missing, or as protocol::parse_attribute_map().
[[nodiscard]] base::Result<protocol::AttributeMap> item_parameter(const json::object& request,
                                                                  std::string_view name);
/// The texts of a list, each of which must be a string.
[[nodiscard]] base::Result<std::vector<std::string>> texts_of(const json::array& array);

}  // namespace imgproc::localcloud::dynamodb
