#include "localcloud/logs/filter_pattern.h"

#include <gtest/gtest.h>

namespace imgproc::localcloud::logs {
namespace {

bool matches(std::string_view pattern, std::string_view message) {
  auto parsed = FilterPattern::parse(pattern);
  EXPECT_TRUE(parsed) << pattern << ": " << (parsed ? "" : parsed.error().describe());
  return parsed && parsed->matches(message);
}

TEST(FilterPattern, EmptyMatchesEverything) {
  EXPECT_TRUE(matches("", "anything"));
  EXPECT_TRUE(matches("  ", ""));
}

TEST(FilterPattern, TermsMustAllOccurWithCase) {
  EXPECT_TRUE(matches("ERROR disk", "disk: ERROR"));
  EXPECT_FALSE(matches("ERROR disk", "ERROR"));
  EXPECT_FALSE(matches("error", "ERROR"));
}

TEST(FilterPattern, QuotedPhrasesKeepTheirSpaces) {
  EXPECT_TRUE(matches(R"("timed out")", "Task timed out"));
  EXPECT_FALSE(matches(R"("timed out")", "out timed"));
  EXPECT_TRUE(matches(R"("a \"b\"")", R"(a "b")"));
}

TEST(FilterPattern, ExcludesAndChooses) {
  EXPECT_FALSE(matches("START -boring", "START boring"));
  EXPECT_TRUE(matches("START -boring", "START"));
  EXPECT_TRUE(matches("?ERROR ?WARN", "WARN"));
  EXPECT_TRUE(matches("?ERROR ?WARN", "ERROR"));
  EXPECT_FALSE(matches("?ERROR ?WARN", "INFO"));
}

TEST(FilterPattern, JsonMembers) {
  constexpr std::string_view kLine =
      R"({"level":"ERROR","ms":12.5,"ok":false,"who":null,"list":[{"a":1}]})";
  EXPECT_TRUE(matches(R"({ $.level = "ERROR" })", kLine));
  EXPECT_TRUE(matches(R"({$.level=ERR*})", kLine));
  EXPECT_FALSE(matches(R"({ $.level = "INFO" })", kLine));
  EXPECT_TRUE(matches(R"({ $.level != "INFO" })", kLine));
  EXPECT_TRUE(matches(R"({ $.ms > 12 && $.ms <= 12.5 })", kLine));
  EXPECT_FALSE(matches(R"({ $.ms < 12 })", kLine));
  EXPECT_TRUE(matches(R"({ ($.ms < 12) || ($.ok IS FALSE) })", kLine));
  EXPECT_TRUE(matches(R"({ $.who IS NULL })", kLine));
  EXPECT_TRUE(matches(R"({ $.none NOT EXISTS })", kLine));
  EXPECT_FALSE(matches(R"({ $.none = "x" })", kLine));
  EXPECT_TRUE(matches(R"({ $.list[0].a = 1 })", kLine));
  EXPECT_FALSE(matches(R"({ $.list[7].a = 1 })", kLine));
  EXPECT_FALSE(matches(R"({ $.level = "ERROR" })", "level ERROR")) << "not JSON";
}

TEST(FilterPattern, RefusesWhatItDoesNotUnderstand) {
  for (std::string_view pattern :
       {"[ip, user]", "%regex%", "\"open", "{ $.a = }", "{ $.a ~ 1 }", "{ $.a = 1 ", "{ a = 1 }",
        "{ $.a < \"x\" }", "{ $.a = 1 } x", "-", "{ $. = 1 }", "{ $.a[x] = 1 }"})
    EXPECT_FALSE(FilterPattern::parse(pattern)) << pattern;
  EXPECT_FALSE(FilterPattern::parse("{" + std::string(500, '(')));
  EXPECT_FALSE(FilterPattern::parse(std::string(kPatternBytesMax + 1, 'x')));
}

}  // namespace
}  // namespace imgproc::localcloud::logs
