#include "image/jpeg_dc/skip_table.h"

namespace imgproc::image::jpeg_dc {
namespace {

constexpr Step kUnknownStep{0, kUnknown, 0};

/// The symbol that `length` bits begin with, if its code is all there.
Symbol first_symbol(const HuffmanCode& code, std::uint32_t bits, unsigned length) {
  const Symbol symbol = code.find(bits << (kCodeBitsMax - length));
  return symbol.bits <= length ? symbol : Symbol{};
}

/// `step`, and then what the rest of the bits says if it fits into the same step. `length` is how
/// many bits there are in all.
Step go_on(Step step, const SkipTable& table, std::uint32_t bits, unsigned length) {
  if (step.bits >= length) return step;
  const unsigned left = length - step.bits;
  const Step& rest = table.of(bits & ((1U << left) - 1), left);
  const unsigned coefficients = step.advance + rest.advance % kEndOfBlock;
  if (rest.advance == kUnknown || step.bits + rest.bits > kStepBitsMax ||
      coefficients >= kCoefficients)
    return step;
  step.bits = static_cast<std::uint8_t>(step.bits + rest.bits);
  step.advance = static_cast<std::uint8_t>(step.advance + rest.advance);
  return step;
}

}  // namespace

SkipTable::SkipTable(const HuffmanCode& ac) {
  steps_.fill(kUnknownStep);
  for (unsigned length = 1; length <= kTableBits; ++length) {
    for (std::uint32_t bits = 0; bits < 1U << length; ++bits) {
      const Symbol symbol = first_symbol(ac, bits, length);
      const unsigned taken = symbol.bits + symbol.size();
      if (symbol.bits == 0 || taken > kStepBitsMax) continue;
      Step& step = steps_[(1U << length) + bits];
      step = {static_cast<std::uint8_t>(taken),
              static_cast<std::uint8_t>(symbol.is_end_of_block() ? kEndOfBlock : symbol.run() + 1),
              0};
      if (!symbol.is_end_of_block()) step = go_on(step, *this, bits, length);
    }
  }
}

void fill_dc_table(const HuffmanCode& dc, const SkipTable& ac, StepTable& table) {
  fill_difference_table(dc, table);
  for (std::uint32_t bits = 0; bits < table.size(); ++bits)
    if (table[bits].advance != kUnknown) table[bits] = go_on(table[bits], ac, bits, kTableBits);
}

void fill_difference_table(const HuffmanCode& dc, StepTable& table) {
  for (std::uint32_t bits = 0; bits < table.size(); ++bits) {
    table[bits] = kUnknownStep;
    const Symbol symbol = first_symbol(dc, bits, kTableBits);
    const unsigned taken = symbol.bits + symbol.size();
    if (symbol.bits == 0 || taken > kTableBits) continue;
    const unsigned value = bits >> (kTableBits - taken) & ((1U << symbol.size()) - 1);
    table[bits] = {static_cast<std::uint8_t>(taken), 1,
                   static_cast<std::int16_t>(extend(value, symbol.size()))};
  }
}

}  // namespace imgproc::image::jpeg_dc
