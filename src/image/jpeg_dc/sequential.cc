#include "image/jpeg_dc/sequential.h"

#include <memory>

#include "image/jpeg_dc/mcu_walk.h"
#include "image/jpeg_dc/skip_table.h"

namespace imgproc::image::jpeg_dc {
namespace {

constexpr unsigned kRunOfZeros = 15;

/// What reads the blocks of one component of a scan: as many symbols in a step as go or, for two
/// samples a side, one symbol with its value.
struct Reader {
  HuffmanCode dc;
  HuffmanCode ac;
  StepTable dc_steps;
  std::optional<SkipTable> skip;
  StepTable values;
};

std::unique_ptr<Reader> make_reader(const ScanComponent& tables, bool with_values) {
  const auto dc = HuffmanCode::make(tables.dc, true);
  const auto ac = HuffmanCode::make(tables.ac, false);
  if (!dc || !ac) return nullptr;
  auto reader = std::make_unique<Reader>();
  reader->dc = *dc;
  reader->ac = *ac;
  if (with_values) {
    fill_read_table(*dc, true, reader->dc_steps);
    fill_read_table(*ac, false, reader->values);
  } else {
    reader->skip.emplace(*ac);
    fill_dc_table(*dc, *reader->skip, reader->dc_steps);
  }
  return reader;
}

/// One symbol without a table's help. Bits go in and out by value, so that the caller can keep them
/// in registers.
struct Single {
  Bits bits;
  bool is_good = false;
  unsigned advance = 0;
  int value = 0;
};

[[gnu::noinline]] Single read_single(Bits bits, const HuffmanCode& code, bool is_dc) {
  Single single;
  bits.refill();
  const Symbol symbol = code.find(bits.peek(kCodeBitsMax));
  if (symbol.bits == 0) return single;
  bits.skip(symbol.bits);
  const unsigned size = symbol.size();
  single.value = extend(bits.take(size), size);
  const bool is_end = !is_dc && size == 0 && symbol.run() != kRunOfZeros;
  single.advance = is_end ? kEndOfBlock : (is_dc ? 0 : symbol.run()) + 1;
  single.is_good = true;
  bits.refill();
  single.bits = bits;
  return single;
}

/// True if a block that has come to coefficient `k` ended there as it should.
bool is_end_of_block(unsigned k) {
  return k == kCoefficients || (k > kEndOfBlock && k < kEndOfBlock + kCoefficients);
}

/// Reads the DC difference of a block and passes over the rest.
[[gnu::always_inline]] inline bool skip_block(Bits& bits, const Reader& reader, int& difference) {
  const SkipTable& skip = *reader.skip;
  bits.refill();
  Step step = reader.dc_steps[bits.peek(kTableBits)];
  bits.skip(step.bits);
  difference = step.value;
  unsigned k = step.advance;
  if (k == kUnknown) [[unlikely]] {
    const Single single = read_single(bits, reader.dc, true);
    if (!single.is_good) return false;
    bits = single.bits;
    difference = single.value;
    k = single.advance;
  }
  while (k < kCoefficients) {
    // Two steps to a refill: it leaves 56 bits, and a step takes 28 at most.
    step = skip.of(bits.peek(kTableBits));
    bits.skip(step.bits);
    k += step.advance;
    if (k < kCoefficients) {
      bits.refill();
      step = skip.of(bits.peek(kTableBits));
      bits.skip(step.bits);
      k += step.advance;
      if (k < kCoefficients) continue;
    }
    if (is_end_of_block(k)) [[likely]]
      return true;
    // The table does not know the symbol, or has read on into the next block: one at a time.
    k -= step.advance;
    bits.give_back(step.bits);
    const Single single = read_single(bits, reader.ac, false);
    if (!single.is_good) return false;
    bits = single.bits;
    k += single.advance;
  }
  return is_end_of_block(k);
}

/// A symbol of a component whose values are needed; false if there is none.
[[gnu::always_inline]] inline bool read_step(Bits& bits, const StepTable& table,
                                             const HuffmanCode& code, bool is_dc, Step& step) {
  bits.refill();
  step = table[bits.peek(kTableBits)];
  bits.skip(step.bits);
  if (step.advance != kUnknown) [[likely]]
    return true;
  const Single single = read_single(bits, code, is_dc);
  if (!single.is_good) return false;
  bits = single.bits;
  step.advance = static_cast<std::uint8_t>(single.advance);
  step.value = static_cast<std::int16_t>(single.value);
  return true;
}

/// Reads a block of which four samples are made; `prediction` becomes its DC coefficient.
[[gnu::always_inline]] inline bool read_block(Bits& bits, const Reader& reader,
                                              const HalfTransform& transform, int& prediction,
                                              std::uint8_t* upper, std::uint8_t* lower) {
  Step step;
  if (!read_step(bits, reader.dc_steps, reader.dc, true, step)) return false;
  prediction += step.value;
  if (prediction != static_cast<std::int16_t>(prediction)) return false;
  if (!read_step(bits, reader.values, reader.ac, false, step)) return false;
  if (step.advance == kEndOfBlock) return transform.finish_flat(prediction, upper, lower);
  HalfTransform::Sums sums;
  transform.add(sums, 0, prediction);
  unsigned k = 1;
  do {
    k += step.advance;
    if (k > kCoefficients) return false;
    transform.add(sums, k - 1, step.value);
    if (k == kCoefficients) break;
    if (!read_step(bits, reader.values, reader.ac, false, step)) return false;
  } while (step.advance != kEndOfBlock);
  return transform.finish(sums, upper, lower);
}

class SequentialDecoder {
 public:
  explicit SequentialDecoder(const Structure& structure) : structure_(structure) {
    for (unsigned i = 0; i < structure.component_count; ++i) {
      const Component& component = structure.components[i];
      planes_[i] = make_plane(component);
      transforms_.emplace_back(structure.quantisation[component.table]);
      if (component.side == 1) dc_[i].resize(std::size_t{component.stride} * component.rows);
    }
  }

  base::Result<std::array<Plane, kComponentsMax>> decode() {
    for (const Scan& scan : structure_.scans) IMGPROC_CHECK(decode_scan(scan));
    for (unsigned i = 0; i < structure_.component_count; ++i) {
      const Component& component = structure_.components[i];
      if (component.side == 1 &&
          !samples_of_dc(dc_[i], structure_.quantisation[component.table][0], planes_[i]))
        return not_plain("range");
    }
    return std::move(planes_);
  }

 private:
  base::Status decode_scan(const Scan& scan) {
    std::array<std::unique_ptr<Reader>, kComponentsMax> readers;
    for (unsigned i = 0; i < scan.component_count; ++i) {
      const bool with_values = structure_.components[scan.components[i].index].side != 1;
      readers[i] = make_reader(scan.components[i], with_values);
      if (!readers[i]) return not_plain("Huffman table");
    }
    const McuPlan plan = plan_mcus(structure_, scan);
    std::array<int, kComponentsMax> predictions{};
    const bool good = walk_mcus(
        plan, scan, [&] { predictions.fill(0); },
        [&](Bits& bits, unsigned b, std::size_t index) {
          const McuBlock& block = plan.blocks[b];
          const Reader& reader = *readers[block.place];
          int& prediction = predictions[block.place];
          if (reader.skip) {
            int difference = 0;
            if (!skip_block(bits, reader, difference)) return false;
            prediction += difference;
            dc_[block.component][index] = static_cast<std::int16_t>(prediction);
            return prediction == static_cast<std::int16_t>(prediction);
          }
          const std::size_t stride = structure_.components[block.component].stride;
          Plane& plane = planes_[block.component];
          std::uint8_t* const upper =
              plane.samples.data() + index / stride * 2 * plane.stride + index % stride * 2;
          return read_block(bits, reader, transforms_[block.component], prediction, upper,
                            upper + plane.stride);
        });
    if (!good) return not_plain("data");
    return {};
  }

  const Structure& structure_;
  std::vector<HalfTransform> transforms_;
  std::array<std::vector<std::int16_t>, kComponentsMax> dc_;
  std::array<Plane, kComponentsMax> planes_;
};

}  // namespace

base::Result<std::array<Plane, kComponentsMax>> decode_sequential(const Structure& structure) {
  return SequentialDecoder(structure).decode();
}

}  // namespace imgproc::image::jpeg_dc
