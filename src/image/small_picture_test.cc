#include "image/small_picture.h"

#include <gtest/gtest.h>

namespace imgproc::image {
namespace {

using Bytes = std::vector<std::uint8_t>;

TEST(MeanOfBoxes, IsTheRoundedMeanOfWholePixels) {
  const Bytes grey{0, 10, 20, 30, 40,  //
                   2, 12, 22, 33, 44};
  const SmallCopy small = mean_of_boxes({grey, 5, 2, 1}, 2, 1);
  EXPECT_EQ(small.rgba, (Bytes{6, 6, 6, 255, 32, 32, 32, 255}));  // columns 0-1 and 2-4
}

TEST(MeanOfBoxes, RepeatsPixelsWhereThereAreFewer) {
  const Bytes colours{10, 20, 30, 40, 50, 60};
  const SmallCopy large = mean_of_boxes({colours, 2, 1, 3}, 4, 2);
  const Bytes row{10, 20, 30, 255, 10, 20, 30, 255, 40, 50, 60, 255, 40, 50, 60, 255};
  Bytes both = row;
  both.insert(both.end(), row.begin(), row.end());
  EXPECT_EQ(large.rgba, both);
}

TEST(MeanOfBoxes, LetsWhatShowsThroughCountLess) {
  const Bytes pixels{200, 0, 0, 255, 0, 100, 0, 0,  //
                     100, 0, 0, 255, 0, 100, 0, 2};
  EXPECT_EQ(mean_of_boxes({pixels, 2, 2, 4}, 1, 1).rgba, (Bytes{149, 0, 0, 128}));
  const Bytes nothing{200, 0, 100, 0};
  EXPECT_EQ(mean_of_boxes({nothing, 2, 1, 2}, 1, 1).rgba, (Bytes{0, 0, 0, 0}));
}

TEST(MeanOfBoxes, KeepsProportionsWithinASide) {
  const Bytes grey(std::size_t{300} * 90, 7);
  const SmallCopy small = mean_of_boxes_within({grey, 300, 90, 1}, 64);
  EXPECT_EQ(small.width, 64u);
  EXPECT_EQ(small.height, 19u);
  const SmallCopy flat = mean_of_boxes_within({Bytes(1000, 7), 1000, 1, 1}, 64);
  EXPECT_EQ(flat.width, 64u);
  EXPECT_EQ(flat.height, 1u);
  const SmallCopy same = mean_of_boxes_within({Bytes(6, 7), 2, 3, 1}, 64);
  EXPECT_EQ(same.width, 2u);
  EXPECT_EQ(same.height, 3u);
}

}  // namespace
}  // namespace imgproc::image
