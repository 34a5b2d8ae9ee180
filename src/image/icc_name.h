#pragma once
#include <span>
#include <string>

namespace imgproc::image {

/// Larger profiles are not looked into.
inline constexpr std::size_t kIccBytesMax = 1 << 20;
inline constexpr std::size_t kIccNameBytesMax = 128;

/// The description of an ICC profile ("Adobe RGB (1998)") from its desc tag, as textDescriptionType
/// (ICC.1:2001 6.5.17) or multiLocalizedUnicodeType (ICC.1:2022 10.15). UTF-8; empty if there is
/// none or the profile is damaged.
[[nodiscard]] std::string icc_name(std::span<const std::byte> profile);

}  // namespace imgproc::image
