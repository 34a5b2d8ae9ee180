#pragma once
// The expression language as trees. Made by expression_parser (or legacy parameters), used by
// condition_eval, update_eval and projection.

#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "localcloud/dynamodb/table.h"

namespace imgproc::localcloud::dynamodb {

inline constexpr std::size_t kExpressionBytesMax = 4096;
inline constexpr int kExpressionDepthMax = 150;
inline constexpr int kOperatorsMax = 300;
inline constexpr std::size_t kInOperandsMax = 100;

/// a.b[3]: names and list positions. Never empty; the first element is a name.
using PathElement = std::variant<std::string, std::size_t>;
using Path = std::vector<PathElement>;
/// "[a, b, [3]]", the form in DynamoDB's messages.
[[nodiscard]] std::string to_string(const Path& path);

struct Operand {
  enum class Kind { path, value, size, if_not_exists, list_append, plus, minus };
  Kind kind = Kind::value;
  Path path;
  AttributeValue value;
  std::vector<Operand> arguments;
};

struct Condition {
  enum class Kind {
    all_of,
    any_of,
    negation,
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    between,
    in,
    attribute_exists,
    attribute_not_exists,
    attribute_type,
    begins_with,
    contains,
  };
  Kind kind = Kind::all_of;
  /// Of all_of, any_of, negation.
  std::vector<Condition> conditions;
  /// Of all others, in the order of the text.
  std::vector<Operand> operands;
};

struct UpdateAction {
  enum class Kind { set, remove, add, remove_elements };
  Kind kind = Kind::set;
  Path path;
  /// Of set, add and remove_elements (DELETE).
  Operand operand;
};

/// What #names and :values stand for in one request, and which of them were used.
class Placeholders {
 public:
  /// Reads ExpressionAttributeNames and ExpressionAttributeValues of `request`.
  [[nodiscard]] static base::Result<Placeholders> read(const json::object& request);
  /// Nullptr if not defined. Marks it as used.
  [[nodiscard]] const std::string* name(const std::string& placeholder);
  [[nodiscard]] const AttributeValue* value(const std::string& placeholder);
  /// "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}".
  [[nodiscard]] base::Status check_all_used() const;

 private:
  std::map<std::string, std::string> names_;
  AttributeMap values_;
  std::set<std::string> unused_names_;
  std::set<std::string> unused_values_;
};

}  // namespace imgproc::localcloud::dynamodb
