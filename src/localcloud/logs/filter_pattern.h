#pragma once
// CloudWatch Logs filter patterns: which lines a search shows.
// Source: "Filter pattern syntax" of the CloudWatch Logs user guide.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace imgproc::localcloud::logs {

inline constexpr std::size_t kPatternBytesMax = 1024;
/// Parentheses in a JSON pattern.
inline constexpr int kPatternDepthMax = 16;

/// A parsed pattern. Understood: plain terms (all must occur), "quoted phrases", -excluded, ?either
/// ?or, and { $.member = "value" && … } over lines that are JSON objects, with = != < > <= >=, IS
/// NULL, IS TRUE, IS FALSE, EXISTS, NOT EXISTS, && || ( ), and * in values. Terms compare with
/// case.
class FilterPattern {
 public:
  /// Error InvalidParameterException for what does not parse, and for [space, delimited] and
  /// %regex% patterns, which are not supported.
  [[nodiscard]] static base::Result<FilterPattern> parse(std::string_view text);
  [[nodiscard]] bool matches(std::string_view message) const;

  /// One node of a JSON pattern.
  struct Node;
  FilterPattern();
  ~FilterPattern();
  FilterPattern(FilterPattern&&) noexcept;
  FilterPattern& operator=(FilterPattern&&) noexcept;

 private:
  std::vector<std::string> all_;
  std::vector<std::string> any_;
  std::vector<std::string> none_;
  std::unique_ptr<Node> json_;
};

}  // namespace imgproc::localcloud::logs
