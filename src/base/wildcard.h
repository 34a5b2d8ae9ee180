#pragma once
#include <string_view>

namespace imgproc::base {

/// What stands for other text in a pattern, beside `*`, which is any run of characters.
struct WildcardRules {
  /// `?` is any one character.
  bool question_mark = false;
  /// A backslash takes the meaning off the character behind it.
  bool backslash = false;
  /// ASCII letters are alike in both cases.
  bool ignore_case = false;
};

/// True if the pattern fits the whole text. At most the product of both lengths in time; no
/// allocation.
[[nodiscard]] bool matches_wildcard(std::string_view pattern, std::string_view text,
                                    WildcardRules rules = {});

}  // namespace imgproc::base
