#pragma once
// What an expression that is well-formed can still get wrong, in DynamoDB's words and order.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "localcloud/dynamodb/expression.h"

namespace imgproc::localcloud::dynamodb {

/// The order in which DynamoDB reports, whatever comes first in the text.
enum class Rank {
  parentheses,
  unknown_function,
  misused_function,
  reserved,
  section,
  placeholder,
  overlap,
  conflict,
  operand_count,
  distinct,
  operand_type,
};

class ExpressionChecks {
 public:
  /// Keeps the first message of each rank.
  void add(Rank rank, std::string message) { errors_.emplace(rank, std::move(message)); }
  /// Nullptr if nothing is wrong.
  [[nodiscard]] const std::string* first_error() const {
    return errors_.empty() ? nullptr : &errors_.begin()->second;
  }

  void misused_function(std::string_view name);
  /// Number, kinds and types of a condition function's operands.
  void condition_function(std::string_view name, const Condition& condition);
  /// The same for size, if_not_exists, list_append, + and -.
  void operand_function(std::string_view name, const Operand& operand);
  /// Comparators, BETWEEN and IN.
  void comparison(std::string_view operator_text, const Condition& condition);
  /// The value of ADD and DELETE.
  void set_action(std::string_view word, const Operand& operand);
  /// Update and projection paths must neither contain nor contradict each other.
  void distinct_paths(const std::vector<Path>& paths);

 private:
  bool has_count(std::string_view name, std::size_t have, std::size_t want);
  void wrong_type(std::string_view name, std::string_view type);
  void same_path_twice(std::string_view name, const std::vector<Operand>& operands);

  std::map<Rank, std::string> errors_;
};

}  // namespace imgproc::localcloud::dynamodb
