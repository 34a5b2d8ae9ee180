#pragma once
// Arithmetic of metric math expressions: numbers, ids, + - * / ^ and parentheses.
// Source: "Using math expressions with CloudWatch metrics", AWS documentation. Functions (SUM,
// FILL, IF …) are not among it.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace imgproc::localcloud::cloudwatch {

/// AWS's bound on an expression.
inline constexpr std::size_t kExpressionBytesMax = 1024;
inline constexpr int kExpressionDepthMax = 64;

/// The value that an id has at the moment that is computed; nullopt if there is none.
using ValueOf = std::function<base::Result<std::optional<double>>(std::string_view id)>;

/// Nullopt if an id that it needs has no value, or where the result is no finite number (x / 0).
/// Errors: ValidationError for what is not an expression, NotImplemented for functions, and those
/// of `value_of`.
[[nodiscard]] base::Result<std::optional<double>> evaluate_math(std::string_view expression,
                                                                const ValueOf& value_of);

}  // namespace imgproc::localcloud::cloudwatch
