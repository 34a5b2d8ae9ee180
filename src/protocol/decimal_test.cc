#include "protocol/decimal.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace imgproc::protocol {
namespace {

std::string normal(std::string_view text) {
  auto number = Decimal::parse(text);
  return number ? number->to_string() : number.error().message;
}

TEST(Decimal, ReadsAndWritesTheFormDynamoDbAnswersWith) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"0", "0"},
      {"-0", "0"},
      {"0.000", "0"},
      {"+5", "5"},
      {"005", "5"},
      {"5.00", "5"},
      {"1e2", "100"},
      {"1E+2", "100"},
      {"1.5e-3", "0.0015"},
      {".5", "0.5"},
      {"5.", "5"},
      {"-12.340", "-12.34"},
      {"0e999", "0"},
      {"100000e-5", "1"},
      {"123.456e1", "1234.56"},
      {"1e125", "1" + std::string(125, '0')},
      {"1e-130", "0." + std::string(129, '0') + "1"},
      {"12345678901234567890123456789012345678", "12345678901234567890123456789012345678"},
      {"0.00012345678901234567890123456789012345678",
       "0.00012345678901234567890123456789012345678"}};
  for (const auto& [text, expected] : cases) EXPECT_EQ(normal(text), expected) << text;
}

TEST(Decimal, RefusesInDynamoDbsWords) {
  for (const char* text :
       {"", "-", ".", "e5", "1e", "1e+", "abc", "1 ", " 1", "1.2.3", "0x10", "NaN"})
    EXPECT_TRUE(normal(text).starts_with("The parameter cannot be converted to a numeric value"))
        << text;
  EXPECT_TRUE(normal("1e126").starts_with("Number overflow."));
  EXPECT_TRUE(normal("-1e99999999999999999999").starts_with("Number overflow."));
  EXPECT_TRUE(normal("1e-131").starts_with("Number underflow."));
  EXPECT_EQ(normal("123456789012345678901234567890123456789"),
            "Attempting to store more than 38 significant digits in a Number");
  EXPECT_EQ(normal("1234567890123456789012345678901234567800"),
            "1234567890123456789012345678901234567800");
}

std::string sum(std::string_view a, std::string_view b) {
  auto result = Decimal::parse(a)->plus(*Decimal::parse(b));
  return result ? result->to_string() : result.error().message;
}

TEST(Decimal, AddsExactly) {
  EXPECT_EQ(sum("1", "2"), "3");
  EXPECT_EQ(sum("0.1", "0.2"), "0.3");
  EXPECT_EQ(sum("99999999999999999999999999999999999999", "1"), "1" + std::string(38, '0'));
  EXPECT_EQ(sum("5", "-5"), "0");
  EXPECT_EQ(sum("-5", "3"), "-2");
  EXPECT_EQ(sum("1000", "-0.001"), "999.999");
  EXPECT_EQ(sum("-1000", "0.001"), "-999.999");
  EXPECT_EQ(
      sum("12345678901234567890123456789012345678", "-12345678901234567890123456789012345677"),
      "1");
  EXPECT_EQ(sum("1e125", "1e-130"),
            "Attempting to store more than 38 significant digits in a Number");
  EXPECT_TRUE(sum("9e125", "9e125").starts_with("Number overflow."));
  EXPECT_EQ(Decimal::parse("3")->minus(*Decimal::parse("10"))->to_string(), "-7");
  EXPECT_EQ(Decimal::parse("3")->minus(Decimal{})->to_string(), "3");
}

TEST(Decimal, OrderAndSortKeyAgree) {
  std::mt19937 random(7);
  std::vector<Decimal> numbers;
  for (const char* text : {"0",
                           "1",
                           "-1",
                           "9.9e125",
                           "-9.9e125",
                           "1e-130",
                           "-1e-130",
                           "10",
                           "100",
                           "99",
                           "-99",
                           "0.1",
                           "0.01",
                           "-0.1",
                           "1.1",
                           "-1.1",
                           "-1.11",
                           "-1.01",
                           "99999999999999999999999999999999999999",
                           "-99999999999999999999999999999999999999",
                           "9999999999999999999999999999999999999.9",
                           "-9999999999999999999999999999999999999.9"})
    numbers.push_back(*Decimal::parse(text));
  for (int i = 0; i < 400; ++i) {
    std::string text = random() % 2 == 0 ? "-" : "";
    for (unsigned j = 0; j <= random() % 38; ++j) text += static_cast<char>('0' + random() % 10);
    auto number =
        Decimal::parse(text + "e" + std::to_string(static_cast<int>(random() % 200) - 110));
    if (number) numbers.push_back(*number);
  }
  for (const auto& a : numbers) {
    EXPECT_LE(a.sort_key().size(), 22U);
    EXPECT_EQ(*Decimal::parse(a.to_string()), a);
    for (const auto& b : numbers)
      ASSERT_EQ(a.sort_key().compare(b.sort_key()) <=> 0, a <=> b)
          << a.to_string() << " " << b.to_string();
  }
}

TEST(Decimal, SmallIntegersAddLikeIntegers) {
  std::mt19937 random(11);
  for (int i = 0; i < 2000; ++i) {
    long long a = static_cast<long long>(random() % 200000) - 100000;
    long long b = static_cast<long long>(random() % 2000) - 1000;
    ASSERT_EQ(sum(std::to_string(a), std::to_string(b)), std::to_string(a + b));
    ASSERT_EQ(Decimal::parse(std::to_string(a))->to_integer(), a);
  }
  EXPECT_EQ(Decimal::parse("1.9")->to_integer(), 1);
  EXPECT_EQ(Decimal::parse("1e30")->to_integer(), std::nullopt);
}

}  // namespace
}  // namespace imgproc::protocol
