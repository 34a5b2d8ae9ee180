#pragma once
// Text forms of bytes. Inputs are borrowed, outputs owned.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace imgproc::base {

/// The same bytes seen as text, and the other way round; nothing is copied.
[[nodiscard]] inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
[[nodiscard]] inline std::span<const std::byte> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// Lower-case hexadecimal.
[[nodiscard]] std::string to_hex(std::string_view bytes);
/// Nullopt if the length is odd or a character is not hexadecimal (both cases accepted).
[[nodiscard]] std::optional<std::string> from_hex(std::string_view hex);

/// RFC 4648 section 4, with padding.
[[nodiscard]] std::string to_base64(std::string_view bytes);
/// Strict: nullopt on foreign characters, missing or misplaced padding.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

/// Percent-encodes everything but A-Z a-z 0-9 - _ . ~ (RFC 3986), as AWS signs; `/` stays if
/// `keep_slash`.
[[nodiscard]] std::string percent_encode(std::string_view text, bool keep_slash = false);
/// Decodes %XX; a `%` without two hexadecimal digits stays as it is. `plus_is_space` as in forms
/// and in the keys of S3 events.
[[nodiscard]] std::string percent_decode(std::string_view text, bool plus_is_space = false);

/// True if `text` is well-formed UTF-8 (no overlong forms, no surrogates).
[[nodiscard]] bool is_utf8(std::string_view text);

[[nodiscard]] std::string to_lower(std::string_view text);
[[nodiscard]] bool equals_ignoring_case(std::string_view a, std::string_view b);
/// Without spaces and tabs at both ends.
[[nodiscard]] std::string_view trim(std::string_view text);
/// Equal in time that depends on the length alone, for signatures.
[[nodiscard]] bool equals_constant_time(std::string_view a, std::string_view b);
/// A whole decimal number without sign, or nullopt (also on overflow).
[[nodiscard]] std::optional<unsigned long long> parse_unsigned(std::string_view text);

}  // namespace imgproc::base
