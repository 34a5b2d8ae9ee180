#include "image/jpeg_dc/sequential.h"

#include <memory>

#include "image/jpeg_dc/mcu_walk.h"
#include "image/jpeg_dc/skip_table.h"
#include "image/jpeg_dc/two_streams.h"

namespace imgproc::image::jpeg_dc {
namespace {

/// What reads the blocks of one component of a scan, as many symbols in a step as go.
struct Reader {
  Reader(const HuffmanCode& dc_code, const HuffmanCode& ac_code)
      : dc(dc_code), ac(ac_code), skip(ac) {
    fill_dc_table(dc, skip, dc_steps);
  }
  HuffmanCode dc;
  HuffmanCode ac;
  SkipTable skip;
  StepTable dc_steps;
};

std::unique_ptr<Reader> make_reader(const ScanComponent& tables) {
  const auto dc = HuffmanCode::make(tables.dc, true);
  const auto ac = HuffmanCode::make(tables.ac, false);
  if (!dc || !ac) return nullptr;
  return std::make_unique<Reader>(*dc, *ac);
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
  const bool is_end = !is_dc && symbol.is_end_of_block();
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
  const SkipTable& skip = reader.skip;
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

class SequentialDecoder {
 public:
  SequentialDecoder(const Structure& structure, std::size_t two_streams_bytes_min)
      : structure_(structure),
        two_streams_bytes_min_(two_streams_bytes_min),
        dc_(make_dc_planes(structure)) {}

  base::Result<std::array<Plane, kComponentsMax>> decode() {
    for (const Scan& scan : structure_.scans) IMGPROC_CHECK(decode_scan(scan));
    return samples_of_dc(structure_, dc_);
  }

 private:
  base::Status decode_scan(const Scan& scan) {
    std::array<std::unique_ptr<Reader>, kComponentsMax> readers;
    for (unsigned i = 0; i < scan.component_count; ++i) {
      readers[i] = make_reader(scan.components[i]);
      if (!readers[i]) return not_plain("Huffman table");
    }
    const McuPlan plan = plan_mcus(structure_, scan);
    if (suits_two_streams(scan)) {
      std::array<BlockTables, kMcuBlocksMax> mcu;
      for (unsigned b = 0; b < plan.block_count; ++b) {
        const Reader& reader = *readers[plan.blocks[b].place];
        mcu[b] = {reader.dc_steps.data(), &reader.skip.of(0), &reader.dc, &reader.ac};
      }
      const auto recordings = read_two_streams(scan.data, {mcu.data(), plan.block_count},
                                               plan.mcus() * plan.block_count);
      if (recordings) return play(plan, *recordings);
    }
    return decode_as_one(scan, plan, readers);
  }

  bool suits_two_streams(const Scan& scan) const {
    return scan.restart_interval == 0 && scan.data.size() >= two_streams_bytes_min_ &&
           scan.data.size() <= kTwoStreamsBytesMax;
  }

  /// Makes of two_streams' records what decode_as_one makes of the data.
  base::Status play(const McuPlan& plan, const std::array<Recording, 2>& recordings) {
    std::array<int, kComponentsMax> predictions{};
    unsigned b = 0;
    std::uint32_t x = 0, y = 0;
    for (const Recording& recording : recordings) {
      for (std::size_t i = recording.begin; i < recording.end; ++i) {
        const McuBlock& block = plan.blocks[b];
        int& prediction = predictions[block.place];
        prediction += static_cast<std::int16_t>(recording.records[i] >> 16);
        if (prediction != static_cast<std::int16_t>(prediction)) return not_plain("data");
        dc_[block.component][block.first + y * block.row_step + x * block.step] =
            static_cast<std::int16_t>(prediction);
        if (++b < plan.block_count) continue;
        b = 0;
        if (++x < plan.mcus_wide) continue;
        x = 0;
        ++y;
      }
    }
    return {};
  }

  base::Status decode_as_one(const Scan& scan, const McuPlan& plan,
                             std::span<const std::unique_ptr<Reader>> readers) {
    std::array<int, kComponentsMax> predictions{};
    const bool good = walk_mcus(
        plan, scan, [&] { predictions.fill(0); },
        [&](Bits& bits, unsigned b, std::size_t index) {
          const McuBlock& block = plan.blocks[b];
          const Reader& reader = *readers[block.place];
          int& prediction = predictions[block.place];
          int difference = 0;
          if (!skip_block(bits, reader, difference)) return false;
          prediction += difference;
          dc_[block.component][index] = static_cast<std::int16_t>(prediction);
          return prediction == static_cast<std::int16_t>(prediction);
        });
    if (!good) return not_plain("data");
    return {};
  }

  const Structure& structure_;
  const std::size_t two_streams_bytes_min_;
  DcPlanes dc_;
};

}  // namespace

base::Result<std::array<Plane, kComponentsMax>> decode_sequential(
    const Structure& structure, std::size_t two_streams_bytes_min) {
  return SequentialDecoder(structure, two_streams_bytes_min).decode();
}

}  // namespace imgproc::image::jpeg_dc
