#pragma once
#include <string>

#include "image/small_picture.h"

namespace imgproc::image {

/// BlurHash with 4 by 3 components (3 by 4 for tall pictures): 28 characters. What shows through is
/// laid on white. Source: the format's description, woltapp/blurhash Algorithm.md.
[[nodiscard]] std::string blurhash(const SmallPicture& picture);

}  // namespace imgproc::image
