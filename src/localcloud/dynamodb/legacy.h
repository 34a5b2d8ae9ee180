#pragma once
// The parameters from before expressions, turned into the same trees: Expected, AttributeUpdates,
// KeyConditions, QueryFilter, ScanFilter, ConditionalOperator.
// Source: "Legacy conditional parameters" of the DynamoDB guide.

#include <initializer_list>
#include <optional>
#include <string_view>

#include "localcloud/dynamodb/expression.h"

namespace imgproc::localcloud::dynamodb {

/// Expressions and legacy parameters do not go together, and ExpressionAttribute* need an
/// expression. `value_expressions` are those that may use :values.
[[nodiscard]] base::Status refuse_mixed_parameters(
    const json::object& request, std::initializer_list<std::string_view> expressions,
    std::initializer_list<std::string_view> value_expressions,
    std::initializer_list<std::string_view> legacy);

/// Expected and ConditionalOperator as a condition; nothing if there is none.
[[nodiscard]] base::Result<std::optional<Condition>> parse_expected(const json::object& request);
/// QueryFilter or ScanFilter (`name`) and ConditionalOperator as a condition.
[[nodiscard]] base::Result<std::optional<Condition>> parse_filter(const json::object& request,
                                                                  std::string_view name);
/// KeyConditions as a condition: one comparison per attribute, all of which must hold.
[[nodiscard]] base::Result<std::optional<Condition>> parse_key_conditions(
    const json::object& request);
/// AttributeUpdates; none gives no actions.
[[nodiscard]] base::Result<std::vector<UpdateAction>> parse_attribute_updates(
    const json::object& request);

}  // namespace imgproc::localcloud::dynamodb
