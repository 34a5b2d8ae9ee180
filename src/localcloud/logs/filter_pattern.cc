#include "localcloud/logs/filter_pattern.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "base/bytes.h"
#include "base/wildcard.h"

namespace imgproc::localcloud::logs {

namespace json = base::json;

struct FilterPattern::Node {
  enum class Kind { all, any, compare, is_null, is_true, is_false, exists, not_exists };
  enum class Operator { equal, not_equal, less, less_equal, greater, greater_equal };
  Kind kind = Kind::all;
  std::vector<std::unique_ptr<Node>> children;
  /// Member names and array indexes from the root.
  std::vector<std::variant<std::string, std::size_t>> path;
  Operator op = Operator::equal;
  std::string text;
  std::optional<double> number;

  [[nodiscard]] bool matches(const json::value& root) const;
};

FilterPattern::FilterPattern() = default;
FilterPattern::~FilterPattern() = default;
FilterPattern::FilterPattern(FilterPattern&&) noexcept = default;
FilterPattern& FilterPattern::operator=(FilterPattern&&) noexcept = default;

namespace {

using Node = FilterPattern::Node;

std::unexpected<base::Error> invalid(std::string message) {
  base::Error error{"InvalidParameterException", "filterPattern: " + std::move(message)};
  error.http_status = 400;
  return std::unexpected(std::move(error));
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '@' || c == '/' || c == ':' || static_cast<unsigned char>(c) >= 0x80;
}

std::optional<double> to_number(std::string_view text) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Reads `{ … }` by recursive descent: any := all ("||" all)*, all := one ("&&" one)*.
class JsonParser {
 public:
  explicit JsonParser(std::string_view text) : rest_(text) {}

  base::Result<std::unique_ptr<Node>> parse() {
    if (!take("{")) return invalid("a JSON pattern starts with {");
    IMGPROC_TRY(auto node, parse_any(0));
    if (!take("}")) return invalid(fmt::format("expected }} at `{}`", rest_));
    skip_space();
    if (!rest_.empty()) return invalid(fmt::format("unexpected `{}` after the pattern", rest_));
    return node;
  }

 private:
  void skip_space() {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
  }
  bool take(std::string_view word) {
    skip_space();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  bool take_word(std::string_view word) {
    skip_space();
    if (rest_.size() < word.size() ||
        !base::equals_ignoring_case(rest_.substr(0, word.size()), word))
      return false;
    if (rest_.size() > word.size() && is_name(rest_[word.size()])) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  base::Result<std::unique_ptr<Node>> parse_any(int depth) {
    return parse_list(Node::Kind::any, "||", depth);
  }
  base::Result<std::unique_ptr<Node>> parse_list(Node::Kind kind, std::string_view separator,
                                                 int depth) {
    auto list = std::make_unique<Node>();
    list->kind = kind;
    do {
      IMGPROC_TRY(auto child, kind == Node::Kind::any ? parse_list(Node::Kind::all, "&&", depth)
                                                      : parse_one(depth));
      list->children.push_back(std::move(child));
    } while (take(separator));
    return list;
  }
  base::Result<std::unique_ptr<Node>> parse_one(int depth) {
    if (take("(")) {
      if (depth >= kPatternDepthMax) return invalid("too many parentheses");
      IMGPROC_TRY(auto inner, parse_any(depth + 1));
      if (!take(")")) return invalid(fmt::format("expected ) at `{}`", rest_));
      return inner;
    }
    auto node = std::make_unique<Node>();
    IMGPROC_CHECK(parse_selector(*node));
    if (take_word("IS")) {
      if (take_word("NULL")) {
        node->kind = Node::Kind::is_null;
      } else if (take_word("TRUE")) {
        node->kind = Node::Kind::is_true;
      } else if (take_word("FALSE")) {
        node->kind = Node::Kind::is_false;
      } else {
        return invalid("expected NULL, TRUE or FALSE after IS");
      }
      return node;
    }
    if (take_word("NOT")) {
      if (!take_word("EXISTS")) return invalid("expected EXISTS after NOT");
      node->kind = Node::Kind::not_exists;
      return node;
    }
    if (take_word("EXISTS")) {
      node->kind = Node::Kind::exists;
      return node;
    }
    node->kind = Node::Kind::compare;
    using Operator = Node::Operator;
    constexpr std::pair<std::string_view, Operator> kOperators[] = {
        {"!=", Operator::not_equal}, {"<=", Operator::less_equal}, {">=", Operator::greater_equal},
        {"=", Operator::equal},      {"<", Operator::less},        {">", Operator::greater}};
    bool found = false;
    for (const auto& [word, op] : kOperators) {
      if (!take(word)) continue;
      node->op = op;
      found = true;
      break;
    }
    if (!found) return invalid(fmt::format("expected an operator at `{}`", rest_));
    IMGPROC_CHECK(parse_value(*node));
    bool ordered = node->op != Operator::equal && node->op != Operator::not_equal;
    if (ordered && !node->number) return invalid("< <= > >= compare numbers");
    return node;
  }
  base::Status parse_selector(Node& node) {
    if (!take("$")) return invalid(fmt::format("expected a selector like $.level at `{}`", rest_));
    for (;;) {
      if (rest_.starts_with(".")) {
        rest_.remove_prefix(1);
        std::size_t length = 0;
        while (length < rest_.size() && is_name(rest_[length])) ++length;
        if (length == 0) return invalid("a selector's . needs a name behind it");
        node.path.emplace_back(std::string(rest_.substr(0, length)));
        rest_.remove_prefix(length);
      } else if (rest_.starts_with("[")) {
        std::size_t close = rest_.find(']');
        auto index = close == std::string_view::npos
                         ? std::nullopt
                         : base::parse_unsigned(rest_.substr(1, close - 1));
        if (!index) return invalid("[ ] of a selector needs a number");
        node.path.emplace_back(static_cast<std::size_t>(*index));
        rest_.remove_prefix(close + 1);
      } else {
        return {};
      }
    }
  }
  base::Status parse_value(Node& node) {
    skip_space();
    if (rest_.starts_with("\"")) {
      rest_.remove_prefix(1);
      for (;;) {
        if (rest_.empty()) return invalid("a quoted value has no end");
        char c = rest_.front();
        rest_.remove_prefix(1);
        if (c == '"') return {};
        if (c == '\\' && !rest_.empty()) {
          c = rest_.front();
          rest_.remove_prefix(1);
        }
        node.text += c;
      }
    }
    std::size_t length = 0;
    while (length < rest_.size() && !is_space(rest_[length]) &&
           std::string_view("&|(){}\"").find(rest_[length]) == std::string_view::npos)
      ++length;
    if (length == 0) return invalid(fmt::format("expected a value at `{}`", rest_));
    if (rest_.front() == '%') return invalid("regular expressions are not supported");
    node.text = rest_.substr(0, length);
    node.number = to_number(node.text);
    rest_.remove_prefix(length);
    return {};
  }

  std::string_view rest_;
};

const json::value* select(const json::value& root,
                          const std::vector<std::variant<std::string, std::size_t>>& path) {
  const json::value* at = &root;
  for (const auto& step : path) {
    if (const auto* name = std::get_if<std::string>(&step)) {
      const auto* object = at->if_object();
      at = object == nullptr ? nullptr : object->if_contains(*name);
    } else {
      const auto* array = at->if_array();
      std::size_t index = std::get<std::size_t>(step);
      at = array == nullptr || index >= array->size() ? nullptr : &(*array)[index];
    }
    if (at == nullptr) return nullptr;
  }
  return at;
}

bool equals(const json::value& value, const Node& node) {
  if (const auto* text = value.if_string())
    return base::matches_wildcard(node.text, std::string_view(text->data(), text->size()));
  if (value.is_number() && node.number) return value.to_number<double>() == *node.number;
  if (value.is_bool()) return node.text == (value.get_bool() ? "true" : "false");
  return false;
}

}  // namespace

bool FilterPattern::Node::matches(const json::value& root) const {
  if (kind == Kind::all) {
    for (const auto& child : children)
      if (!child->matches(root)) return false;
    return true;
  }
  if (kind == Kind::any) {
    for (const auto& child : children)
      if (child->matches(root)) return true;
    return false;
  }
  const json::value* value = select(root, path);
  switch (kind) {
    case Kind::exists:
      return value != nullptr;
    case Kind::not_exists:
      return value == nullptr;
    case Kind::is_null:
      return value != nullptr && value->is_null();
    case Kind::is_true:
      return value != nullptr && value->is_bool() && value->get_bool();
    case Kind::is_false:
      return value != nullptr && value->is_bool() && !value->get_bool();
    default:
      break;
  }
  if (value == nullptr) return false;
  if (op == Operator::equal) return equals(*value, *this);
  if (op == Operator::not_equal) return !equals(*value, *this);
  if (!value->is_number() || !number) return false;
  double left = value->to_number<double>();
  switch (op) {
    case Operator::less:
      return left < *number;
    case Operator::less_equal:
      return left <= *number;
    case Operator::greater:
      return left > *number;
    case Operator::greater_equal:
      return left >= *number;
    default:
      return false;
  }
}

base::Result<FilterPattern> FilterPattern::parse(std::string_view text) {
  if (text.size() > kPatternBytesMax)
    return invalid(fmt::format("longer than {} characters", kPatternBytesMax));
  FilterPattern pattern;
  std::string_view rest = text;
  while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
  if (rest.starts_with("{")) {
    IMGPROC_TRY(pattern.json_, JsonParser(rest).parse());
    return pattern;
  }
  if (rest.starts_with("[")) return invalid("space-delimited patterns [a, b, …] are not supported");
  while (!rest.empty()) {
    std::vector<std::string>* into = &pattern.all_;
    if (rest.front() == '-' || rest.front() == '?') {
      into = rest.front() == '-' ? &pattern.none_ : &pattern.any_;
      rest.remove_prefix(1);
    }
    std::string term;
    if (rest.starts_with("%")) return invalid("regular expressions are not supported");
    if (rest.starts_with("\"")) {
      rest.remove_prefix(1);
      for (;;) {
        if (rest.empty()) return invalid("a quoted phrase has no end");
        char c = rest.front();
        rest.remove_prefix(1);
        if (c == '"') break;
        if (c == '\\' && !rest.empty()) {
          c = rest.front();
          rest.remove_prefix(1);
        }
        term += c;
      }
    } else {
      std::size_t length = 0;
      while (length < rest.size() && !is_space(rest[length])) ++length;
      term = rest.substr(0, length);
      rest.remove_prefix(length);
    }
    if (term.empty()) return invalid("- and ? need a term behind them");
    into->push_back(std::move(term));
    while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
  }
  // As AWS does: ? counts only among its own kind.
  if (!pattern.all_.empty() || !pattern.none_.empty()) pattern.any_.clear();
  return pattern;
}

bool FilterPattern::matches(std::string_view message) const {
  if (json_) {
    std::string_view text = base::trim(message);
    if (!text.starts_with("{")) return false;
    auto document = base::parse_json(text);
    return document && json_->matches(*document);
  }
  auto occurs = [&](const std::string& term) {
    return message.find(term) != std::string_view::npos;
  };
  for (const std::string& term : all_)
    if (!occurs(term)) return false;
  for (const std::string& term : none_)
    if (occurs(term)) return false;
  if (any_.empty()) return true;
  for (const std::string& term : any_)
    if (occurs(term)) return true;
  return false;
}

}  // namespace imgproc::localcloud::logs
