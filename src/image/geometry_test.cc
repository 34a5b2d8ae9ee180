#include "image/geometry.h"

#include <gtest/gtest.h>

namespace imgproc::image {
namespace {

using ports::Fit;
using ports::Position;

struct Case {
  Size source;
  Size box;
  Fit fit;
  bool enlarge;
  Layout expected;
};

constexpr Layout same(std::uint32_t width, std::uint32_t height) {
  return {{width, height}, {width, height}, {width, height}};
}

class LayoutTable : public testing::TestWithParam<Case> {};

TEST_P(LayoutTable, IsAsSharpLaysOut) {
  const Case& c = GetParam();
  ports::RenditionSpec spec{.width = c.box.width, .height = c.box.height};
  spec.fit = c.fit;
  spec.enlarge = c.enlarge;
  const Layout got = lay_out(c.source, spec);
  EXPECT_EQ(got.resized, c.expected.resized) << got.resized.width << "x" << got.resized.height;
  EXPECT_EQ(got.cropped, c.expected.cropped) << got.cropped.width << "x" << got.cropped.height;
  EXPECT_EQ(got.canvas, c.expected.canvas) << got.canvas.width << "x" << got.canvas.height;
}

INSTANTIATE_TEST_SUITE_P(
    Fits, LayoutTable,
    testing::Values(
        // No box: the source's size. One side: the other follows.
        Case{{640, 480}, {0, 0}, Fit::inside, false, same(640, 480)},
        Case{{640, 480}, {320, 0}, Fit::inside, false, same(320, 240)},
        Case{{640, 480}, {0, 120}, Fit::cover, false, same(160, 120)},
        Case{{640, 480}, {1280, 0}, Fit::inside, false, same(640, 480)},
        Case{{640, 480}, {1280, 0}, Fit::inside, true, same(1280, 960)},
        Case{{640, 480}, {320, 0}, Fit::fill, false, same(320, 480)},
        // inside and outside keep the ratio.
        Case{{640, 480}, {200, 200}, Fit::inside, false, same(200, 150)},
        Case{{480, 640}, {200, 200}, Fit::inside, false, same(150, 200)},
        Case{{640, 480}, {200, 200}, Fit::outside, false, same(267, 200)},
        Case{{100, 50}, {200, 200}, Fit::inside, false, same(100, 50)},
        Case{{100, 50}, {200, 200}, Fit::inside, true, same(200, 100)},
        Case{{100, 50}, {200, 200}, Fit::outside, true, same(400, 200)},
        // fill stretches, each axis for itself.
        Case{{640, 480}, {100, 300}, Fit::fill, false, same(100, 300)},
        Case{{640, 480}, {100, 900}, Fit::fill, false, same(100, 480)},
        Case{{640, 480}, {100, 900}, Fit::fill, true, same(100, 900)},
        // cover fills the box and cuts.
        Case{{640, 480}, {100, 100}, Fit::cover, false, {{133, 100}, {100, 100}, {100, 100}}},
        Case{{100, 50}, {80, 80}, Fit::cover, false, {{100, 50}, {80, 50}, {80, 50}}},
        Case{{100, 50}, {80, 80}, Fit::cover, true, {{160, 80}, {80, 80}, {80, 80}}},
        // contain fills up the box.
        Case{{640, 480}, {200, 200}, Fit::contain, false, {{200, 150}, {200, 150}, {200, 200}}},
        Case{{50, 40}, {200, 200}, Fit::contain, false, {{50, 40}, {50, 40}, {200, 200}}},
        Case{{50, 40}, {200, 200}, Fit::contain, true, {{200, 160}, {200, 160}, {200, 200}}},
        // A side never falls to nothing.
        Case{{10000, 1}, {100, 100}, Fit::inside, false, same(100, 1)},
        Case{{1, 10000}, {100, 100}, Fit::cover, false, {{1, 10000}, {1, 100}, {1, 100}}}));

TEST(Place, PutsTheInnerAreaWhereThePositionSays) {
  const Size outer{100, 50}, inner{40, 20};
  EXPECT_EQ(place(outer, inner, Position::centre), (Point{30, 15}));
  EXPECT_EQ(place(outer, inner, Position::top), (Point{30, 0}));
  EXPECT_EQ(place(outer, inner, Position::right_top), (Point{60, 0}));
  EXPECT_EQ(place(outer, inner, Position::right), (Point{60, 15}));
  EXPECT_EQ(place(outer, inner, Position::right_bottom), (Point{60, 30}));
  EXPECT_EQ(place(outer, inner, Position::bottom), (Point{30, 30}));
  EXPECT_EQ(place(outer, inner, Position::left_bottom), (Point{0, 30}));
  EXPECT_EQ(place(outer, inner, Position::left), (Point{0, 15}));
  EXPECT_EQ(place(outer, inner, Position::left_top), (Point{0, 0}));
}

TEST(Oriented, SwapsSidesFromFiveOn) {
  EXPECT_EQ(oriented({30, 20}, 1), (Size{30, 20}));
  EXPECT_EQ(oriented({30, 20}, 4), (Size{30, 20}));
  EXPECT_EQ(oriented({30, 20}, 5), (Size{20, 30}));
  EXPECT_EQ(oriented({30, 20}, 8), (Size{20, 30}));
}

}  // namespace
}  // namespace imgproc::image
