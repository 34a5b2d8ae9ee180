#pragma once
// How renditions are called: a text with placeholders.

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace imgproc::pipeline {

/// S3's own limit.
inline constexpr std::size_t kKeyBytesMax = 1024;

/// Placeholders: {key} the whole source key; {dir} its part up to and with the last '/', {name}
/// what follows (with its extension), so that {dir}{name} is {key}; {bucket} the source bucket;
/// {rendition} the rendition's name; {ext} the extension of the format written.
class KeyTemplate {
 public:
  /// "{key}/{rendition}.{ext}"
  [[nodiscard]] static KeyTemplate standard();
  /// Code "INVALID_KEY_TEMPLATE": unknown placeholder, stray brace, or neither {key} nor {dir}
  /// followed by {name} (without which two sources would meet), any of them twice, a {bucket} that
  /// does not fill a path segment of its own before them, or more than kKeyBytesMax bytes.
  [[nodiscard]] static base::Result<KeyTemplate> parse(std::string_view text);

  /// The key of one rendition. KEY_TOO_LONG (permanent) beyond kKeyBytesMax bytes.
  [[nodiscard]] base::Result<std::string> expand(std::string_view bucket, std::string_view key,
                                                 std::string_view rendition,
                                                 std::string_view extension) const;

  /// One rendition that some source may get.
  struct Use {
    /// Only one recipe is ever applied to a source.
    std::size_t recipe = 0;
    std::string rendition;
    /// "webp", "jpg" …; the same rendition may stand here with several.
    std::string extension;
  };
  /// Proof that no two outputs ever have one key, whatever the sources are called: neither two
  /// renditions of one source nor renditions of two sources. Code "KEYS_MAY_MEET"; says which two.
  [[nodiscard]] base::Status check_distinct(std::span<const Use> uses) const;

  /// What every output starts with: the text before the first placeholder.
  [[nodiscard]] std::string_view literal_prefix() const;
  [[nodiscard]] bool has_bucket() const;
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  enum class Part { literal, key, dir, name, bucket, rendition, extension };
  struct Piece {
    Part part;
    std::string literal;
  };
  struct Frame;
  [[nodiscard]] Frame frame_of(const Use& use) const;
  [[nodiscard]] static bool may_meet(const Frame& a, const Frame& b);
  [[nodiscard]] bool has(Part part) const;
  [[nodiscard]] base::Status check_pieces() const;

  std::string text_;
  std::vector<Piece> pieces_;
};

}  // namespace imgproc::pipeline
