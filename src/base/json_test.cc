#include "base/json.h"

#include <gtest/gtest.h>

namespace imgproc::base {
namespace {

TEST(Json, ReadsMembersByNameAndKind) {
  auto value = parse_json(R"({"s":"x","i":7,"d":2.0,"f":2.5,"b":true,"o":{},"a":[1]})");
  ASSERT_TRUE(value.has_value());
  const auto& object = value->get_object();
  EXPECT_EQ(json_string(object, "s"), "x");
  EXPECT_EQ(json_int(object, "i"), 7);
  EXPECT_EQ(json_int(object, "d"), 2);
  EXPECT_FALSE(json_int(object, "f").has_value());
  EXPECT_EQ(json_number(object, "f"), 2.5);
  EXPECT_EQ(json_bool(object, "b"), true);
  EXPECT_NE(json_object(object, "o"), nullptr);
  EXPECT_EQ(json_array(object, "a")->size(), 1U);
  EXPECT_FALSE(json_string(object, "i").has_value());
  EXPECT_EQ(json_object(object, "missing"), nullptr);
}

TEST(Json, RefusesWhatIsNotJson) {
  for (const char* bad : {"", "{", "{}x", "{'a':1}", "[1,]", "nul", "\"\xff\""})
    EXPECT_EQ(parse_json(bad).error().code, "INVALID_JSON") << bad;
}

TEST(Json, DepthIsBounded) {
  EXPECT_TRUE(parse_json(std::string(50, '[') + std::string(50, ']')).has_value());
  EXPECT_FALSE(parse_json(std::string(100'000, '[')).has_value());
}

}  // namespace
}  // namespace imgproc::base
