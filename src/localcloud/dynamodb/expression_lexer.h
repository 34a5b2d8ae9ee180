#pragma once
// Cuts an expression into words. Borrows the text.

#include <string_view>
#include <vector>

#include "base/error.h"

namespace imgproc::localcloud::dynamodb {

struct Token {
  enum class Kind {
    end,
    /// A bare name: attribute, function or keyword (keywords are told by the parser, in any case).
    name,
    /// #name and :value, mark included.
    name_placeholder,
    value_placeholder,
    /// Digits only, as in [3].
    integer,
    /// One of ( ) [ ] , . + - = <> < <= > >=
    symbol,
  };
  Kind kind = Kind::end;
  std::string_view text;
  /// Byte offset in the expression.
  std::size_t at = 0;
};

/// The tokens of `expression`, closed by one of kind end. Error ValidationException: `Syntax error;
/// token: "…", near: "…"` at a character that belongs to no token.
[[nodiscard]] base::Result<std::vector<Token>> tokenize(std::string_view expression);

/// DynamoDB's message for a syntax error at tokens[at].
[[nodiscard]] std::string syntax_error(std::string_view expression,
                                       const std::vector<Token>& tokens, std::size_t at);

}  // namespace imgproc::localcloud::dynamodb
