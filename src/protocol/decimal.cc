#include "protocol/decimal.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace imgproc::protocol {
namespace {

constexpr char kNotNumeric[] = "The parameter cannot be converted to a numeric value";
/// Exponents beyond this are out of range whatever the digits are; keeps sums of lengths small.
constexpr long long kExponentTextMax = 1'000'000'000;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::unexpected<base::Error> invalid(std::string message) {
  return base::permanent("ValidationException", std::move(message));
}

}  // namespace

base::Result<Decimal> Decimal::make(bool negative, std::string digits, long long exponent) {
  auto first = digits.find_first_not_of('0');
  if (first == std::string::npos) return Decimal{};
  digits.erase(0, first);
  exponent -= static_cast<long long>(first);
  digits.erase(digits.find_last_not_of('0') + 1);
  if (exponent > kDecimalExponentMax)
    return invalid(
        "Number overflow. Attempting to store a number with magnitude larger than supported range");
  if (exponent < kDecimalExponentMin)
    return invalid(
        "Number underflow. Attempting to store a number with magnitude smaller than supported "
        "range");
  if (digits.size() > kDecimalDigitsMax)
    return invalid("Attempting to store more than 38 significant digits in a Number");
  Decimal number;
  number.negative_ = negative;
  number.digits_ = std::move(digits);
  number.exponent_ = static_cast<int>(exponent);
  return number;
}

base::Result<Decimal> Decimal::parse(std::string_view text) {
  if (text.empty()) return invalid(kNotNumeric);
  auto not_numeric = [&] { return invalid(std::string(kNotNumeric) + ": " + std::string(text)); };
  std::size_t at = 0;
  bool negative = text[0] == '-';
  if (text[0] == '-' || text[0] == '+') ++at;
  std::string digits;
  while (at < text.size() && is_digit(text[at])) digits += text[at++];
  long long exponent = static_cast<long long>(digits.size()) - 1;
  if (at < text.size() && text[at] == '.') {
    ++at;
    while (at < text.size() && is_digit(text[at])) digits += text[at++];
  }
  if (digits.empty()) return not_numeric();
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    bool below = at < text.size() && text[at] == '-';
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    if (at == text.size() || !is_digit(text[at])) return not_numeric();
    long long power = 0;
    while (at < text.size() && is_digit(text[at]))
      power = std::min(power * 10 + (text[at++] - '0'), kExponentTextMax);
    exponent += below ? -power : power;
  }
  if (at != text.size()) return not_numeric();
  return make(negative, std::move(digits), exponent);
}

std::string Decimal::to_string() const {
  if (is_zero()) return "0";
  std::string text = negative_ ? "-" : "";
  int count = digit_count();
  if (exponent_ < 0) {
    text += "0.";
    text.append(static_cast<std::size_t>(-exponent_ - 1), '0');
    text += digits_;
  } else if (count <= exponent_ + 1) {
    text += digits_;
    text.append(static_cast<std::size_t>(exponent_ + 1 - count), '0');
  } else {
    text.append(digits_, 0, static_cast<std::size_t>(exponent_ + 1));
    text += '.';
    text.append(digits_, static_cast<std::size_t>(exponent_ + 1));
  }
  return text;
}

std::string Decimal::sort_key() const {
  if (is_zero()) return "\x80";
  // Value = 0.d1d2… x 100^power, digits in pairs.
  int tens = exponent_ + 1;
  bool odd = tens % 2 != 0;
  int power = (tens + (odd ? 1 : 0)) / 2;
  std::string padded = odd ? "0" + digits_ : digits_;
  if (padded.size() % 2 != 0) padded += '0';
  constexpr std::size_t kPairsWithoutEnd = 20;
  std::string key;
  // Powers run from -64 to 63: 0x80 … 0xFF above zero, the complement below.
  int head = power + 64 + 128;
  key += static_cast<char>(negative_ ? 255 - head : head);
  for (std::size_t i = 0; i < padded.size(); i += 2) {
    int pair = (padded[i] - '0') * 10 + (padded[i + 1] - '0');
    key += static_cast<char>(negative_ ? 101 - pair : pair + 1);
  }
  if (negative_ && padded.size() / 2 < kPairsWithoutEnd) key += static_cast<char>(102);
  return key;
}

std::strong_ordering Decimal::operator<=>(const Decimal& other) const {
  int sign = is_zero() ? 0 : negative_ ? -1 : 1;
  int other_sign = other.is_zero() ? 0 : other.negative_ ? -1 : 1;
  if (sign != other_sign) return sign <=> other_sign;
  if (sign == 0) return std::strong_ordering::equal;
  auto magnitude = exponent_ != other.exponent_ ? exponent_ <=> other.exponent_
                                                : digits_.compare(other.digits_) <=> 0;
  return sign > 0 ? magnitude : 0 <=> magnitude;
}

base::Result<Decimal> Decimal::plus(const Decimal& other) const {
  if (is_zero()) return other;
  if (other.is_zero()) return *this;
  // One column per decimal place, from the highest carry down to the lowest digit of either.
  int top = std::max(exponent_, other.exponent_) + 1;
  int bottom = std::min(exponent_ - digit_count(), other.exponent_ - other.digit_count()) + 1;
  constexpr int kColumnsMax = kDecimalExponentMax - kDecimalExponentMin + kDecimalDigitsMax + 2;
  std::array<int, kColumnsMax> columns{};
  auto spread = [&](const Decimal& number) {
    for (int i = 0; i < number.digit_count(); ++i) {
      int digit = number.digits_[static_cast<std::size_t>(i)] - '0';
      columns[static_cast<std::size_t>(number.exponent_ - i - bottom)] +=
          number.negative_ ? -digit : digit;
    }
  };
  spread(*this);
  spread(other);
  auto width = static_cast<std::size_t>(top - bottom + 1);
  auto highest = std::find_if(columns.rbegin(), columns.rend(), [](int c) { return c != 0; });
  if (highest == columns.rend()) return Decimal{};
  // With equal signs all columns agree; else the highest one that is not zero tells the sign.
  bool negative = *highest < 0;
  std::string digits(width, '0');
  int carry = 0;
  for (std::size_t i = 0; i < width; ++i) {
    int column = (negative ? -columns[i] : columns[i]) + carry;
    carry = column < 0 ? -1 : column / 10;
    digits[width - 1 - i] = static_cast<char>('0' + column - carry * 10);
  }
  return make(negative, std::move(digits), top);
}

base::Result<Decimal> Decimal::minus(const Decimal& other) const {
  Decimal opposite = other;
  if (!opposite.is_zero()) opposite.negative_ = !opposite.negative_;
  return plus(opposite);
}

std::optional<long long> Decimal::to_integer() const {
  if (exponent_ < 0 || is_zero()) return 0;
  if (exponent_ > 18) return std::nullopt;
  std::string text = to_string();
  long long number = 0;
  auto end = text.find('.');
  const char* last = text.data() + (end == std::string::npos ? text.size() : end);
  if (std::from_chars(text.data(), last, number).ec != std::errc{}) return std::nullopt;
  return number;
}

}  // namespace imgproc::protocol
