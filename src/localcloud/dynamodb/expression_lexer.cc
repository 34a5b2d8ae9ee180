#include "localcloud/dynamodb/expression_lexer.h"

#include <fmt/format.h>

#include <algorithm>

#include "localcloud/dynamodb/errors.h"

namespace imgproc::localcloud::dynamodb {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
}

/// Length of the symbol at the start of `rest`, 0 if there is none.
std::size_t symbol_length(std::string_view rest) {
  if (rest.starts_with("<>") || rest.starts_with("<=") || rest.starts_with(">=")) return 2;
  return std::string_view("()[],.+-=<>").find(rest[0]) == std::string_view::npos ? 0 : 1;
}

}  // namespace

base::Result<std::vector<Token>> tokenize(std::string_view expression) {
  std::vector<Token> tokens;
  std::size_t at = 0;
  auto word_end = [&](std::size_t from) {
    while (from < expression.size() && is_word(expression[from])) ++from;
    return from;
  };
  while (at < expression.size()) {
    char c = expression[at];
    if (is_space(c)) {
      ++at;
      continue;
    }
    std::size_t end = at;
    Token::Kind kind = Token::Kind::symbol;
    if (c == '#' || c == ':') {
      end = word_end(at + 1);
      kind = c == '#' ? Token::Kind::name_placeholder : Token::Kind::value_placeholder;
      if (end == at + 1) end = at;
    } else if (is_digit(c)) {
      end = word_end(at);
      kind = Token::Kind::integer;
      if (!std::all_of(expression.begin() + at, expression.begin() + end, is_digit)) end = at;
    } else if (is_word(c)) {
      end = word_end(at);
      kind = Token::Kind::name;
    } else {
      end = at + symbol_length(expression.substr(at));
    }
    if (end == at) {
      // Bytes beyond ASCII stay together, so that the message is valid UTF-8.
      end = at + 1;
      while (end < expression.size() &&
             (static_cast<unsigned char>(expression[end]) & 0xC0) == 0x80)
        ++end;
      tokens.push_back({Token::Kind::symbol, expression.substr(at, end - at), at});
      std::size_t bad = tokens.size() - 1;
      tokens.push_back({Token::Kind::end, "<EOF>", expression.size()});
      return invalid(syntax_error(expression, tokens, bad));
    }
    tokens.push_back({kind, expression.substr(at, end - at), at});
    at = end;
  }
  tokens.push_back({Token::Kind::end, "<EOF>", expression.size()});
  return tokens;
}

std::string syntax_error(std::string_view expression, const std::vector<Token>& tokens,
                         std::size_t at) {
  // "near" runs from the token before to the token after.
  std::size_t first = tokens[at == 0 ? 0 : at - 1].at;
  const Token& last = tokens[std::min(at + 1, tokens.size() - 1)];
  std::size_t end = last.kind == Token::Kind::end ? expression.size() : last.at + last.text.size();
  return fmt::format("Syntax error; token: \"{}\", near: \"{}\"", tokens[at].text,
                     expression.substr(first, end - first));
}

}  // namespace imgproc::localcloud::dynamodb
