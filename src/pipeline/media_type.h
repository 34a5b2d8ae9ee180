#pragma once
#include <cstddef>
#include <span>
#include <string_view>

namespace imgproc::pipeline {

/// So many first bytes decide; fewer are enough if the object is shorter.
inline constexpr std::size_t kMediaTypeBytes = 64;

/// The media type that an object's first bytes tell, for choosing a recipe;
/// "application/octet-stream" if none is known (texts and archives among them). Whether the bytes
/// really are an image of that type only the image engine decides, which looks further and names
/// images in the same words.
[[nodiscard]] std::string_view media_type_of(std::span<const std::byte> first_bytes);

/// Whether `type` is `range`, or in it: image/png is in image/* and in */*.
[[nodiscard]] bool media_type_matches(std::string_view type, std::string_view range);

}  // namespace imgproc::pipeline
