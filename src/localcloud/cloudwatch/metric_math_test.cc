#include "localcloud/cloudwatch/metric_math.h"

#include <gtest/gtest.h>

#include <string>

namespace imgproc::localcloud::cloudwatch {
namespace {

base::Result<std::optional<double>> evaluate(std::string_view expression) {
  return evaluate_math(expression, [](std::string_view id) -> base::Result<std::optional<double>> {
    if (id == "two") return 2;
    if (id == "m_3") return 3;
    return std::nullopt;
  });
}

TEST(MetricMathTest, ComputesAsWritten) {
  EXPECT_EQ(evaluate("two * 4 + m_3").value(), 11);
  EXPECT_EQ(evaluate("two + 4 * m_3").value(), 14);
  EXPECT_EQ(evaluate("(two+4)*m_3").value(), 18);
  EXPECT_EQ(evaluate("10 - two - m_3").value(), 5);
  EXPECT_EQ(evaluate("12 / two / m_3").value(), 2);
  EXPECT_EQ(evaluate("-two ^ 2 * .5").value(), 2);
  EXPECT_EQ(evaluate("two ^ m_3 ^ two").value(), 512);
  EXPECT_EQ(evaluate("2e-7 * 1E7").value(), 2);
}

TEST(MetricMathTest, HasNoValueWhereAnIdHasNone) {
  for (const char* expression :
       {"none", "two + none", "none * 0", "-none", "two / 0", "none ^ 2"}) {
    auto value = evaluate(expression);
    ASSERT_TRUE(value) << expression;
    EXPECT_FALSE(value->has_value()) << expression;
  }
}

TEST(MetricMathTest, RefusesWhatItCannotCompute) {
  for (const char* expression :
       {"", " ", "two two", "(two", "two)", "* 2", "two +", "2 $ 3", "1..2"})
    EXPECT_EQ(evaluate(expression).error().code, "ValidationError") << expression;
  EXPECT_EQ(evaluate("SUM(two)").error().code, "NotImplemented");
  EXPECT_EQ(evaluate(std::string(2000, '1')).error().code, "ValidationError");
}

TEST(MetricMathTest, IsBoundedInDepth) {
  EXPECT_TRUE(evaluate(std::string(50, '(') + "1" + std::string(50, ')')));
  EXPECT_FALSE(evaluate(std::string(500, '(') + "1" + std::string(500, ')')));
  EXPECT_FALSE(evaluate(std::string(1000, '-') + "1"));
  std::string powers = "1";
  for (int i = 0; i < 200; ++i) powers += "^1";
  EXPECT_FALSE(evaluate(powers));
}

}  // namespace
}  // namespace imgproc::localcloud::cloudwatch
