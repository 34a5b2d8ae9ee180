#pragma once
#include <string>

#include "image/small_picture.h"

namespace imgproc::image {

/// Side of the square picture that perceptual_hash() reads.
inline constexpr unsigned kPerceptualHashSide = 32;

/// 64 bits as 16 hexadecimal digits; similar pictures differ in few bits. The signs, against their
/// median, of the 8 by 8 lowest frequencies (DCT-II) of the luminance, row by row from the lowest,
/// the most significant bit first: what is widely known as pHash.
/// `picture` is kPerceptualHashSide pixels wide and high; what shows through counts as white.
[[nodiscard]] std::string perceptual_hash(const SmallPicture& picture);

}  // namespace imgproc::image
