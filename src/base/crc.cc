#include "base/crc.h"

#include <array>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#define IMGPROC_CARRYLESS [[gnu::target("pclmul")]]
#elif defined(__aarch64__)
#include <arm_neon.h>
#include <sys/auxv.h>
#define IMGPROC_CARRYLESS [[gnu::target("+crypto")]]
#endif

namespace imgproc::base {
namespace {

static_assert(std::endian::native == std::endian::little);

/// Sixteen bytes of a message, a polynomial over GF(2): bit i is the coefficient of x^(127-i).
using Block = std::uint64_t __attribute__((vector_size(16)));

/// A reflected CRC of up to 64 bits, and how to compute it. In its register of w bits, bit i is the
/// coefficient of x^(w-1-i).
template <class Word>
class Crc {
 public:
  constexpr explicit Crc(Word reflected_polynomial) : polynomial_(reflected_polynomial) {
    for (unsigned i = 0; i < 256; ++i) {
      Word crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = times_x(crc);
      table_[0][i] = crc;
    }
    for (unsigned i = 0; i < 256; ++i)
      for (std::size_t k = 1; k < 8; ++k)
        table_[k][i] =
            (table_[k - 1][i] >> 8) ^ table_[0][static_cast<std::size_t>(table_[k - 1][i] & 255)];
    over_lanes_ = Block{power(kLanes * 128 + 63), power(kLanes * 128 - 1)};
    over_block_ = Block{power(128 + 63), power(128 - 1)};
  }

  Word update(Word crc, std::string_view bytes) const {
#ifdef IMGPROC_CARRYLESS
    if (bytes.size() >= 2 * kLanes * sizeof(Block) && has_carryless_multiplication())
      return folded(crc, bytes);
#endif
    return by_table(crc, bytes);
  }

 private:
  static constexpr std::size_t kLanes = 4;

  constexpr Word times_x(Word value) const {
    return (value >> 1) ^ ((value & 1) != 0 ? polynomial_ : 0);
  }

  /// x^exponent modulo the polynomial, its bit i the coefficient of x^(63-i).
  constexpr std::uint64_t power(std::size_t exponent) const {
    constexpr int kBits = 8 * sizeof(Word);
    Word value = Word{1} << (kBits - 1);
    for (std::size_t i = 0; i < exponent; ++i) value = times_x(value);
    return std::uint64_t{value} << (64 - kBits);
  }

  /// Slicing-by-8: eight tables, eight bytes a step.
  Word by_table(Word crc, std::string_view bytes) const {
    const auto& t = table_;
    std::size_t i = 0;
    for (; i + 8 <= bytes.size(); i += 8) {
      std::uint64_t chunk;
      std::memcpy(&chunk, bytes.data() + i, 8);
      chunk ^= crc;
      crc = t[7][chunk & 255] ^ t[6][chunk >> 8 & 255] ^ t[5][chunk >> 16 & 255] ^
            t[4][chunk >> 24 & 255] ^ t[3][chunk >> 32 & 255] ^ t[2][chunk >> 40 & 255] ^
            t[1][chunk >> 48 & 255] ^ t[0][chunk >> 56];
    }
    for (; i < bytes.size(); ++i)
      crc = (crc >> 8) ^
            t[0][static_cast<std::size_t>((crc ^ static_cast<unsigned char>(bytes[i])) & 255)];
    return crc;
  }

#ifdef IMGPROC_CARRYLESS
  static bool has_carryless_multiplication() {
#ifdef __x86_64__
    static const bool has = __builtin_cpu_supports("pclmul") != 0;
#else
    static const bool has = (getauxval(AT_HWCAP) & HWCAP_PMULL) != 0;
#endif
    return has;
  }

  /// The block times a power of x, modulo the polynomial but not fully reduced: `over` holds what
  /// its first and second half are to be multiplied by. A product of two such halves has one
  /// factor x too many; the powers have one less.
  IMGPROC_CARRYLESS [[gnu::always_inline]] static inline Block fold(Block block, Block over) {
#ifdef __x86_64__
    const auto a = reinterpret_cast<__m128i>(block);
    const auto b = reinterpret_cast<__m128i>(over);
    return reinterpret_cast<Block>(
        _mm_xor_si128(_mm_clmulepi64_si128(a, b, 0x00), _mm_clmulepi64_si128(a, b, 0x11)));
#else
    return reinterpret_cast<Block>(vreinterpretq_u64_p128(vmull_p64(block[0], over[0]))) ^
           reinterpret_cast<Block>(vreinterpretq_u64_p128(vmull_p64(block[1], over[1])));
#endif
  }

  static Block load(const char* at) {
    Block block;
    std::memcpy(&block, at, sizeof block);
    return block;
  }

  /// Shortens the message to one block that has the same remainder, as in Gopal et al., "Fast CRC
  /// Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel 2009: what lies ahead
  /// is multiplied by x to the distance and added to what it falls on. Needs 2 kLanes blocks.
  IMGPROC_CARRYLESS Word folded(Word crc, std::string_view bytes) const {
    std::array<Block, kLanes> lanes;
    for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = load(bytes.data() + i * sizeof(Block));
    lanes[0] ^= Block{crc, 0};
    std::size_t at = sizeof lanes;
    for (; at + sizeof lanes <= bytes.size(); at += sizeof lanes)
      for (std::size_t i = 0; i < kLanes; ++i)
        lanes[i] = fold(lanes[i], over_lanes_) ^ load(bytes.data() + at + i * sizeof(Block));
    Block rest = lanes[0];
    for (std::size_t i = 1; i < kLanes; ++i) rest = fold(rest, over_block_) ^ lanes[i];
    for (; at + sizeof(Block) <= bytes.size(); at += sizeof(Block))
      rest = fold(rest, over_block_) ^ load(bytes.data() + at);
    std::array<char, sizeof(Block)> last;
    std::memcpy(last.data(), &rest, sizeof rest);
    return by_table(by_table(0, {last.data(), last.size()}), bytes.substr(at));
  }
#endif

  Word polynomial_;
  std::array<std::array<Word, 256>, 8> table_{};
  Block over_lanes_{};
  Block over_block_{};
};

const Crc<std::uint32_t> kCrc32{0xEDB88320U};
const Crc<std::uint32_t> kCrc32c{0x82F63B78U};
const Crc<std::uint64_t> kCrc64Nvme{0x9A6C9329AC4BC9B5ULL};

}  // namespace

std::uint32_t crc32_update(std::uint32_t crc, std::string_view bytes) {
  return kCrc32.update(crc, bytes);
}
std::uint32_t crc32c_update(std::uint32_t crc, std::string_view bytes) {
  return kCrc32c.update(crc, bytes);
}
std::uint64_t crc64nvme_update(std::uint64_t crc, std::string_view bytes) {
  return kCrc64Nvme.update(crc, bytes);
}

}  // namespace imgproc::base
