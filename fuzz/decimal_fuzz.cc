// Decimal: text in, and what must hold of every number that is accepted. Input: two numbers
// separated by a space.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/decimal.h"

using imgproc::protocol::Decimal;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto space = text.find(' ');
  auto a = Decimal::parse(text.substr(0, space));
  if (!a) return 0;
  if (*Decimal::parse(a->to_string()) != *a) std::abort();
  if (a->sort_key().size() > 22 || a->to_string().size() > 170) std::abort();
  if (space == std::string_view::npos) return 0;
  auto b = Decimal::parse(text.substr(space + 1));
  if (!b) return 0;
  if ((a->sort_key().compare(b->sort_key()) <=> 0) != (*a <=> *b)) std::abort();
  auto sum = a->plus(*b);
  auto swapped = b->plus(*a);
  if (sum.has_value() != swapped.has_value() || (sum && *sum != *swapped)) std::abort();
  if (sum) {
    // Taking one away again gives the other, exactly.
    auto back = sum->minus(*b);
    if (!back || *back != *a) std::abort();
  }
  return 0;
}
