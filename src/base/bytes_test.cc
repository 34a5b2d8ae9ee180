#include "base/bytes.h"

#include <gtest/gtest.h>

namespace imgproc::base {
namespace {

TEST(Bytes, HexRoundTrips) {
  EXPECT_EQ(to_hex(std::string_view("\x00\xff\x10", 3)), "00ff10");
  EXPECT_EQ(from_hex("00FF10"), std::string("\x00\xff\x10", 3));
  EXPECT_FALSE(from_hex("0").has_value());
  EXPECT_FALSE(from_hex("0g").has_value());
}

TEST(Bytes, Base64FollowsRfc4648) {
  // The test vectors of RFC 4648, section 10.
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(to_base64(plain), encoded);
    EXPECT_EQ(from_base64(encoded), plain);
  }
  for (const char* bad : {"Zg=", "Zg", "Z===", "Zg==Zg==", "Zm9*", "=Zm9"})
    EXPECT_FALSE(from_base64(bad).has_value()) << bad;
}

TEST(Bytes, PercentEncodingIsThatOfAws) {
  EXPECT_EQ(percent_encode("a b+c%d/ä~"), "a%20b%2Bc%25d%2F%C3%A4~");
  EXPECT_EQ(percent_encode("a/b", true), "a/b");
  EXPECT_EQ(percent_decode("a%20b+c%2B"), "a b+c+");
  EXPECT_EQ(percent_decode("a+b%2B", true), "a b+");
  EXPECT_EQ(percent_decode("100%"), "100%");
  EXPECT_EQ(percent_decode("%zz%4"), "%zz%4");
}

TEST(Bytes, Utf8IsStrict) {
  EXPECT_TRUE(is_utf8("grüße \xF0\x9F\x93\xB7"));
  EXPECT_FALSE(is_utf8("\xC0\xAF"));          // overlong slash
  EXPECT_FALSE(is_utf8("\xED\xA0\x80"));      // surrogate
  EXPECT_FALSE(is_utf8("\xF4\x90\x80\x80"));  // beyond U+10FFFF
  EXPECT_FALSE(is_utf8("\xE2\x82"));          // cut off
}

TEST(Bytes, ParsesUnsignedNumbersWhole) {
  EXPECT_EQ(parse_unsigned("18446744073709551615"), 18446744073709551615ULL);
  for (const char* bad : {"", "-1", "+1", "1 ", "18446744073709551616"})
    EXPECT_FALSE(parse_unsigned(bad).has_value()) << bad;
}

}  // namespace
}  // namespace imgproc::base
