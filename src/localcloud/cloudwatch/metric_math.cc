#include "localcloud/cloudwatch/metric_math.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace imgproc::localcloud::cloudwatch {
namespace {

using Value = base::Result<std::optional<double>>;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// Recursive descent; each rule takes what it can from the front of `rest_`.
class Parser {
 public:
  Parser(std::string_view expression, const ValueOf& value_of)
      : rest_(expression), value_of_(value_of) {}

  Value whole() {
    IMGPROC_TRY(auto value, sum());
    if (next() != '\0') return unexpected();
    if (value && !std::isfinite(*value)) return std::nullopt;
    return value;
  }

 private:
  char next() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t' || rest_[0] == '\n'))
      rest_.remove_prefix(1);
    return rest_.empty() ? '\0' : rest_[0];
  }
  std::unexpected<base::Error> unexpected() const {
    return base::permanent("ValidationError",
                           fmt::format("Syntax error in expression at '{}'.", rest_));
  }

  Value sum() {
    IMGPROC_TRY(auto left, product());
    for (char sign = next(); sign == '+' || sign == '-'; sign = next()) {
      rest_.remove_prefix(1);
      IMGPROC_TRY(auto right, product());
      if (!left || !right) {
        left.reset();
      } else {
        left = sign == '+' ? *left + *right : *left - *right;
      }
    }
    return left;
  }
  Value product() {
    IMGPROC_TRY(auto left, power());
    for (char sign = next(); sign == '*' || sign == '/'; sign = next()) {
      rest_.remove_prefix(1);
      IMGPROC_TRY(auto right, power());
      if (!left || !right) {
        left.reset();
      } else {
        left = sign == '*' ? *left * *right : *left / *right;
      }
    }
    return left;
  }
  Value power() {
    IMGPROC_TRY(auto base, factor());
    if (next() != '^') return base;
    rest_.remove_prefix(1);
    if (++depth_ > kExpressionDepthMax) return unexpected();
    IMGPROC_TRY(auto exponent, power());
    --depth_;
    if (!base || !exponent) return std::nullopt;
    return std::pow(*base, *exponent);
  }
  Value factor() {
    if (++depth_ > kExpressionDepthMax) return unexpected();
    IMGPROC_TRY(auto value, inner());
    --depth_;
    return value;
  }
  Value inner() {
    char first = next();
    if (first == '-') {
      rest_.remove_prefix(1);
      IMGPROC_TRY(auto value, factor());
      if (!value) return std::nullopt;
      return -*value;
    }
    if (first == '(') {
      rest_.remove_prefix(1);
      IMGPROC_TRY(auto value, sum());
      if (next() != ')') return unexpected();
      rest_.remove_prefix(1);
      return value;
    }
    if (is_digit(first) || first == '.') return number();
    if (is_letter(first)) return name();
    return unexpected();
  }
  Value number() {
    double value = 0;
    auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc{}) return unexpected();
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }
  Value name() {
    std::size_t length = 1;
    while (length < rest_.size() && (is_letter(rest_[length]) || is_digit(rest_[length]))) ++length;
    std::string_view id = rest_.substr(0, length);
    rest_.remove_prefix(length);
    if (next() == '(')
      return base::permanent(
          "NotImplemented",
          fmt::format("the metric math function {} is not supported by the local cloud", id));
    return value_of_(id);
  }

  std::string_view rest_;
  const ValueOf& value_of_;
  int depth_ = 0;
};

}  // namespace

Value evaluate_math(std::string_view expression, const ValueOf& value_of) {
  if (expression.size() > kExpressionBytesMax)
    return base::permanent("ValidationError",
                           fmt::format("An expression has at most {} bytes.", kExpressionBytesMax));
  return Parser(expression, value_of).whole();
}

}  // namespace imgproc::localcloud::cloudwatch
