#include "image/jpeg_dc/two_streams.h"

#include <algorithm>
#include <bit>
#include <vector>

namespace imgproc::image::jpeg_dc {
namespace {

static_assert(std::endian::native == std::endian::little && sizeof(Step) == 4,
              "a Step is added to a reader's state as a number");

constexpr std::size_t kBlocksMax = 4 << 20;
constexpr std::size_t kLeadBytes = 8192;  // in which the second reader notes its blocks
/// More than a block can take: 64 codes of 16 bits with 15 bits of value.
constexpr std::size_t kBlockBytesMax = 256;
constexpr std::size_t kPaddingBytes = 2 * kBlockBytesMax;
constexpr std::size_t kIterationBytesMax = 9;  // two steps of 31 bits, and a byte begun
constexpr std::size_t kRoomSpare = 2;          // for a record begun

struct Phase {
  BlockTables tables;
  const Step* next_dc_steps = nullptr;
  std::ptrdiff_t to_next = 0;  ///< From this phase to the next in the same array.
};

/// The state of a reader. `state` holds 63 less the bits at hand (8 bits), the coefficients passed
/// (8 bits), and above them the DC difference: so that one addition of a Step moves all three.
struct Cursor {
  std::uint64_t buffer = 0;
  std::int64_t state = 0;
  const std::uint8_t* next = nullptr;
  const Step* steps = nullptr;
  Record* out = nullptr;
  const Phase* phase = nullptr;  ///< Null once the data was bad.

  [[nodiscard]] unsigned count() const { return 63 - static_cast<unsigned>(state & 255); }
  [[nodiscard]] bool is_between_blocks() const { return (state >> 8 & 255) == 0; }
  [[nodiscard]] std::uint64_t bit_position(const std::uint8_t* base) const {
    return static_cast<std::uint64_t>(next - base) * 8 - count();
  }
  void refill() {
    buffer |= Bits::load(next) >> (~state & 63);
    next += (state & 255) >> 3;
    state &= ~std::int64_t{0xF8};
  }
};

Cursor start_at(const std::uint8_t* base, std::uint64_t bit, const Phase* phase, Record* out) {
  const auto read = static_cast<unsigned>(bit % 8);
  const std::uint8_t* at = base + bit / 8;
  return {.buffer = Bits::load(at) << read,
          .state = 63 - (56 - static_cast<std::int64_t>(read)),
          .next = at + 7,
          .steps = phase->tables.dc_steps,
          .out = out,
          .phase = phase};
}

/// One symbol where the table cannot help: unknown, or read on beyond the block.
[[gnu::noinline]] Cursor step_alone(Cursor cursor, std::int32_t step) {
  cursor.state -= step;
  const unsigned count = cursor.count();
  const Phase& phase = *cursor.phase;
  Bits bits{.buffer = 0, .count = count, .next = cursor.next};
  bits.give_back(0);
  auto k = static_cast<unsigned>(cursor.state >> 8 & 255);
  std::int64_t sum = cursor.state >> 16;
  const bool is_dc = k == 0;
  const Symbol symbol = (is_dc ? phase.tables.dc : phase.tables.ac)->find(bits.peek(kCodeBitsMax));
  bits.skip(symbol.bits);
  const unsigned size = symbol.size();
  const bool is_end = !is_dc && symbol.is_end_of_block();
  k += is_dc ? 1 : (is_end ? 0 : symbol.run() + 1);
  if (symbol.bits == 0 || k > kCoefficients) {
    cursor.phase = nullptr;
    return cursor;
  }
  const int value = extend(bits.take(size), size);
  if (is_dc) sum = value;
  bits.refill();
  cursor.buffer = bits.buffer;
  cursor.next = bits.next;
  const std::int64_t low = 63 - static_cast<std::int64_t>(bits.count);
  const bool is_done = is_end || k == kCoefficients;
  cursor.state = sum * 65536 + k * 256 + low;
  *cursor.out = static_cast<Record>(cursor.state);
  cursor.steps = is_done ? phase.next_dc_steps : phase.tables.ac_steps;
  if (is_done) {
    ++cursor.out;
    cursor.state = low;
    cursor.phase = cursor.phase + phase.to_next;
  }
  return cursor;
}

/// One look into a table. Without a branch where it can be, since none could be foretold.
[[gnu::always_inline]] inline void step_on(Cursor& c) {
  const auto step = std::bit_cast<std::int32_t>(c.steps[c.buffer >> (64 - kTableBits)]);
  c.buffer <<= step & 63;
  c.state += step;
  if ((c.state & kUnknown << 8) != 0) [[unlikely]] {
    c = step_alone(c, step);
    return;
  }
  *c.out = static_cast<Record>(c.state);
  const std::ptrdiff_t is_done = step >> 15 & 1;
  const std::ptrdiff_t all_if_done = -is_done;
  c.out += is_done;
  c.state &= 255 | ~all_if_done;
  const auto ac = reinterpret_cast<std::intptr_t>(c.phase->tables.ac_steps);
  const auto dc = reinterpret_cast<std::intptr_t>(c.phase->next_dc_steps);
  c.steps = reinterpret_cast<const Step*>(ac ^ ((ac ^ dc) & all_if_done));
  c.phase += c.phase->to_next & all_if_done;
}

bool step_once(Cursor& cursor) {
  cursor.refill();
  step_on(cursor);
  return cursor.phase != nullptr;
}

/// To the end of the block; false if the data is bad.
bool finish_block(Cursor& cursor) {
  do {
    if (!step_once(cursor)) return false;
  } while (!cursor.is_between_blocks());
  return true;
}

/// Both readers in turn, two steps each, this many times.
void run_both(Cursor& one, Cursor& two, std::size_t times) {
  Cursor a = one, b = two;
  for (; times > 0; --times) {
    a.refill();
    b.refill();
    step_on(a);
    step_on(b);
    if (a.phase == nullptr || b.phase == nullptr) [[unlikely]]
      break;
    step_on(a);
    step_on(b);
    if (a.phase == nullptr || b.phase == nullptr) [[unlikely]]
      break;
  }
  one = a;
  two = b;
}

struct Reading {
  std::unique_ptr<Record[]> records;
  std::size_t room = 0;
  Cursor cursor;

  Reading(std::size_t records_max, const std::uint8_t* base, std::uint64_t bit, const Phase* phase)
      : records(std::make_unique_for_overwrite<Record[]>(records_max)),
        room(records_max),
        cursor(start_at(base, bit, phase, records.get())) {}

  [[nodiscard]] std::size_t used() const {
    return static_cast<std::size_t>(cursor.out - records.get());
  }
  [[nodiscard]] bool has_room() const { return used() + kRoomSpare < room; }
  /// How often run_both may go on before `end`.
  [[nodiscard]] std::size_t times_before(const std::uint8_t* end) const {
    const std::ptrdiff_t bytes = end - cursor.next - static_cast<std::ptrdiff_t>(kBlockBytesMax);
    if (bytes <= 0 || !has_room() || cursor.phase == nullptr) return 0;
    return std::min(static_cast<std::size_t>(bytes) / kIterationBytesMax,
                    (room - used() - kRoomSpare) / 2);
  }
};

struct BlockStart {
  std::uint64_t bit = 0;
  const Phase* phase = nullptr;
  std::size_t record = 0;
};

/// The data without its stuffing; nullopt if there is a marker in it.
std::optional<std::vector<std::uint8_t>> unstuff(std::span<const std::uint8_t> data) {
  std::vector<std::uint8_t> out;
  out.reserve(data.size() + kPaddingBytes);
  while (!data.empty()) {
    const auto* marker =
        static_cast<const std::uint8_t*>(std::memchr(data.data(), 0xFF, data.size()));
    const std::size_t plain =
        marker != nullptr ? static_cast<std::size_t>(marker - data.data()) : data.size();
    out.insert(out.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(plain));
    if (marker == nullptr) break;
    if (data.size() - plain < 2 || marker[1] != 0) return std::nullopt;
    out.push_back(0xFF);
    data = data.subspan(plain + 2);
  }
  return out;
}

/// The second reader's way into step: notes where it begins blocks. Where the data is bad it is not
/// in step yet, and tries one bit further on.
std::vector<BlockStart> lead_in(Reading& second, const std::uint8_t* base, const std::uint8_t* end,
                                const Phase* phases) {
  std::vector<BlockStart> starts;
  const std::uint8_t* const until = std::min(end, second.cursor.next + kLeadBytes);
  while (second.cursor.next < until && second.has_room()) {
    const Cursor before = second.cursor;
    starts.push_back({before.bit_position(base), before.phase, second.used()});
    if (finish_block(second.cursor)) continue;
    starts.clear();  // whoever comes to one of them comes to the bad data too
    second.cursor = start_at(base, before.bit_position(base) + 1, phases, before.out);
  }
  return starts;
}

/// Takes the first reader to where the second has begun a block; that block's first record.
std::optional<std::size_t> meet(Reading& first, const std::uint8_t* base,
                                std::span<const BlockStart> starts) {
  while (!first.cursor.is_between_blocks())
    if (!step_once(first.cursor)) return std::nullopt;
  for (auto start = starts.begin(); start != starts.end();) {
    const std::uint64_t bit = first.cursor.bit_position(base);
    if (start->bit < bit) {
      ++start;
    } else if (start->bit == bit && start->phase == first.cursor.phase) {
      return start->record;
    } else if (start->bit == bit) {
      ++start;
    } else if (!first.has_room() || !finish_block(first.cursor)) {
      break;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::array<Recording, 2>> read_two_streams(std::span<const std::uint8_t> data,
                                                         std::span<const BlockTables> mcu,
                                                         std::uint64_t blocks) {
  if (blocks > kBlocksMax) return std::nullopt;
  auto bytes = unstuff(data);
  if (!bytes || bytes->size() < kTwoStreamsBytesLeast) return std::nullopt;
  const std::uint64_t bits = bytes->size() * 8;
  bytes->resize(bytes->size() + kPaddingBytes);
  const std::uint8_t* const base = bytes->data();
  const std::uint8_t* const end = base + bits / 8;
  std::vector<Phase> phases(mcu.size());
  for (std::size_t i = 0; i < mcu.size(); ++i) {
    const bool is_last = i + 1 == mcu.size();
    phases[i] = {mcu[i], mcu[is_last ? 0 : i + 1].dc_steps,
                 is_last ? 1 - static_cast<std::ptrdiff_t>(mcu.size()) : 1};
  }
  const std::size_t room = blocks + kRoomSpare + 1;
  Reading first(room, base, 0, phases.data());
  Reading second(room, base, bits / 16 * 8, phases.data());
  const std::uint8_t* const middle = second.cursor.next;
  const auto starts = lead_in(second, base, end - kBlockBytesMax, phases.data());
  // In turn as long as both have something to do; then what is left of either.
  while (const std::size_t times = std::min(first.times_before(middle), second.times_before(end)))
    run_both(first.cursor, second.cursor, times);
  while (first.cursor.phase != nullptr && first.cursor.next < middle && first.has_room())
    (void)step_once(first.cursor);
  if (first.cursor.phase == nullptr || second.cursor.phase == nullptr) return std::nullopt;
  const auto from = meet(first, base, starts);
  if (!from) return std::nullopt;

  const std::uint64_t wanted = blocks - std::min<std::uint64_t>(blocks, first.used());
  while (second.used() - *from < wanted || !second.cursor.is_between_blocks()) {
    if (second.cursor.bit_position(base) > bits || !second.has_room()) return std::nullopt;
    if (!finish_block(second.cursor)) return std::nullopt;
  }
  const std::uint64_t read = second.cursor.bit_position(base);
  if (first.used() + (second.used() - *from) != blocks || read > bits || read + 8 <= bits)
    return std::nullopt;
  std::array<Recording, 2> out;
  out[0].end = first.used();
  out[0].records = std::move(first.records);
  out[1].begin = *from;
  out[1].end = second.used();
  out[1].records = std::move(second.records);
  return out;
}

}  // namespace imgproc::image::jpeg_dc
