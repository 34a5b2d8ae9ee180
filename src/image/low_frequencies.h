#pragma once
#include <span>
#include <vector>

namespace imgproc::image {

/// Where a wave has its first crest: on the first sample (BlurHash), or half a sample before it, as
/// in the usual cosine transform (DCT-II).
enum class Crest { on_sample, before_sample };

/// How much of each of the lowest frequencies there is in a channel: for fy < count_y and
/// fx < count_x, row by row, the sum over all its values of
///   value * cos(pi * fx * x / width) * cos(pi * fy * y / height),
/// half a sample added to x and y for Crest::before_sample. `values` are width * height, row by
/// row.
[[nodiscard]] std::vector<double> low_frequencies(std::span<const double> values, unsigned width,
                                                  unsigned height, unsigned count_x,
                                                  unsigned count_y, Crest crest);

}  // namespace imgproc::image
