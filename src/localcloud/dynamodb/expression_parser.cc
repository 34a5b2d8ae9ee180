#include "localcloud/dynamodb/expression_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "base/bytes.h"
#include "localcloud/dynamodb/errors.h"
#include "localcloud/dynamodb/expression_checks.h"
#include "localcloud/dynamodb/expression_lexer.h"

namespace imgproc::localcloud::dynamodb {
namespace {

using Kind = Token::Kind;

/// A failed rule; the message is kept in the parser.
struct Failed {};
template <class T>
using Parsed = std::expected<T, Failed>;

struct Comparator {
  std::string_view text;
  Condition::Kind kind;
};
constexpr Comparator kComparators[] = {
    {"=", Condition::Kind::equal},   {"<>", Condition::Kind::not_equal},
    {"<", Condition::Kind::less},    {"<=", Condition::Kind::less_equal},
    {">", Condition::Kind::greater}, {">=", Condition::Kind::greater_equal}};

struct Function {
  std::string_view name;
  Condition::Kind kind;
};
constexpr Function kConditionFunctions[] = {
    {"attribute_exists", Condition::Kind::attribute_exists},
    {"attribute_not_exists", Condition::Kind::attribute_not_exists},
    {"attribute_type", Condition::Kind::attribute_type},
    {"begins_with", Condition::Kind::begins_with},
    {"contains", Condition::Kind::contains}};

bool is_condition_function(std::string_view name) {
  return name == "size" ||
         std::any_of(std::begin(kConditionFunctions), std::end(kConditionFunctions),
                     [&](const Function& function) { return function.name == name; });
}

class Parser {
 public:
  Parser(std::string_view kind, std::string_view text, Placeholders& placeholders)
      : kind_(kind), text_(text), placeholders_(placeholders) {}

  /// Runs `rule` over the whole text and answers its result or the first error by rank.
  template <class T, class Rule>
  base::Result<T> run(Rule rule) {
    if (text_.empty()) return error("The expression can not be empty;");
    if (text_.size() > kExpressionBytesMax)
      return error(
          fmt::format("Expression size has exceeded the maximum allowed size; expression size: {}",
                      text_.size()));
    auto tokens = tokenize(text_);
    if (!tokens) return error(tokens.error().message);
    tokens_ = *std::move(tokens);
    Parsed<T> result = rule();
    if (result && peek().kind != Kind::end) result = std::unexpected(fail_syntax());
    if (!result) return error(failure_);
    if (const auto* message = checks_.first_error()) return error(*message);
    return *std::move(result);
  }

  Parsed<Condition> condition() {
    return chain("OR", Condition::Kind::any_of, &Parser::conjunction);
  }

  Parsed<std::vector<UpdateAction>> update() {
    std::vector<UpdateAction> actions;
    std::set<UpdateAction::Kind> sections;
    do {
      UpdateAction::Kind kind{};
      std::string_view word;
      if (take_keyword("SET")) {
        kind = UpdateAction::Kind::set, word = "SET";
      } else if (take_keyword("REMOVE")) {
        kind = UpdateAction::Kind::remove, word = "REMOVE";
      } else if (take_keyword("ADD")) {
        kind = UpdateAction::Kind::add, word = "ADD";
      } else if (take_keyword("DELETE")) {
        kind = UpdateAction::Kind::remove_elements, word = "DELETE";
      } else {
        return std::unexpected(fail_syntax());
      }
      if (!sections.insert(kind).second)
        checks_.add(
            Rank::section,
            fmt::format("The \"{}\" section can only be used once in an update expression;", word));
      do {
        IMGPROC_TRY(UpdateAction action, update_action(kind, word));
        actions.push_back(std::move(action));
      } while (take_symbol(","));
    } while (peek().kind != Kind::end);
    for (const auto& action : actions) paths_.push_back(action.path);
    checks_.distinct_paths(paths_);
    return actions;
  }

  Parsed<std::vector<Path>> projection() {
    do {
      IMGPROC_TRY(Path next, path());
      paths_.push_back(std::move(next));
    } while (take_symbol(","));
    checks_.distinct_paths(paths_);
    return paths_;
  }

 private:
  const Token& peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  bool is_symbol(std::string_view text, std::size_t ahead = 0) const {
    return peek(ahead).kind == Kind::symbol && peek(ahead).text == text;
  }
  bool take_symbol(std::string_view text) {
    if (!is_symbol(text)) return false;
    ++at_;
    return true;
  }
  bool is_keyword(std::string_view word) const {
    return peek().kind == Kind::name && base::equals_ignoring_case(peek().text, word);
  }
  bool take_keyword(std::string_view word) {
    if (!is_keyword(word)) return false;
    ++at_;
    return true;
  }
  Failed fail(std::string message) {
    if (failure_.empty()) failure_ = std::move(message);
    return {};
  }
  Failed fail_syntax() { return fail(syntax_error(text_, tokens_, at_)); }
  std::unexpected<base::Error> error(std::string_view message) const {
    return invalid(fmt::format("Invalid {}: {}", kind_, message));
  }
  Parsed<void> count_operator() {
    if (++operators_ <= kOperatorsMax) return {};
    return std::unexpected(fail(fmt::format(
        "The expression contains too many operators; maximum operator count: {}", kOperatorsMax)));
  }

  Parsed<Condition> conjunction() {
    return chain("AND", Condition::Kind::all_of, &Parser::negation);
  }

  /// One or more of `part` with `keyword` between them; one alone stands for itself.
  Parsed<Condition> chain(std::string_view keyword, Condition::Kind kind,
                          Parsed<Condition> (Parser::*part)()) {
    IMGPROC_TRY(Condition first, (this->*part)());
    if (!is_keyword(keyword)) return first;
    Condition chained{.kind = kind};
    chained.conditions.push_back(std::move(first));
    while (take_keyword(keyword)) {
      IMGPROC_CHECK(count_operator());
      IMGPROC_TRY(Condition next, (this->*part)());
      chained.conditions.push_back(std::move(next));
    }
    return chained;
  }

  Parsed<Condition> negation() {
    if (!is_keyword("NOT")) return primary();
    Depth depth(*this);
    if (!depth.ok()) return std::unexpected(depth.failure());
    ++at_;
    IMGPROC_CHECK(count_operator());
    IMGPROC_TRY(Condition inner, negation());
    Condition result{.kind = Condition::Kind::negation};
    result.conditions.push_back(std::move(inner));
    return result;
  }

  Parsed<Condition> primary() {
    if (is_symbol("(")) {
      Depth depth(*this);
      if (!depth.ok()) return std::unexpected(depth.failure());
      std::size_t opened = at_++;
      bool doubled = is_symbol("(");
      IMGPROC_TRY(Condition inner, condition());
      // ((…)): the inner pair closed right before this one.
      if (doubled && last_group_ == opened + 1 && at_ == last_group_end_)
        checks_.add(Rank::parentheses, "The expression has redundant parentheses;");
      if (!take_symbol(")")) return std::unexpected(fail_syntax());
      last_group_ = opened;
      last_group_end_ = at_;
      return inner;
    }
    if (peek().kind == Kind::name && is_symbol("(", 1) && peek().text != "size") {
      for (const auto& function : kConditionFunctions)
        if (function.name == peek().text) return condition_function(function);
    }
    return comparison();
  }

  Parsed<Condition> condition_function(const Function& function) {
    IMGPROC_CHECK(count_operator());
    at_ += 2;
    Condition result{.kind = function.kind};
    IMGPROC_TRY(result.operands, arguments());
    // A function is a condition, not a value that could be compared.
    if (peek().kind == Kind::symbol && !is_symbol(")") && !is_symbol(",")) {
      for (const auto& comparator : kComparators)
        if (is_symbol(comparator.text)) {
          ++at_;
          IMGPROC_TRY(Operand ignored, operand());
          checks_.misused_function(function.name);
        }
    }
    checks_.condition_function(function.name, result);
    return result;
  }

  Parsed<Condition> comparison() {
    IMGPROC_TRY(Operand left, operand());
    Condition result;
    if (take_keyword("BETWEEN")) {
      result.kind = Condition::Kind::between;
      IMGPROC_TRY(Operand low, operand());
      if (!take_keyword("AND")) return std::unexpected(fail_syntax());
      IMGPROC_TRY(Operand high, operand());
      result.operands = {std::move(left), std::move(low), std::move(high)};
      checks_.comparison("BETWEEN", result);
    } else if (take_keyword("IN")) {
      result.kind = Condition::Kind::in;
      result.operands.push_back(std::move(left));
      if (!take_symbol("(")) return std::unexpected(fail_syntax());
      IMGPROC_TRY(std::vector<Operand> choices, arguments());
      for (auto& choice : choices) result.operands.push_back(std::move(choice));
      checks_.comparison("IN", result);
    } else {
      const Comparator* used = nullptr;
      for (const auto& comparator : kComparators)
        if (is_symbol(comparator.text)) used = &comparator;
      if (used == nullptr) {
        // size(a) alone is a value, not a condition.
        bool may_stop =
            peek().kind == Kind::end || is_symbol(")") || is_keyword("AND") || is_keyword("OR");
        if (left.kind == Operand::Kind::path || left.kind == Operand::Kind::value || !may_stop)
          return std::unexpected(fail_syntax());
        checks_.misused_function("size");
        return result;
      }
      ++at_;
      result.kind = used->kind;
      IMGPROC_TRY(Operand right, operand());
      result.operands = {std::move(left), std::move(right)};
      checks_.comparison(used->text, result);
    }
    IMGPROC_CHECK(count_operator());
    return result;
  }

  /// The operands up to and with the closing parenthesis; the opening one is taken.
  Parsed<std::vector<Operand>> arguments() {
    std::vector<Operand> operands;
    do {
      IMGPROC_TRY(Operand next, operand());
      operands.push_back(std::move(next));
    } while (take_symbol(","));
    if (!take_symbol(")")) return std::unexpected(fail_syntax());
    return operands;
  }

  Parsed<Operand> operand() {
    if (peek().kind == Kind::value_placeholder) {
      std::string placeholder(peek().text);
      ++at_;
      Operand result{.kind = Operand::Kind::value};
      if (const auto* value = placeholders_.value(placeholder)) {
        result.value = *value;
      } else {
        checks_.add(
            Rank::placeholder,
            fmt::format(
                "An expression attribute value used in expression is not defined; attribute "
                "value: {}",
                placeholder));
      }
      return result;
    }
    if (peek().kind == Kind::name && is_symbol("(", 1)) return function_operand();
    Operand result{.kind = Operand::Kind::path};
    IMGPROC_TRY(result.path, path());
    return result;
  }

  Parsed<Operand> function_operand() {
    Depth depth(*this);
    if (!depth.ok()) return std::unexpected(depth.failure());
    std::string name(peek().text);
    at_ += 2;
    IMGPROC_CHECK(count_operator());
    Operand result{.kind = Operand::Kind::size};
    IMGPROC_TRY(result.arguments, arguments());
    if (kind_ == "UpdateExpression") {
      if (name == "if_not_exists") {
        result.kind = Operand::Kind::if_not_exists;
      } else if (name == "list_append") {
        result.kind = Operand::Kind::list_append;
      } else {
        checks_.add(Rank::unknown_function,
                    fmt::format("{}; function: {}",
                                is_condition_function(name)
                                    ? "The function is not allowed in an update expression"
                                    : "Invalid function name",
                                name));
      }
    } else if (name != "size") {
      if (is_condition_function(name)) {
        checks_.misused_function(name);
      } else {
        checks_.add(Rank::unknown_function,
                    fmt::format("Invalid function name; function: {}", name));
      }
    }
    checks_.operand_function(name, result);
    return result;
  }

  Parsed<Path> path() {
    Path result;
    do {
      const Token& token = peek();
      if (token.kind == Kind::name_placeholder) {
        if (const auto* name = placeholders_.name(std::string(token.text))) {
          result.emplace_back(*name);
        } else {
          checks_.add(
              Rank::placeholder,
              fmt::format("An expression attribute name used in the document path is not defined; "
                          "attribute name: {}",
                          token.text));
          result.emplace_back(std::string(token.text));
        }
      } else if (token.kind == Kind::name) {
        if (is_reserved_word(token.text))
          checks_.add(Rank::reserved,
                      fmt::format("Attribute name is a reserved keyword; reserved keyword: {}",
                                  token.text));
        result.emplace_back(std::string(token.text));
      } else {
        return std::unexpected(fail_syntax());
      }
      ++at_;
      while (take_symbol("[")) {
        const Token& number = peek();
        std::size_t position = 0;
        if (number.kind != Kind::integer) return std::unexpected(fail_syntax());
        auto [end, code] =
            std::from_chars(number.text.data(), number.text.data() + number.text.size(), position);
        if (code != std::errc{} || position > kListIndexMax)
          return std::unexpected(fail(fmt::format(
              "List index is not within the allowable range; index: [{}]", number.text)));
        ++at_;
        if (!take_symbol("]")) return std::unexpected(fail_syntax());
        result.emplace_back(position);
      }
    } while (take_symbol("."));
    if (result.size() > kAttributePathMax)
      return std::unexpected(fail(fmt::format(
          "The document path has too many nesting elements; nesting level: {}", result.size())));
    return result;
  }

  Parsed<UpdateAction> update_action(UpdateAction::Kind kind, std::string_view word) {
    UpdateAction action{.kind = kind};
    IMGPROC_TRY(action.path, path());
    if (kind == UpdateAction::Kind::remove) return action;
    if (kind != UpdateAction::Kind::set) {
      if (peek().kind != Kind::value_placeholder) return std::unexpected(fail_syntax());
      IMGPROC_TRY(action.operand, operand());
      checks_.set_action(word, action.operand);
      return action;
    }
    if (!take_symbol("=")) return std::unexpected(fail_syntax());
    IMGPROC_TRY(action.operand, update_operand());
    if (is_symbol("+") || is_symbol("-")) {
      std::string_view sign = peek().text;
      ++at_;
      IMGPROC_CHECK(count_operator());
      IMGPROC_TRY(Operand right, update_operand());
      Operand sum{.kind = sign == "+" ? Operand::Kind::plus : Operand::Kind::minus};
      sum.arguments = {std::move(action.operand), std::move(right)};
      checks_.operand_function(sign, sum);
      action.operand = std::move(sum);
    }
    return action;
  }

  /// An operand of SET, which may stand in parentheses: SET a = (b + :one).
  Parsed<Operand> update_operand() {
    if (!is_symbol("(")) return operand();
    Depth depth(*this);
    if (!depth.ok()) return std::unexpected(depth.failure());
    ++at_;
    IMGPROC_TRY(Operand left, update_operand());
    if (is_symbol("+") || is_symbol("-")) {
      std::string_view sign = peek().text;
      ++at_;
      IMGPROC_CHECK(count_operator());
      IMGPROC_TRY(Operand right, update_operand());
      Operand sum{.kind = sign == "+" ? Operand::Kind::plus : Operand::Kind::minus};
      sum.arguments = {std::move(left), std::move(right)};
      checks_.operand_function(sign, sum);
      left = std::move(sum);
    }
    if (!take_symbol(")")) return std::unexpected(fail_syntax());
    return left;
  }

  static constexpr std::size_t kListIndexMax = 1'000'000;
  /// 32 levels below the attribute itself.
  static constexpr std::size_t kAttributePathMax = 32;

  /// Counts the nesting while it lives.
  class Depth {
   public:
    explicit Depth(Parser& parser) : parser_(parser) { ++parser_.depth_; }
    ~Depth() { --parser_.depth_; }
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;
    [[nodiscard]] bool ok() const { return parser_.depth_ <= kExpressionDepthMax; }
    Failed failure() {
      return parser_.fail(fmt::format("The expression is nested too deeply; maximum depth: {}",
                                      kExpressionDepthMax));
    }

   private:
    Parser& parser_;
  };

  std::string_view kind_;
  std::string_view text_;
  Placeholders& placeholders_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
  int operators_ = 0;
  std::string failure_;
  ExpressionChecks checks_;
  std::vector<Path> paths_;
  /// Where the last closed group began, and the token after its end.
  std::size_t last_group_ = 0;
  std::size_t last_group_end_ = 0;
};

}  // namespace

base::Result<Condition> parse_condition(std::string_view kind, std::string_view text,
                                        Placeholders& placeholders) {
  Parser parser(kind, text, placeholders);
  return parser.run<Condition>([&] { return parser.condition(); });
}

base::Result<std::vector<UpdateAction>> parse_update(std::string_view text,
                                                     Placeholders& placeholders) {
  Parser parser("UpdateExpression", text, placeholders);
  return parser.run<std::vector<UpdateAction>>([&] { return parser.update(); });
}

base::Result<std::vector<Path>> parse_projection(std::string_view text,
                                                 Placeholders& placeholders) {
  Parser parser("ProjectionExpression", text, placeholders);
  return parser.run<std::vector<Path>>([&] { return parser.projection(); });
}

}  // namespace imgproc::localcloud::dynamodb
