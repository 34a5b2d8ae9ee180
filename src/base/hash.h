#pragma once
// Digests and checksums, streamed or at once.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace imgproc::base {

/// The checksums S3 knows, plus MD5 for ETag and Content-MD5.
enum class HashAlgorithm { md5, sha1, sha256, crc32, crc32c, crc64nvme };

/// A digest that is fed piece by piece. Movable, not copyable; not thread-safe.
class Hasher {
 public:
  explicit Hasher(HashAlgorithm algorithm);
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  void update(std::string_view bytes);
  /// The raw digest (CRCs in big-endian order, as S3 encodes them). Call once, at the end.
  [[nodiscard]] std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Raw digest of `bytes`.
[[nodiscard]] std::string hash(HashAlgorithm algorithm, std::string_view bytes);
[[nodiscard]] std::string sha256_hex(std::string_view bytes);
[[nodiscard]] std::string md5_hex(std::string_view bytes);
/// Raw HMAC.
[[nodiscard]] std::string hmac_sha256(std::string_view key, std::string_view message);
[[nodiscard]] std::string hmac_sha1(std::string_view key, std::string_view message);

}  // namespace imgproc::base
