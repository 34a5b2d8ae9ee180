#include "base/hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <bit>
#include <cstring>

#include "base/bytes.h"

namespace imgproc::base {
namespace {

// Slicing-by-8 for reflected CRCs of up to 64 bits: eight tables, eight bytes a step.
template <class Word>
struct CrcTables {
  std::array<std::array<Word, 256>, 8> t{};
  constexpr explicit CrcTables(Word reflected_polynomial) {
    for (unsigned i = 0; i < 256; ++i) {
      Word crc = i;
      for (int bit = 0; bit < 8; ++bit)
        crc = (crc >> 1) ^ ((crc & 1) != 0 ? reflected_polynomial : 0);
      t[0][i] = crc;
    }
    for (unsigned i = 0; i < 256; ++i)
      for (std::size_t k = 1; k < 8; ++k)
        t[k][i] = (t[k - 1][i] >> 8) ^ t[0][static_cast<std::size_t>(t[k - 1][i] & 255)];
  }
};

// Reflected polynomials: CRC-32 (ISO 3309), CRC-32C (Castagnoli, RFC 3720), CRC-64/NVME.
const CrcTables<std::uint32_t> kCrc32{0xEDB88320U};
const CrcTables<std::uint32_t> kCrc32c{0x82F63B78U};
const CrcTables<std::uint64_t> kCrc64Nvme{0x9A6C9329AC4BC9B5ULL};

template <class Word>
Word crc_update(const CrcTables<Word>& tables, Word crc, std::string_view bytes) {
  static_assert(std::endian::native == std::endian::little);
  const auto& t = tables.t;
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

template <class Word>
std::string big_endian(Word value) {
  std::string out(sizeof(Word), '\0');
  for (std::size_t i = 0; i < sizeof(Word); ++i)
    out[i] = static_cast<char>(value >> (8 * (sizeof(Word) - 1 - i)) & 255);
  return out;
}

/// Looked up once for the process: with EVP_md5() and its like every new digest looks it up.
const EVP_MD* message_digest(HashAlgorithm algorithm) {
  static const EVP_MD* const kMd5 = EVP_MD_fetch(nullptr, "MD5", nullptr);
  static const EVP_MD* const kSha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  static const EVP_MD* const kSha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  switch (algorithm) {
    case HashAlgorithm::md5:
      return kMd5;
    case HashAlgorithm::sha1:
      return kSha1;
    case HashAlgorithm::sha256:
      return kSha256;
    default:
      return nullptr;
  }
}

std::string hmac(const EVP_MD* digest, std::string_view key, std::string_view message) {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned length = 0;
  HMAC(digest, key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(),
       reinterpret_cast<unsigned char*>(out.data()), &length);
  out.resize(length);
  return out;
}

}  // namespace

struct Hasher::State {
  HashAlgorithm algorithm;
  EVP_MD_CTX* context = nullptr;
  std::uint32_t crc32 = ~0U;
  std::uint64_t crc64 = ~0ULL;

  explicit State(HashAlgorithm a) : algorithm(a) {
    if (const EVP_MD* digest = message_digest(a)) {
      context = EVP_MD_CTX_new();
      EVP_DigestInit_ex(context, digest, nullptr);
    }
  }
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

Hasher::Hasher(HashAlgorithm algorithm) : state_(std::make_unique<State>(algorithm)) {}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(std::string_view bytes) {
  switch (state_->algorithm) {
    case HashAlgorithm::crc32:
      state_->crc32 = crc_update(kCrc32, state_->crc32, bytes);
      break;
    case HashAlgorithm::crc32c:
      state_->crc32 = crc_update(kCrc32c, state_->crc32, bytes);
      break;
    case HashAlgorithm::crc64nvme:
      state_->crc64 = crc_update(kCrc64Nvme, state_->crc64, bytes);
      break;
    default:
      EVP_DigestUpdate(state_->context, bytes.data(), bytes.size());
  }
}

std::string Hasher::finish() {
  switch (state_->algorithm) {
    case HashAlgorithm::crc32:
    case HashAlgorithm::crc32c:
      return big_endian(~state_->crc32);
    case HashAlgorithm::crc64nvme:
      return big_endian(~state_->crc64);
    default:
      break;
  }
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned length = 0;
  EVP_DigestFinal_ex(state_->context, reinterpret_cast<unsigned char*>(out.data()), &length);
  out.resize(length);
  return out;
}

std::string hash(HashAlgorithm algorithm, std::string_view bytes) {
  Hasher hasher(algorithm);
  hasher.update(bytes);
  return hasher.finish();
}

std::string sha256_hex(std::string_view bytes) {
  return to_hex(hash(HashAlgorithm::sha256, bytes));
}
std::string md5_hex(std::string_view bytes) {
  return to_hex(hash(HashAlgorithm::md5, bytes));
}
std::string hmac_sha256(std::string_view key, std::string_view message) {
  return hmac(EVP_sha256(), key, message);
}
std::string hmac_sha1(std::string_view key, std::string_view message) {
  return hmac(EVP_sha1(), key, message);
}

}  // namespace imgproc::base
