#include "protocol/checksum.h"

#include <gtest/gtest.h>

#include <random>

namespace imgproc::protocol {
namespace {

TEST(Checksum, NamesAreFoundWithoutCase) {
  ASSERT_NE(find_checksum("crc64nvme"), nullptr);
  EXPECT_EQ(find_checksum("crc64nvme")->header, "x-amz-checksum-crc64nvme");
  EXPECT_EQ(find_checksum("MD5"), nullptr);
}

TEST(Checksum, CombinedCrcIsTheCrcOfTheWhole) {
  std::mt19937 random(7);
  for (const auto& name : checksum_names()) {
    if (!is_crc(name.algorithm)) continue;
    for (std::size_t length_b : {0, 1, 7, 64, 1000, 100000}) {
      std::string a(random() % 5000, '\0');
      std::string b(length_b, '\0');
      for (char& c : a) c = static_cast<char>(random());
      for (char& c : b) c = static_cast<char>(random());
      EXPECT_EQ(combine_crc(name.algorithm, base::hash(name.algorithm, a),
                            base::hash(name.algorithm, b), b.size()),
                base::hash(name.algorithm, a + b))
          << name.name << " " << length_b;
    }
  }
}

}  // namespace
}  // namespace imgproc::protocol
