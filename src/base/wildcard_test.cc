#include "base/wildcard.h"

#include <gtest/gtest.h>

#include <string>

namespace imgproc::base {
namespace {

TEST(Wildcard, AStarIsAnyRunOfCharacters) {
  for (auto [pattern, text] : {std::pair{"", ""},
                               {"*", ""},
                               {"*", "anything"},
                               {"a*", "a"},
                               {"a*c", "abc"},
                               {"a**c", "abbc"},
                               {"*.png", "a.b.png"},
                               {"*aab", "aaaab"},
                               {"a*b*c", "aXbYbZc"},
                               {"a?c", "a?c"},
                               {R"(a\b)", R"(a\b)"}})
    EXPECT_TRUE(matches_wildcard(pattern, text)) << pattern << " " << text;
  for (auto [pattern, text] : {std::pair{"", "a"},
                               {"a", ""},
                               {"a*c", "ab"},
                               {"*.png", "a.png2"},
                               {"a?c", "abc"},
                               {"A", "a"},
                               {"a*b*c", "aXbY"},
                               {R"(a\*)", "a*"}})
    EXPECT_FALSE(matches_wildcard(pattern, text)) << pattern << " " << text;
}

TEST(Wildcard, AQuestionMarkIsOneCharacterWhereItMayBe) {
  WildcardRules rules{.question_mark = true};
  EXPECT_TRUE(matches_wildcard("a?c", "abc", rules));
  EXPECT_FALSE(matches_wildcard("a?c", "ac", rules));
  EXPECT_TRUE(matches_wildcard("?*", "x", rules));
  EXPECT_FALSE(matches_wildcard("?*", "", rules));
}

TEST(Wildcard, ABackslashMakesAStarAStar) {
  WildcardRules rules{.backslash = true};
  EXPECT_TRUE(matches_wildcard(R"(a\*b*)", "a*bc", rules));
  EXPECT_FALSE(matches_wildcard(R"(a\*b*)", "axbc", rules));
  EXPECT_TRUE(matches_wildcard(R"(a\\*)", R"(a\x)", rules));
  EXPECT_TRUE(matches_wildcard(R"(*\)", R"(x\)", rules)) << "the last one stands for itself";
}

TEST(Wildcard, LettersAreAlikeWhereTheyMayBe) {
  WildcardRules rules{.ignore_case = true};
  EXPECT_TRUE(matches_wildcard("S3:Get*", "s3:getObject", rules));
  EXPECT_FALSE(matches_wildcard("S3:Get*", "s3:putObject", rules));
}

TEST(Wildcard, ManyStarsCostNoMoreThanTheProduct) {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "*a";
  EXPECT_FALSE(matches_wildcard(pattern + "b", std::string(10'000, 'a')));
}

}  // namespace
}  // namespace imgproc::base
