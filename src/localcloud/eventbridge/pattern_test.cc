#include "localcloud/eventbridge/pattern.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace imgproc::localcloud::eventbridge {
namespace {

bool matches(const char* pattern, const char* event) {
  return matches_pattern(base::parse_json(pattern)->get_object(),
                         base::parse_json(event)->get_object());
}

constexpr const char* kCreated =
    R"({"source":"aws.s3","detail-type":"Object Created","detail":{"bucket":{"name":"in"},"object":{"key":"a/b.JPG","size":10}}})";

TEST(Pattern, FiltersOfEveryKind) {
  EXPECT_TRUE(
      matches(R"({"source":["aws.s3"],"detail":{"bucket":{"name":["in","other"]}}})", kCreated));
  EXPECT_FALSE(matches(R"({"source":["aws.ec2"]})", kCreated));
  EXPECT_TRUE(matches(R"({"detail":{"object":{"key":[{"prefix":"a/"}]}}})", kCreated));
  EXPECT_TRUE(
      matches(R"({"detail":{"object":{"key":[{"suffix":".png"},{"suffix":".JPG"}]}}})", kCreated));
  EXPECT_TRUE(matches(R"({"detail":{"object":{"key":[{"wildcard":"a/*.J*G"}]}}})", kCreated));
  EXPECT_FALSE(matches(R"({"detail":{"object":{"key":[{"wildcard":"*.png"}]}}})", kCreated));
  EXPECT_TRUE(matches(R"({"a":[{"wildcard":"x\\*y*"}]})", R"({"a":"x*yz"})"));
  EXPECT_FALSE(matches(R"({"a":[{"wildcard":"x\\*y*"}]})", R"({"a":"xaaayz"})"));
  EXPECT_TRUE(
      matches(R"({"detail":{"object":{"key":[{"equals-ignore-case":"A/B.jpg"}]}}})", kCreated));
  EXPECT_TRUE(matches(R"({"detail":{"object":{"size":[{"numeric":[">",0,"<=",10]}]}}})", kCreated));
  EXPECT_FALSE(matches(R"({"detail":{"object":{"size":[{"numeric":[">",10]}]}}})", kCreated));
  EXPECT_TRUE(matches(R"({"detail":{"bucket":{"name":[{"anything-but":["out"]}]}}})", kCreated));
  EXPECT_FALSE(
      matches(R"({"detail":{"object":{"key":[{"anything-but":{"prefix":"a/"}}]}}})", kCreated));
  EXPECT_TRUE(
      matches(R"({"detail":{"reason":[{"exists":false}],"object":[{"exists":true}]}})", kCreated));
  EXPECT_FALSE(matches(R"({"detail":{"reason":["x"]}})", kCreated));
}

TEST(Pattern, UnknownFiltersAreRefused) {
  EXPECT_TRUE(
      check_pattern(base::parse_json(R"({"a":["x",{"prefix":"y"}]})")->get_object()).has_value());
  EXPECT_EQ(check_pattern(base::parse_json(R"({"a":[{"cidr":"10.0.0.0/8"}]})")->get_object())
                .error()
                .code,
            "InvalidEventPatternException");
  EXPECT_FALSE(check_pattern(base::parse_json(R"({"a":"x"})")->get_object()).has_value());
}

}  // namespace
}  // namespace imgproc::localcloud::eventbridge
