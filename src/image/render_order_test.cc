#include "image/render_order.h"

#include <gtest/gtest.h>

namespace imgproc::image {
namespace {

ports::RenditionSpec of_width(std::uint32_t width) {
  ports::RenditionSpec spec;
  spec.width = width;
  return spec;
}

TEST(RenderOrder, SmallRenditionsStartFromLargerOnes) {
  const std::vector<ports::RenditionSpec> specs = {of_width(200), of_width(1600), of_width(400),
                                                   of_width(1200), of_width(800)};
  // 1200 is too near to 1600; 800 is exactly half of it.
  EXPECT_EQ(render_order({4000, 3000}, specs),
            (std::vector<RenderStep>{
                {1, {}, true}, {3, {}, false}, {4, 1, true}, {2, 4, true}, {0, 2, false}}));
}

TEST(RenderOrder, OneRenditionStartsFromTheBasePicture) {
  const std::vector<ports::RenditionSpec> specs = {of_width(200)};
  EXPECT_EQ(render_order({4000, 3000}, specs), (std::vector<RenderStep>{{0, {}, false}}));
}

TEST(RenderOrder, BothAxesMustBeLargeEnough) {
  ports::RenditionSpec wide = of_width(2000);
  wide.height = 100;
  wide.fit = ports::Fit::fill;
  ports::RenditionSpec square = of_width(80);
  square.height = 80;
  square.fit = ports::Fit::fill;
  const std::vector<ports::RenditionSpec> specs = {square, wide};
  EXPECT_EQ(render_order({4000, 3000}, specs),
            (std::vector<RenderStep>{{1, {}, false}, {0, {}, false}}));
}

TEST(RenderOrder, EqualSizesKeepTheirOrder) {
  const std::vector<ports::RenditionSpec> specs = {of_width(300), of_width(300)};
  EXPECT_EQ(render_order({4000, 3000}, specs),
            (std::vector<RenderStep>{{0, {}, false}, {1, {}, false}}));
}

}  // namespace
}  // namespace imgproc::image
