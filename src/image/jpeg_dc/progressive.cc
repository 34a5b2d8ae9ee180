#include "image/jpeg_dc/progressive.h"

#include "image/jpeg_dc/huffman.h"
#include "image/jpeg_dc/mcu_walk.h"

namespace imgproc::image::jpeg_dc {
namespace {

using DcPlanes = std::array<std::vector<std::int16_t>, kComponentsMax>;

bool fits_16_bits(int value) {
  return value == static_cast<std::int16_t>(value);
}

/// T.81 G.1.2.1.
base::Status decode_dc_first(const Structure& structure, const Scan& scan, DcPlanes& dc) {
  const McuPlan plan = plan_mcus(structure, scan);
  std::array<std::optional<HuffmanCode>, kComponentsMax> codes;
  for (unsigned i = 0; i < scan.component_count; ++i) {
    codes[i] = HuffmanCode::make(scan.components[i].dc, true);
    if (!codes[i]) return not_plain("DC table");
  }
  std::array<int, kComponentsMax> predictions{};
  const int scale = 1 << scan.missing_after;
  const bool good = walk_mcus(
      plan, scan, [&] { predictions.fill(0); },
      [&](Bits& bits, unsigned b, std::size_t index) {
        const McuBlock& block = plan.blocks[b];
        bits.refill();
        const Symbol symbol = codes[block.place]->find(bits.peek(kCodeBitsMax));
        if (symbol.bits == 0) return false;
        bits.skip(symbol.bits);
        int& prediction = predictions[block.place];
        prediction += extend(bits.take(symbol.size()), symbol.size());
        if (!fits_16_bits(prediction) || !fits_16_bits(prediction * scale)) return false;
        dc[block.component][index] = static_cast<std::int16_t>(prediction * scale);
        return true;
      });
  if (!good) return not_plain("DC data");
  return {};
}

base::Status refine_dc(const Structure& structure, const Scan& scan, DcPlanes& dc) {
  const McuPlan plan = plan_mcus(structure, scan);
  const bool good = walk_mcus(
      plan, scan, [] {},
      [&](Bits& bits, unsigned b, std::size_t index) {
        bits.refill();
        const int bit = static_cast<int>(bits.take(1));
        std::int16_t& value = dc[plan.blocks[b].component][index];
        value = static_cast<std::int16_t>(value | bit << scan.missing_after);
        return true;
      });
  if (!good) return not_plain("DC data");
  return {};
}

/// The AC coefficients of one block as far as the half transform needs them. Of the others it is
/// kept which are not zero, since refinement depends on that.
struct AcBlock {
  std::uint64_t nonzero = 0;  ///< By place in zigzag order.
  std::array<std::int16_t, 24> kept{};
};

/// Place in zigzag order -> place in AcBlock::kept.
class KeptPlaces {
 public:
  static constexpr std::uint8_t kNone = 255;
  explicit KeptPlaces(const HalfTransform& transform) {
    places_.fill(kNone);
    std::uint8_t next = 0;
    for (unsigned k = 1; k < kCoefficients; ++k)
      if (transform.needs(k)) places_[k] = next++;
  }
  [[nodiscard]] std::int16_t* in(AcBlock& block, unsigned k) const {
    return places_[k] == kNone ? nullptr : &block.kept[places_[k]];
  }
  void set(AcBlock& block, unsigned k, std::int16_t value) const {
    block.nonzero |= std::uint64_t{1} << k;
    if (std::int16_t* kept = in(block, k)) *kept = value;
  }

 private:
  std::array<std::uint8_t, kCoefficients> places_;
};

/// One pass over the AC coefficients of one component (T.81 G.1.2.2 and G.1.2.3).
class AcScan {
 public:
  AcScan(const Scan& scan, const HuffmanCode& code, const KeptPlaces& places)
      : scan_(scan), code_(code), places_(places) {}

  void restart() { blocks_empty_ = 0; }

  [[nodiscard]] bool first(Bits& bits, AcBlock& block) {
    if (blocks_empty_ > 0) {
      --blocks_empty_;
      return true;
    }
    for (unsigned k = scan_.from; k <= scan_.to; ++k) {
      bits.refill();
      const Symbol symbol = code_.find(bits.peek(kCodeBitsMax));
      if (symbol.bits == 0) return false;
      bits.skip(symbol.bits);
      const unsigned run = symbol.run(), size = symbol.size();
      if (size == 0 && run != kRunOfZeros) {
        blocks_empty_ = (1U << run) + bits.take(run) - 1;
        break;
      }
      k += run;
      if (k > scan_.to) return false;
      if (size == 0) continue;
      const int value = extend(bits.take(size), size) * (1 << scan_.missing_after);
      if (value != static_cast<std::int16_t>(value)) return false;
      places_.set(block, k, static_cast<std::int16_t>(value));
    }
    return true;
  }

  [[nodiscard]] bool refine(Bits& bits, AcBlock& block) {
    unsigned k = scan_.from;
    while (blocks_empty_ == 0 && k <= scan_.to) {
      bits.refill();
      const Symbol symbol = code_.find(bits.peek(kCodeBitsMax));
      if (symbol.bits == 0) return false;
      bits.skip(symbol.bits);
      const unsigned run = symbol.run(), size = symbol.size();
      if (size == 0 && run != kRunOfZeros) {
        blocks_empty_ = (1U << run) + bits.take(run);
        break;
      }
      if (size > 1) return false;
      const int value = size == 0 ? 0 : (bits.take(1) != 0 ? 1 : -1) * (1 << scan_.missing_after);
      k = correct(bits, block, k, run);
      if (k > scan_.to) return false;
      if (value != 0) places_.set(block, k, static_cast<std::int16_t>(value));
      ++k;
    }
    if (blocks_empty_ > 0) {
      (void)correct(bits, block, k, kCoefficients);
      --blocks_empty_;
    }
    return true;
  }

 private:
  static constexpr unsigned kRunOfZeros = 15;

  /// Reads the correction bits of all coefficients that are not zero from `k` on, until `zeros`
  /// others were passed; where the next zero is, or the end of the band.
  unsigned correct(Bits& bits, AcBlock& block, unsigned k, unsigned zeros) const {
    for (; k <= scan_.to; ++k) {
      if ((block.nonzero >> k & 1) == 0) {
        if (zeros == 0) break;
        --zeros;
        continue;
      }
      bits.refill();
      const bool grows = bits.take(1) != 0;
      std::int16_t* value = places_.in(block, k);
      if (!grows || value == nullptr) continue;
      const int step = 1 << scan_.missing_after;
      *value = static_cast<std::int16_t>(*value + (*value < 0 ? -step : step));
    }
    return k;
  }

  const Scan& scan_;
  const HuffmanCode& code_;
  const KeptPlaces& places_;
  unsigned blocks_empty_ = 0;  ///< Still to come without a code of their own (EOBRUN).
};

base::Status decode_ac_scan(const Structure& structure, const Scan& scan, const KeptPlaces& places,
                            std::vector<AcBlock>& blocks) {
  const auto code = HuffmanCode::make(scan.components[0].ac, false);
  if (!code) return not_plain("AC table");
  AcScan pass(scan, *code, places);
  const bool is_first = scan.missing_before == 0;
  const bool good = walk_mcus(
      plan_mcus(structure, scan), scan, [&] { pass.restart(); },
      [&](Bits& bits, unsigned, std::size_t index) {
        return is_first ? pass.first(bits, blocks[index]) : pass.refine(bits, blocks[index]);
      });
  if (!good) return not_plain("AC data");
  return {};
}

/// libjpeg refuses the whole file for a bad table in a scan that is passed over here.
base::Status check_ac_tables(const Structure& structure) {
  for (const Scan& scan : structure.scans)
    if (scan.from != 0 && !HuffmanCode::make(scan.components[0].ac, false))
      return not_plain("AC table");
  return {};
}

/// The samples of a component that has two by two of them in a block.
base::Result<Plane> decode_half(const Structure& structure, unsigned index,
                                std::span<const std::int16_t> dc) {
  const Component& component = structure.components[index];
  const HalfTransform transform(structure.quantisation[component.table]);
  const KeptPlaces places(transform);
  std::vector<AcBlock> blocks(dc.size());
  for (const Scan& scan : structure.scans) {
    if (scan.from == 0 || scan.components[0].index != index) continue;
    IMGPROC_CHECK(decode_ac_scan(structure, scan, places, blocks));
  }
  Plane plane = make_plane(component);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const std::size_t y = i / component.stride, x = i % component.stride;
    std::uint8_t* const upper = plane.samples.data() + y * 2 * plane.stride + x * 2;
    std::uint8_t* const lower = upper + plane.stride;
    if (blocks[i].nonzero == 0) {
      if (!transform.finish_flat(dc[i], upper, lower)) return not_plain("range");
      continue;
    }
    HalfTransform::Sums sums;
    transform.add(sums, 0, dc[i]);
    for (std::uint64_t rest = blocks[i].nonzero; rest != 0; rest &= rest - 1) {
      const auto k = static_cast<unsigned>(std::countr_zero(rest));
      if (const std::int16_t* value = places.in(blocks[i], k)) transform.add(sums, k, *value);
    }
    if (!transform.finish(sums, upper, lower)) return not_plain("range");
  }
  return plane;
}

}  // namespace

base::Result<std::array<Plane, kComponentsMax>> decode_progressive(const Structure& structure) {
  IMGPROC_CHECK(check_ac_tables(structure));
  DcPlanes dc;
  for (unsigned i = 0; i < structure.component_count; ++i)
    dc[i].resize(std::size_t{structure.components[i].stride} * structure.components[i].rows);
  for (const Scan& scan : structure.scans) {
    if (scan.from != 0) continue;
    IMGPROC_CHECK(scan.missing_before == 0 ? decode_dc_first(structure, scan, dc)
                                           : refine_dc(structure, scan, dc));
  }
  std::array<Plane, kComponentsMax> planes;
  for (unsigned i = 0; i < structure.component_count; ++i) {
    const Component& component = structure.components[i];
    if (component.side == 1) {
      planes[i] = make_plane(component);
      if (!samples_of_dc(dc[i], structure.quantisation[component.table][0], planes[i]))
        return not_plain("range");
    } else {
      IMGPROC_TRY(planes[i], decode_half(structure, i, dc[i]));
    }
  }
  return planes;
}

}  // namespace imgproc::image::jpeg_dc
