#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace imgproc::pipeline {

/// Both counted from 1; columns in bytes.
struct TextPosition {
  int line = 1;
  int column = 1;
};

/// Position of the byte `offset` of `text`.
[[nodiscard]] TextPosition position_at(std::string_view text, std::size_t offset);

struct JsonLocations {
  /// JSON pointer (RFC 6901) of every value to where its member name, or the value itself, stands.
  std::map<std::string, TextPosition, std::less<>> positions;
  /// Pointers of members that occur twice in one object (parsers silently keep the last).
  std::vector<std::string> duplicates;
};

/// Where everything stands in `text`, which must be valid JSON of bounded depth.
[[nodiscard]] JsonLocations locate_json(std::string_view text);

/// One reference token of a JSON pointer: '~' as ~0, '/' as ~1.
[[nodiscard]] std::string pointer_token(std::string_view name);

}  // namespace imgproc::pipeline
