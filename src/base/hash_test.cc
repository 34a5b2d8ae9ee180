#include "base/hash.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace imgproc::base {
namespace {

// The check value of every CRC catalogue is the one of these nine bytes.
constexpr std::string_view kCheck = "123456789";

TEST(Hash, CrcCheckValues) {
  EXPECT_EQ(to_hex(hash(HashAlgorithm::crc32, kCheck)), "cbf43926");
  EXPECT_EQ(to_hex(hash(HashAlgorithm::crc32c, kCheck)), "e3069283");
  EXPECT_EQ(to_hex(hash(HashAlgorithm::crc64nvme, kCheck)), "ae8b14860a799888");
}

TEST(Hash, CrcsOfEveryLengthAreThoseOfTheirBytes) {
  std::string text;
  std::uint32_t seed = 1;
  for (int i = 0; i < 700; ++i)
    text += static_cast<char>((seed = seed * 1664525 + 1013904223) >> 24);
  for (auto algorithm : {HashAlgorithm::crc32, HashAlgorithm::crc32c, HashAlgorithm::crc64nvme}) {
    for (std::size_t length = 0; length <= text.size(); ++length) {
      // Begun with a register that is not the first, and at addresses of every kind.
      const std::string_view head = std::string_view(text).substr(0, length % 19);
      const std::string_view rest = std::string_view(text).substr(head.size(), length);
      Hasher at_once(algorithm);
      Hasher byte_by_byte(algorithm);
      at_once.update(head);
      at_once.update(rest);
      for (char c : head) byte_by_byte.update({&c, 1});
      for (char c : rest) byte_by_byte.update({&c, 1});
      ASSERT_EQ(to_hex(at_once.finish()), to_hex(byte_by_byte.finish())) << length;
    }
  }
}

TEST(Hash, DigestsOfTheEmptyText) {
  EXPECT_EQ(md5_hex(""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(hash(HashAlgorithm::sha1, "")), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

TEST(Hash, PiecesGiveTheSameAsTheWhole) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += static_cast<char>(i * 7);
  for (auto algorithm : {HashAlgorithm::md5, HashAlgorithm::sha1, HashAlgorithm::sha256,
                         HashAlgorithm::crc32, HashAlgorithm::crc32c, HashAlgorithm::crc64nvme}) {
    for (std::size_t step : {1U, 7U, 8U, 64U, 999U}) {
      Hasher hasher(algorithm);
      for (std::size_t at = 0; at < text.size(); at += step)
        hasher.update(std::string_view(text).substr(at, step));
      EXPECT_EQ(hasher.finish(), hash(algorithm, text));
    }
  }
}

TEST(Hash, HmacOfRfc4231) {
  // Test case 2 of RFC 4231.
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

}  // namespace
}  // namespace imgproc::base
