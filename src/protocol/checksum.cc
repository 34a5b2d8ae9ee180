#include "protocol/checksum.h"

#include <array>

#include "base/bytes.h"

namespace imgproc::protocol {
namespace {

using base::HashAlgorithm;

constexpr std::array<ChecksumName, 5> kNames{{
    {HashAlgorithm::crc32, "CRC32", "x-amz-checksum-crc32", "ChecksumCRC32", 4},
    {HashAlgorithm::crc32c, "CRC32C", "x-amz-checksum-crc32c", "ChecksumCRC32C", 4},
    {HashAlgorithm::crc64nvme, "CRC64NVME", "x-amz-checksum-crc64nvme", "ChecksumCRC64NVME", 8},
    {HashAlgorithm::sha1, "SHA1", "x-amz-checksum-sha1", "ChecksumSHA1", 20},
    {HashAlgorithm::sha256, "SHA256", "x-amz-checksum-sha256", "ChecksumSHA256", 32},
}};

/// A CRC's field of polynomials over GF(2), bit-reflected: the highest bit stands for x^0.
struct Field {
  std::uint64_t polynomial;
  unsigned bits;

  [[nodiscard]] std::uint64_t one() const { return std::uint64_t{1} << (bits - 1); }
  /// a * x modulo the polynomial.
  [[nodiscard]] std::uint64_t times_x(std::uint64_t a) const {
    return (a >> 1) ^ ((a & 1) != 0 ? polynomial : 0);
  }
  [[nodiscard]] std::uint64_t multiply(std::uint64_t a, std::uint64_t b) const {
    std::uint64_t product = 0;
    for (std::uint64_t bit = one(); bit != 0 && a != 0; bit >>= 1) {
      if ((a & bit) != 0) {
        product ^= b;
        a ^= bit;
      }
      b = times_x(b);
    }
    return product;
  }
  /// x^(8 * bytes).
  [[nodiscard]] std::uint64_t shift_by(std::uint64_t bytes) const {
    std::uint64_t result = one();
    std::uint64_t square = one();
    for (int i = 0; i < 8; ++i) square = times_x(square);
    for (; bytes != 0; bytes >>= 1) {
      if ((bytes & 1) != 0) result = multiply(result, square);
      square = multiply(square, square);
    }
    return result;
  }
};

std::uint64_t from_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

}  // namespace

std::span<const ChecksumName> checksum_names() {
  return kNames;
}

const ChecksumName* find_checksum(std::string_view name) {
  for (const auto& entry : kNames)
    if (base::equals_ignoring_case(entry.name, name)) return &entry;
  return nullptr;
}

const ChecksumName& checksum_name(HashAlgorithm algorithm) {
  for (const auto& entry : kNames)
    if (entry.algorithm == algorithm) return entry;
  return kNames.front();
}

bool is_crc(HashAlgorithm algorithm) {
  return algorithm == HashAlgorithm::crc32 || algorithm == HashAlgorithm::crc32c ||
         algorithm == HashAlgorithm::crc64nvme;
}

std::string combine_crc(HashAlgorithm algorithm, std::string_view crc_a, std::string_view crc_b,
                        std::uint64_t bytes_b) {
  Field field = algorithm == HashAlgorithm::crc64nvme ? Field{0x9A6C9329AC4BC9B5ULL, 64}
                : algorithm == HashAlgorithm::crc32c  ? Field{0x82F63B78U, 32}
                                                      : Field{0xEDB88320U, 32};
  // The initial value and the final inversion cancel out: crc(AB) = crc(A) * x^(8|B|) + crc(B).
  std::uint64_t value =
      field.multiply(field.shift_by(bytes_b), from_big_endian(crc_a)) ^ from_big_endian(crc_b);
  std::string out(field.bits / 8, '\0');
  for (std::size_t i = out.size(); i-- > 0; value >>= 8) out[i] = static_cast<char>(value & 255);
  return out;
}

}  // namespace imgproc::protocol
