// Expressions against one item: conditions, updates, projections, and what is refused.

#include <gtest/gtest.h>

#include "base/json.h"
#include "localcloud/dynamodb/condition_eval.h"
#include "localcloud/dynamodb/expression_parser.h"
#include "localcloud/dynamodb/projection.h"
#include "localcloud/dynamodb/update_eval.h"

namespace imgproc::localcloud::dynamodb {
namespace {

constexpr char kItem[] = R"({
  "s":{"S":"hello"}, "n":{"N":"10"}, "z":{"N":"0"}, "b":{"B":"AAEC"}, "t":{"BOOL":true}, "nul":{"NULL":true},
  "ss":{"SS":["a","b"]}, "ns":{"NS":["1","2"]}, "e":{"S":""},
  "l":{"L":[{"N":"1"},{"S":"two"},{"L":[{"S":"deep"}]}]},
  "m":{"M":{"x":{"N":"5"},"y":{"M":{"z":{"S":"end"}}},"many":{"L":[{"M":{"k":{"S":"v"}}}]}}}})";

constexpr char kPlaceholders[] = R"({
  "ExpressionAttributeNames":{"#s":"s","#size":"size","#dot":"a.b"},
  "ExpressionAttributeValues":{":s":{"S":"hello"},":he":{"S":"he"},":n":{"N":"10"},":five":{"N":"5"},":one":{"N":"1"},
    ":a":{"S":"a"},":two":{"S":"two"},":S":{"S":"S"},":N":{"S":"N"},":bad":{"S":"X"},":list":{"L":[{"S":"new"}]},
    ":ss":{"SS":["b","c"]},":ns":{"NS":["2","3"]},":t":{"BOOL":true},":b":{"B":"AAE="},":m":{"M":{}},":zero":{"N":"0"},
    ":big":{"N":"9e125"}}})";

AttributeMap item() {
  return *protocol::parse_attribute_map(base::parse_json(kItem)->as_object());
}
Placeholders placeholders() {
  return *Placeholders::read(base::parse_json(kPlaceholders)->as_object());
}

std::string check(std::string_view text) {
  auto names = placeholders();
  auto condition = parse_condition("ConditionExpression", text, names);
  if (!condition) return condition.error().message;
  return evaluate(*condition, item()) ? "true" : "false";
}

TEST(Expression, ConditionsHold) {
  for (const char* text : {"s = :s",
                           "#s = :s",
                           ":s = s",
                           "n = :n",
                           "n <> :five",
                           "gone <> :n",
                           "n > :five",
                           "n >= :n",
                           ":five < n",
                           "n BETWEEN :five AND :n",
                           "n between :one and :n",
                           "s IN (:a, :s)",
                           "attribute_exists(m.y.z)",
                           "attribute_not_exists(m.y.q)",
                           "attribute_exists(l[2][0])",
                           "attribute_not_exists(l[9])",
                           "attribute_type(s, :S)",
                           "attribute_type(n, :N)",
                           "begins_with(s, :he)",
                           "begins_with(b, :b)",
                           "contains(s, :he)",
                           "contains(ss, :a)",
                           "contains(ns, :one)",
                           "contains(l, :two)",
                           "contains(b, :b)",
                           "size(s) = :five",
                           "size(l) < :n",
                           "size(ss) > :one",
                           "size(m.y) = :one",
                           "size(e) = :zero",
                           "t = :t",
                           "m.x = :five",
                           "l[0] = :one",
                           "l[1] = :two",
                           "m.many[0].k <> :a",
                           "NOT n = :five",
                           "not (n = :five)",
                           "n = :five OR s = :s",
                           "n = :n AND s = :s OR n = :five",
                           "n = :five OR n = :n AND s = :s",
                           "NOT n = :five AND s = :s",
                           "(n = :five OR n = :n) AND (s = :s)",
                           "n = n.x OR s = :s",
                           "size(s) = m.x",
                           "size(ss) BETWEEN :one AND size(s)"})
    EXPECT_EQ(check(text), "true") << text;
}

TEST(Expression, ConditionsFail) {
  for (const char* text : {"s = :n",
                           "s <> :s",
                           "gone = :n",
                           "gone < :n",
                           "gone IN (:n)",
                           "s < :n",
                           "n IN (:five)",
                           "n BETWEEN :one AND :five",
                           "attribute_exists(gone)",
                           "attribute_exists(s.x)",
                           "attribute_exists(s[0])",
                           "begins_with(n, :he)",
                           "contains(n, :one)",
                           "contains(gone, :one)",
                           "size(n) = :one",
                           "size(gone) = :one",
                           "n = :five OR s = :a AND n = :n",
                           "NOT (n = :n OR s = :a)",
                           "m.x[0] = :one",
                           "l.x = :one",
                           "attribute_type(gone, :S)"})
    EXPECT_EQ(check(text), "false") << text;
}

TEST(Expression, ConditionsAreRefusedInDynamoDbsWords) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "The expression can not be empty;"},
      {"s = ", "Syntax error; token: \"<EOF>\", near: \"= \""},
      {"s = :s )", "Syntax error; token: \")\", near: \":s )\""},
      {"s == :s", "Syntax error; token: \"=\", near: \"== :s\""},
      {"s $ :s", "Syntax error; token: \"$\", near: \"s $ :s\""},
      {"s", "Syntax error; token: \"<EOF>\", near: \"s\""},
      {"size = :s", "Attribute name is a reserved keyword; reserved keyword: size"},
      {"m.Status = :s", "Attribute name is a reserved keyword; reserved keyword: Status"},
      {"#x = :s",
       "An expression attribute name used in the document path is not defined; attribute name: #x"},
      {"s = :x",
       "An expression attribute value used in expression is not defined; attribute value: :x"},
      {"foo(s, :s)", "Invalid function name; function: foo"},
      {"foo(s) = :s", "Invalid function name; function: foo"},
      {"((s = :s))", "The expression has redundant parentheses;"},
      {"size(s)",
       "The function is not allowed to be used this way in an expression; function: size"},
      {"attribute_exists(s) = :t",
       "The function is not allowed to be used this way in an expression; function: "
       "attribute_exists"},
      {"contains(s)",
       "Incorrect number of operands for operator or function; operator or function: contains, "
       "number of operands: 1"},
      {"attribute_exists(:s)",
       "Operator or function requires a document path; operator or function: attribute_exists"},
      {"begins_with(s, :n)",
       "Incorrect operand type for operator or function; operator or function: begins_with, "
       "operand type: N"},
      {"attribute_type(s, :bad)",
       "Invalid attribute type name found; type: X, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"},
      {"s = s",
       "The first operand must be distinct from the remaining operands for this operator or "
       "function; operator: =, "
       "first operand: [s]"},
      {"s > :t",
       "Incorrect operand type for operator or function; operator: >, operand type: BOOL"},
      {"n BETWEEN :n AND :five",
       "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
       "lower bound operand: "
       "AttributeValue: {N:10}, upper bound operand: AttributeValue: {N:5}"}};
  for (const auto& [text, message] : cases)
    EXPECT_EQ(check(text), "Invalid ConditionExpression: " + message) << text;
  std::string many = "n = :n";
  for (int i = 0; i < 310; ++i) many += " OR n=:n";
  EXPECT_NE(check(many).find("too many operators"), std::string::npos);
  EXPECT_NE(check("s = :s" + std::string(5000, ' ')).find("exceeded the maximum allowed size"),
            std::string::npos);
  EXPECT_NE(
      check(std::string(400, '(') + "s = :s" + std::string(400, ')')).find("nested too deeply"),
      std::string::npos);
}

std::string update(std::string_view text, std::string_view start = kItem) {
  auto names = placeholders();
  auto actions = parse_update(text, names);
  if (!actions) return actions.error().message;
  auto before = *protocol::parse_attribute_map(base::parse_json(start)->as_object());
  auto after = apply_update(before, *actions);
  if (!after) return after.error().message;
  AttributeMap changed;
  for (const auto& [name, value] : *after)
    if (auto old = before.find(name); old == before.end() || !(old->second == value))
      changed.emplace(name, value);
  for (const auto& [name, value] : before)
    if (!after->contains(name)) changed.emplace(name, AttributeValue{});
  return protocol::to_json(changed);
}

TEST(Expression, UpdatesChangeItems) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"SET n = n + :one", R"({"n":{"N":"11"}})"},
      {"SET n = :one - n", R"({"n":{"N":"-9"}})"},
      {"SET fresh = :s", R"({"fresh":{"S":"hello"}})"},
      {"SET #dot = :s", R"({"a.b":{"S":"hello"}})"},
      {"SET fresh = if_not_exists(gone, :five) + :one", R"({"fresh":{"N":"6"}})"},
      {"SET n = if_not_exists(n, :five)", "{}"},
      {"set l = list_append(l, :list)",
       R"({"l":{"L":[{"N":"1"},{"S":"two"},{"L":[{"S":"deep"}]},{"S":"new"}]}})"},
      {"SET l = list_append(:list, l)",
       R"({"l":{"L":[{"S":"new"},{"N":"1"},{"S":"two"},{"L":[{"S":"deep"}]}]}})"},
      {"SET l[0] = :s, l[7] = :two, l[5] = :a",
       R"({"l":{"L":[{"S":"hello"},{"S":"two"},{"L":[{"S":"deep"}]},{"S":"a"},{"S":"two"}]}})"},
      {"SET m.x = m.x + :one",
       R"({"m":{"M":{"many":{"L":[{"M":{"k":{"S":"v"}}}]},"x":{"N":"6"},"y":{"M":{"z":{"S":"end"}}}}}})"},
      {"SET n = z, z = n", R"({"n":{"N":"0"},"z":{"N":"10"}})"},
      {"REMOVE s, l[0], l[1]", R"({"l":{"L":[{"L":[{"S":"deep"}]}]},"s":{"NULL":true}})"},
      {"SET l[9] = :a REMOVE l[0], l[2][0]", R"({"l":{"L":[{"S":"two"},{"L":[]},{"S":"a"}]}})"},
      {"REMOVE gone, l[9]", "{}"},
      {"ADD n :five, ss :ss, fresh :ns",
       R"({"fresh":{"NS":["2","3"]},"n":{"N":"15"},"ss":{"SS":["a","b","c"]}})"},
      {"ADD cnt :one", R"({"cnt":{"N":"1"}})"},
      {"DELETE ss :ss, ns :ns", R"({"ns":{"NS":["1"]},"ss":{"SS":["a"]}})"},
      {"DELETE gone :ss", "{}"},
      {"SET n = :one REMOVE s ADD z :five DELETE ss :ss",
       R"({"n":{"N":"1"},"s":{"NULL":true},"ss":{"SS":["a"]},"z":{"N":"5"}})"},
      {"SET n = (n + :one)", R"({"n":{"N":"11"}})"}};
  for (const auto& [text, expected] : cases) EXPECT_EQ(update(text), expected) << text;
  EXPECT_EQ(update("DELETE ss :ss", R"({"ss":{"SS":["b"]}})"), R"({"ss":{"NULL":true}})");
}

TEST(Expression, UpdatesAreRefusedInDynamoDbsWords) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"SET n = :one SET s = :s",
       "Invalid UpdateExpression: The \"SET\" section can only be used once in an update "
       "expression;"},
      {"SET n", "Invalid UpdateExpression: Syntax error; token: \"<EOF>\", near: \"n\""},
      {"SET m.x = :one, m = :m",
       "Invalid UpdateExpression: Two document paths overlap with each other; must remove or "
       "rewrite one of these "
       "paths; path one: [m, x], path two: [m]"},
      {"SET m.x = :one, m[0] = :one",
       "Invalid UpdateExpression: Two document paths conflict with each other; must remove or "
       "rewrite one of these "
       "paths; path one: [m, x], path two: [m, [0]]"},
      {"ADD s :s",
       "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD, "
       "operand type: STRING"},
      {"SET n = n + :s",
       "Invalid UpdateExpression: Incorrect operand type for operator or function; operator or "
       "function: +, operand "
       "type: S"},
      {"SET n = size(s)",
       "Invalid UpdateExpression: The function is not allowed in an update expression; function: "
       "size"},
      {"SET size = :n",
       "Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: size"},
      {"SET n = gone",
       "The provided expression refers to an attribute that does not exist in the item"},
      {"SET n = s + :one", "An operand in the update expression has an incorrect data type"},
      {"ADD s :one", "An operand in the update expression has an incorrect data type"},
      {"SET gone.x = :one",
       "The document path provided in the update expression is invalid for update"},
      {"SET s.x = :one",
       "The document path provided in the update expression is invalid for update"},
      {"ADD n :big", "Attempting to store more than 38 significant digits in a Number"}};
  for (const auto& [text, message] : cases) EXPECT_EQ(update(text), message) << text;
}

TEST(Expression, UpdatesMayNotNestTooDeep) {
  std::string open = R"({"M":{"x":)";
  std::string deep = R"({"S":"end"})";
  for (int i = 0; i < 31; ++i) deep = open + deep + "}}";
  auto names = *Placeholders::read(
      base::parse_json(R"({"ExpressionAttributeValues":{":v":)" + deep + "}}")->as_object());
  auto flat = *protocol::parse_attribute_map(
      base::parse_json(R"({"a":{"M":{"b":{"M":{}}}}})")->as_object());
  auto once = parse_update("SET a.c = :v", names);
  EXPECT_TRUE(apply_update(flat, *once));
  auto deeper = parse_update("SET a.b.c = :v", names);
  EXPECT_EQ(apply_update(flat, *deeper).error().message.substr(0, 46),
            "Nesting Levels have exceeded supported limits:");
}

std::string project(std::string_view text) {
  auto names = placeholders();
  auto paths = parse_projection(text, names);
  if (!paths) return paths.error().message;
  return protocol::to_json(Projection(*paths).apply(item()));
}

TEST(Expression, Projections) {
  EXPECT_EQ(project("s, gone"), R"({"s":{"S":"hello"}})");
  EXPECT_EQ(project("m.x, m.many[0].k"),
            R"({"m":{"M":{"many":{"L":[{"M":{"k":{"S":"v"}}}]},"x":{"N":"5"}}}})");
  EXPECT_EQ(project("l[2], l[0]"), R"({"l":{"L":[{"N":"1"},{"L":[{"S":"deep"}]}]}})");
  EXPECT_EQ(project("l[2][0]"), R"({"l":{"L":[{"L":[{"S":"deep"}]}]}})");
  EXPECT_EQ(project("m.no_such, s.x, l[9]"), "{}");
  EXPECT_TRUE(
      project("m, m.x").starts_with("Invalid ProjectionExpression: Two document paths overlap"));
  EXPECT_TRUE(project("m,").starts_with("Invalid ProjectionExpression: Syntax error"));
}

TEST(Expression, UnusedPlaceholdersAreNamed) {
  auto read = [](std::string_view text) {
    return *Placeholders::read(base::parse_json(text)->as_object());
  };
  auto names = read(R"({"ExpressionAttributeValues":{":x":{"S":"a"},":keys":{"S":"b"}}})");
  ASSERT_TRUE(parse_condition("ConditionExpression", "s = :x", names));
  EXPECT_EQ(names.check_all_used().error().message,
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:keys}");
  auto unused = read(R"({"ExpressionAttributeNames":{"#b":"b","#a":"a"}})");
  EXPECT_EQ(unused.check_all_used().error().message,
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a, #b}");
  auto bad = Placeholders::read(
      base::parse_json(R"({"ExpressionAttributeNames":{"x":"b"}})")->as_object());
  EXPECT_EQ(bad.error().message,
            "ExpressionAttributeNames contains invalid key: Syntax error; key: \"x\"");
}

TEST(Expression, ReservedWords) {
  EXPECT_TRUE(is_reserved_word("status"));
  EXPECT_TRUE(is_reserved_word("Zone"));
  EXPECT_TRUE(is_reserved_word("ABORT"));
  EXPECT_FALSE(is_reserved_word("path_"));
  EXPECT_FALSE(is_reserved_word("sequencer"));
}

}  // namespace
}  // namespace imgproc::localcloud::dynamodb
