#include "base/hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/bytes.h"
#include "base/crc.h"

namespace imgproc::base {
namespace {

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
      state_->crc32 = crc32_update(state_->crc32, bytes);
      break;
    case HashAlgorithm::crc32c:
      state_->crc32 = crc32c_update(state_->crc32, bytes);
      break;
    case HashAlgorithm::crc64nvme:
      state_->crc64 = crc64nvme_update(state_->crc64, bytes);
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
