#include "image/metadata.h"

#include <gtest/gtest.h>

#include <vector>

#include "image/vips.h"

namespace imgproc::image {
namespace {

TEST(CheckProfile, RefusesWhatIsTooLargeForAProfile) {
  auto black = apply("black", [](VipsImage** out) { return vips_black(out, 8, 8, nullptr); });
  ASSERT_TRUE(black);
  OpenImage open{.image = std::move(*black)};
  EXPECT_TRUE(check_profile(open));
  std::vector<char> profile(kProfileBytesMax + 1, '\0');
  vips_image_set_blob_copy(open.image.get(), VIPS_META_ICC_NAME, profile.data(), kProfileBytesMax);
  EXPECT_TRUE(check_profile(open));
  vips_image_set_blob_copy(open.image.get(), VIPS_META_ICC_NAME, profile.data(), profile.size());
  const auto status = check_profile(open);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ports::kProfileTooLarge);
}

}  // namespace
}  // namespace imgproc::image
