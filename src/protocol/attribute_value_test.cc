#include "protocol/attribute_value.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace imgproc::protocol {
namespace {

std::string round_trip(std::string_view text) {
  auto value = parse_attribute_value(*base::parse_json(text));
  if (!value) return value.error().code + ": " + value.error().message;
  std::string out;
  append_json(out, *value);
  return out;
}

TEST(AttributeValue, KeepsEveryType) {
  for (const char* text :
       {R"({"S":"a\"b\\c\n\u0001é"})", R"({"S":""})", R"({"N":"1.5"})", R"({"B":"AAEC"})",
        R"({"B":""})", R"({"SS":["b","a"]})", R"({"NS":["2","1"]})", R"({"BS":["AAEC","AA=="]})",
        R"({"NULL":true})", R"({"BOOL":false})", R"({"L":[{"S":"x"},{"L":[]}]})",
        R"({"M":{"a":{"M":{}},"b":{"N":"-1"}}})"})
    EXPECT_EQ(round_trip(text), text);
  EXPECT_EQ(round_trip(R"({"N":"1.50e1"})"), R"({"N":"15"})");
}

TEST(AttributeValue, RefusesInDynamoDbsWords) {
  auto refused = [](const char* text, const char* code, const char* part) {
    std::string answer = round_trip(text);
    EXPECT_TRUE(answer.starts_with(code) && answer.find(part) != std::string::npos)
        << text << " " << answer;
  };
  refused(R"({})", "ValidationException", "Supplied AttributeValue is empty");
  refused(R"({"S":"a","N":"1"})", "ValidationException", "more than one datatypes set");
  refused(R"({"S":5})", "SerializationException", "NUMBER_VALUE cannot be converted to String");
  refused(R"({"N":1})", "SerializationException", "NUMBER_VALUE cannot be converted to String");
  refused(R"({"S":true})", "SerializationException", "TRUE_VALUE cannot be converted to String");
  refused(R"({"N":"abc"})", "ValidationException", "cannot be converted to a numeric value: abc");
  refused(R"({"B":"A"})", "SerializationException", "multiple of 4 bytes but found: 1");
  refused(R"({"B":"A$AA"})", "SerializationException", "Base64");
  refused(R"({"SS":[]})", "ValidationException", "An string set  may not be empty");
  refused(R"({"NS":["1","1.0"]})", "ValidationException", "Input collection contains duplicates");
  refused(R"({"SS":["a","a"]})", "ValidationException",
          "Input collection [a, a] contains duplicates.");
  refused(R"({"NULL":false})", "ValidationException", "must have the value of true");
  refused(R"("x")", "SerializationException", "Unexpected value type in payload");
  std::string deep;
  for (int i = 0; i < 34; ++i) deep += R"({"L":[)";
  deep += R"({"S":"x"})";
  for (int i = 0; i < 34; ++i) deep += "]}";
  refused(deep.c_str(), "ValidationException", "Nesting Levels have exceeded supported limits");
}

TEST(AttributeValue, SetsCompareWithoutOrder) {
  auto value = [](const char* text) { return *parse_attribute_value(*base::parse_json(text)); };
  EXPECT_EQ(value(R"({"SS":["a","b"]})"), value(R"({"SS":["b","a"]})"));
  EXPECT_FALSE(value(R"({"SS":["a","b"]})") == value(R"({"SS":["a"]})"));
  EXPECT_FALSE(value(R"({"S":"1"})") == value(R"({"N":"1"})"));
  EXPECT_EQ(value(R"({"N":"1.0"})"), value(R"({"N":"1"})"));
}

TEST(AttributeValue, CountsBytesAsDynamoDbDoes) {
  auto size = [](const char* text) {
    return size_of(*parse_attribute_map(base::parse_json(text)->as_object()));
  };
  EXPECT_EQ(size(R"({"a":{"S":"abc"}})"), 4U);
  EXPECT_EQ(size(R"({"a":{"S":"é"}})"), 3U);
  EXPECT_EQ(size(R"({"a":{"B":"AAEC"}})"), 4U);
  EXPECT_EQ(size(R"({"a":{"BOOL":true},"b":{"NULL":true}})"), 4U);
  EXPECT_EQ(size(R"({"a":{"N":"0"}})"), 2U);
  EXPECT_EQ(size(R"({"a":{"L":[]},"b":{"M":{}}})"), 8U);
}

}  // namespace
}  // namespace imgproc::protocol
