#include "image/appearance.h"

#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <vector>

#include "image/blurhash.h"
#include "image/perceptual_hash.h"
#include "image/thumbhash.h"

namespace imgproc::image {
namespace {

template <class Colour>
SmallCopy paint(unsigned width, unsigned height, Colour colour) {
  SmallCopy picture{{}, width, height};
  for (unsigned y = 0; y < height; ++y)
    for (unsigned x = 0; x < width; ++x)
      for (const unsigned value : colour(x, y))
        picture.rgba.push_back(static_cast<std::uint8_t>(value));
  return picture;
}

SmallCopy gradient(unsigned width, unsigned height, bool transparent = false) {
  return paint(width, height, [&](unsigned x, unsigned y) {
    return std::array<unsigned, 4>{x * 255 / (width - 1), y * 255 / (height - 1), x * y % 256,
                                   transparent ? (x * 4 + y) % 256 : 255};
  });
}

std::uint64_t bits(const std::string& hash) {
  std::uint64_t value = 0;
  std::from_chars(hash.data(), hash.data() + hash.size(), value, 16);
  return value;
}

// Expected values of both were made with the reference implementations of the formats; BlurHash's
// in JavaScript takes the largest component with its sign, against its own description and its C
// version: the values are those of its largest magnitude.
TEST(BlurHash, IsThatOfTheReference) {
  EXPECT_EQ(blurhash(gradient(32, 24).view()), "L$HewC2lwtX4l@WBjwe@gFfmfTfi");
  EXPECT_EQ(blurhash(gradient(24, 32).view()), "T$HoEs2lwtl@WBjwgFfmfTniWsjs");
  EXPECT_EQ(blurhash(gradient(32, 24, true).view()), "LaQS-oqF-Ax]*;tjogj^k6j^fmfk");
  EXPECT_EQ(blurhash(gradient(5, 60).view()), "T$IhJ.3MJil@a7a~gff#fPnQa#a}");
}

TEST(ThumbHash, IsThatOfTheReference) {
  EXPECT_EQ(thumbhash(gradient(32, 24).view()), "3fgNHZpgdodwiIiGiGeIh/OjD/h3");
  EXPECT_EQ(thumbhash(gradient(24, 32).view()), "3QgOHRpgdnCIaIhoiId3iPOjD/h3");
  EXPECT_EQ(thumbhash(gradient(32, 24, true).view()), "IjmGDIgkooegiIZoKS78sl8Hd2eHeIh3Bw==");
  EXPECT_EQ(thumbhash(gradient(5, 60).view()), "GgoSGSCAgYiIh4iHhgYI6Hg=");
}

TEST(PerceptualHash, HardlyChangesWithLightAndMuchWithThePicture) {
  constexpr unsigned kSide = kPerceptualHashSide;
  const auto disc = [](int centre, unsigned light) {
    return paint(kSide, kSide, [=](unsigned x, unsigned y) {
      const int dx = static_cast<int>(x) - centre, dy = static_cast<int>(y) - 12;
      const unsigned value = dx * dx + dy * dy < 60 ? 150 + light : 20 + light + x;
      return std::array<unsigned, 4>{value, value, value, 255};
    });
  };
  const auto hash = [](const SmallCopy& picture) {
    const std::string text = perceptual_hash(picture.view());
    EXPECT_EQ(text.size(), 16u);
    return bits(text);
  };
  const std::uint64_t plain = hash(disc(10, 0));
  EXPECT_LE(std::popcount(plain ^ hash(disc(10, 40))), 2);
  EXPECT_GE(std::popcount(plain ^ hash(disc(24, 0))), 12);
}

// With one cosine in the picture, that frequency and the average are all that exceeds the median.
TEST(PerceptualHash, NamesFrequenciesRowByRow) {
  constexpr unsigned kSide = kPerceptualHashSide;
  const SmallCopy wave = paint(kSide, kSide, [](unsigned x, unsigned) {
    const double light = 128 + 100 * std::cos(3.14159265358979 * 3 * (2 * x + 1) / (2 * kSide));
    const auto value = static_cast<unsigned>(light);
    return std::array<unsigned, 4>{value, value, value, 255};
  });
  const std::uint64_t expected = 1ULL << 63 | 1ULL << 60;
  EXPECT_EQ(bits(perceptual_hash(wave.view())) & expected, expected);
}

TEST(DominantColor, IsTheMeanOfTheFullestBox) {
  const SmallCopy flag = paint(10, 10, [](unsigned x, unsigned y) {
    if (x < 4) return std::array<unsigned, 4>{255, 0, 0, 255};
    if (x < 5) return std::array<unsigned, 4>{0, 255, 0, 0};
    return std::array<unsigned, 4>{16 + y % 2, 32, 200, 255};
  });
  EXPECT_EQ(dominant_color(flag.view()), "#1120c8");
  const SmallCopy nothing =
      paint(4, 4, [](unsigned, unsigned) { return std::array<unsigned, 4>{9, 9, 9, 0}; });
  EXPECT_EQ(dominant_color(nothing.view()), "");
}

}  // namespace
}  // namespace imgproc::image
