#pragma once
// Is a condition true of an item?

#include <compare>
#include <optional>

#include "localcloud/dynamodb/expression.h"

namespace imgproc::localcloud::dynamodb {

/// The value at `path`, nullptr if there is none. Borrowed from `item`.
[[nodiscard]] const AttributeValue* find_path(const AttributeMap& item, const Path& path);

/// Order of two strings, numbers or binaries; nullopt if the types differ or have no order.
[[nodiscard]] std::optional<std::strong_ordering> compare_ordered(const AttributeValue& a,
                                                                  const AttributeValue& b);

/// A comparison with an attribute that is missing or of another type is false, except <>, which
/// then is true.
[[nodiscard]] bool evaluate(const Condition& condition, const AttributeMap& item);

/// True if `condition` names one of `attributes` anywhere; answers which.
[[nodiscard]] std::optional<std::string> first_named(const Condition& condition,
                                                     const std::vector<KeyAttribute>& attributes);
/// Keys are scalars: refuses a path that goes below an attribute that is a key of the table or of
/// an index.
[[nodiscard]] base::Status check_key_paths(const Table& table, const Path& path);
[[nodiscard]] base::Status check_key_paths(const Table& table, const Condition& condition);

}  // namespace imgproc::localcloud::dynamodb
