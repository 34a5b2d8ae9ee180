#include "image/jpeg_dc/progressive.h"

#include "image/jpeg_dc/huffman.h"
#include "image/jpeg_dc/mcu_walk.h"
#include "image/jpeg_dc/skip_table.h"

namespace imgproc::image::jpeg_dc {
namespace {

bool fits_16_bits(int value) {
  return value == static_cast<std::int16_t>(value);
}

/// Of kTableBits each.
constexpr unsigned kReadsPerRefill = 4;
static_assert(kReadsPerRefill * kTableBits <= 56 && kMcuBlocksMax <= 56);

/// A DC table, and what most of its codes and the values behind them come to in one look.
struct DcReader {
  HuffmanCode code;
  StepTable steps;

  /// False if there is no such code. To be refilled before each fourth at least.
  [[gnu::always_inline]] bool read(Bits& bits, int& difference) const {
    const Step& step = steps[bits.peek(kTableBits)];
    if (step.advance != kUnknown) [[likely]] {
      bits.skip(step.bits);
      difference = step.value;
      return true;
    }
    bits.refill();
    const Symbol symbol = code.find(bits.peek(kCodeBitsMax));
    bits.skip(symbol.bits);
    difference = extend(bits.take(symbol.size()), symbol.size());
    bits.refill();
    return symbol.bits != 0;
  }
};

/// T.81 G.1.2.1.
base::Status decode_dc_first(const Structure& structure, const Scan& scan, DcPlanes& dc) {
  const McuPlan plan = plan_mcus(structure, scan);
  std::vector<DcReader> readers(scan.component_count);
  for (unsigned i = 0; i < scan.component_count; ++i) {
    const auto code = HuffmanCode::make(scan.components[i].dc, true);
    if (!code) return not_plain("DC table");
    readers[i].code = *code;
    fill_difference_table(*code, readers[i].steps);
  }
  std::array<int, kComponentsMax> predictions{};
  const int scale = 1 << scan.missing_after;
  const bool good = walk_mcus(
      plan, scan, [&] { predictions.fill(0); },
      [&](Bits& bits, unsigned b, std::size_t index) {
        const McuBlock& block = plan.blocks[b];
        if (b % kReadsPerRefill == 0) bits.refill();
        int difference = 0;
        if (!readers[block.place].read(bits, difference)) return false;
        int& prediction = predictions[block.place];
        prediction += difference;
        const int value = prediction * scale;
        dc[block.component][index] = static_cast<std::int16_t>(value);
        return fits_16_bits(prediction) && fits_16_bits(value);
      });
  if (!good) return not_plain("DC data");
  return {};
}

base::Status refine_dc(const Structure& structure, const Scan& scan, DcPlanes& dc) {
  const McuPlan plan = plan_mcus(structure, scan);
  const bool good = walk_mcus(
      plan, scan, [] {},
      [&](Bits& bits, unsigned b, std::size_t index) {
        if (b == 0) bits.refill();  // an MCU has fewer blocks than that gives bits
        const int bit = static_cast<int>(bits.take(1));
        std::int16_t& value = dc[plan.blocks[b].component][index];
        value = static_cast<std::int16_t>(value | bit << scan.missing_after);
        return true;
      });
  if (!good) return not_plain("DC data");
  return {};
}

/// libjpeg refuses the whole file for a bad table in a scan that is passed over here.
base::Status check_ac_tables(const Structure& structure) {
  for (const Scan& scan : structure.scans)
    if (scan.from != 0 && !HuffmanCode::make(scan.components[0].ac, false))
      return not_plain("AC table");
  return {};
}

}  // namespace

base::Result<std::array<Plane, kComponentsMax>> decode_progressive(const Structure& structure) {
  IMGPROC_CHECK(check_ac_tables(structure));
  DcPlanes dc = make_dc_planes(structure);
  for (const Scan& scan : structure.scans) {
    if (scan.from != 0) continue;
    IMGPROC_CHECK(scan.missing_before == 0 ? decode_dc_first(structure, scan, dc)
                                           : refine_dc(structure, scan, dc));
  }
  return samples_of_dc(structure, dc);
}

}  // namespace imgproc::image::jpeg_dc
