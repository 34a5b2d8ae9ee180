#include "decoder/decoder_location.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/random.h"

namespace imgproc::decoder {
namespace {

TEST(DecoderLocation, BesideTheProgramOrBehindItsOwnLoader) {
  auto folder =
      std::filesystem::temp_directory_path() / ("imgproc-location-" + base::random_hex(8));
  EXPECT_EQ(decoder_in(folder).program, folder / "decoder");
  EXPECT_TRUE(decoder_in(folder).arguments.empty());
  std::filesystem::create_directories(folder / "lib");
  for (const char* loader : {"ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"})
    ASSERT_TRUE(base::write_file_atomically(folder / "lib" / loader, "").has_value());
  DecoderOptions packaged = decoder_in(folder);
  EXPECT_EQ(packaged.program.parent_path(), folder / "lib");
  ASSERT_FALSE(packaged.arguments.empty());
  EXPECT_EQ(packaged.arguments.back(), (folder / "lib" / "decoder").string());
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace imgproc::decoder
