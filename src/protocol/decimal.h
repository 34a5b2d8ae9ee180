#pragma once
// DynamoDB's number: up to 38 significant decimal digits, exactly, from 1E-130 to 9.99…E+125 and
// the same below zero. Source: "Supported data types and naming rules" of the DynamoDB guide.

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace imgproc::protocol {

inline constexpr int kDecimalDigitsMax = 38;
inline constexpr int kDecimalExponentMax = 125;
inline constexpr int kDecimalExponentMin = -130;

/// A decimal number as a value: sign x d.ddd… x 10^exponent. Zero has no digits and no sign.
class Decimal {
 public:
  Decimal() = default;
  /// Reads [+-]digits[.digits][e[+-]digits]. Error "ValidationException" in DynamoDB's words: not a
  /// number, overflow, underflow, or more than 38 significant digits.
  [[nodiscard]] static base::Result<Decimal> parse(std::string_view text);

  /// Plain notation without exponent, leading or trailing zeros: the form in which DynamoDB
  /// answers. At most 170 characters.
  [[nodiscard]] std::string to_string() const;
  /// Bytes whose memcmp order is the order of the numbers, and equal exactly for equal numbers: the
  /// widely documented base-100 NUMBER format (excess-64 exponent byte, then digit pairs + 1; below
  /// zero the complement with 101 - pair, closed by 102). At most 22 bytes.
  [[nodiscard]] std::string sort_key() const;

  /// Exact; the same errors as parse() if the result does not fit.
  [[nodiscard]] base::Result<Decimal> plus(const Decimal& other) const;
  [[nodiscard]] base::Result<Decimal> minus(const Decimal& other) const;

  [[nodiscard]] bool is_zero() const { return digits_.empty(); }
  [[nodiscard]] bool is_negative() const { return negative_; }
  /// Significant digits (0 for zero) and the exponent of the first, for storage sizes.
  [[nodiscard]] int digit_count() const { return static_cast<int>(digits_.size()); }
  [[nodiscard]] int exponent() const { return exponent_; }
  /// Whole seconds and such: the number cut towards zero, or nullopt beyond 64 bits.
  [[nodiscard]] std::optional<long long> to_integer() const;

  [[nodiscard]] std::strong_ordering operator<=>(const Decimal& other) const;
  [[nodiscard]] bool operator==(const Decimal& other) const = default;

 private:
  static base::Result<Decimal> make(bool negative, std::string digits, long long exponent);

  bool negative_ = false;
  /// '0'..'9', neither end a zero.
  std::string digits_;
  int exponent_ = 0;
};

}  // namespace imgproc::protocol
