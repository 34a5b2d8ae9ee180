#include "base/wildcard.h"

#include "base/bytes.h"

namespace imgproc::base {
namespace {

/// One element of a pattern.
struct Element {
  enum class Kind { end, star, any, literal } kind;
  char literal = 0;
  std::size_t length = 1;
};

Element element_at(std::string_view pattern, std::size_t at, const WildcardRules& rules) {
  if (at == pattern.size()) return {Element::Kind::end};
  char c = pattern[at];
  if (c == '*') return {Element::Kind::star};
  if (c == '?' && rules.question_mark) return {Element::Kind::any};
  if (c == '\\' && rules.backslash && at + 1 < pattern.size())
    return {Element::Kind::literal, pattern[at + 1], 2};
  return {Element::Kind::literal, c};
}

bool fits(const Element& element, char c, const WildcardRules& rules) {
  if (element.kind == Element::Kind::any) return true;
  if (element.kind != Element::Kind::literal) return false;
  if (!rules.ignore_case) return element.literal == c;
  return equals_ignoring_case({&element.literal, 1}, {&c, 1});
}

}  // namespace

bool matches_wildcard(std::string_view pattern, std::string_view text, WildcardRules rules) {
  // Where to go on when the rest does not fit: the last star takes one character more.
  constexpr std::size_t kNone = std::string_view::npos;
  std::size_t behind_star = kNone;
  std::size_t star_end = 0;
  std::size_t p = 0;
  std::size_t t = 0;
  for (;;) {
    Element element = element_at(pattern, p, rules);
    if (element.kind == Element::Kind::star) {
      behind_star = ++p;
      star_end = t;
    } else if (t == text.size()) {
      return element.kind == Element::Kind::end;
    } else if (fits(element, text[t], rules)) {
      p += element.length;
      ++t;
    } else if (behind_star != kNone) {
      p = behind_star;
      t = ++star_end;
    } else {
      return false;
    }
  }
}

}  // namespace imgproc::base
