#include "image/jpeg_dc/two_streams.h"

#include <gtest/gtest.h>

#include <vector>

namespace imgproc::image::jpeg_dc {
namespace {

/// DC: 0 says no difference, 10 a difference of one bit. AC: 0 ends the block, 10 is a one-bit
/// value.
class TwoStreams : public testing::Test {
 protected:
  TwoStreams() {
    fill_dc_table(*dc_, skip_, dc_steps_);
    mcu_[0] = {dc_steps_.data(), &skip_.of(0), &*dc_, &*ac_};
  }

  /// Blocks with a difference of +1 and as many values as `values` says, bit by bit.
  static std::vector<std::uint8_t> blocks(unsigned count, unsigned values_mask) {
    std::vector<bool> bits;
    const auto put = [&](std::initializer_list<bool> more) {
      bits.insert(bits.end(), more.begin(), more.end());
    };
    unsigned random = 7;
    for (unsigned i = 0; i < count; ++i) {
      put({true, false, true});
      random = random * 1103515245 + 12345;
      for (unsigned k = random >> 16 & values_mask; k > 0; --k)
        put({true, false, (random >> k & 1) != 0});
      put({false});
    }
    while (bits.size() % 8 != 0) bits.push_back(true);
    std::vector<std::uint8_t> bytes;
    for (std::size_t i = 0; i < bits.size(); i += 8) {
      unsigned byte = 0;
      for (std::size_t k = 0; k < 8; ++k) byte = byte << 1 | (bits[i + k] ? 1U : 0U);
      bytes.push_back(static_cast<std::uint8_t>(byte));
      if (byte == 0xFF) bytes.push_back(0);
    }
    return bytes;
  }

  std::array<std::uint8_t, 16> counts_{1, 1};
  std::array<std::uint8_t, 2> dc_symbols_{0, 1};
  std::array<std::uint8_t, 2> ac_symbols_{0x00, 0x01};
  std::optional<HuffmanCode> dc_ = HuffmanCode::make({counts_, dc_symbols_}, true);
  std::optional<HuffmanCode> ac_ = HuffmanCode::make({counts_, ac_symbols_}, false);
  SkipTable skip_{*ac_};
  StepTable dc_steps_{};
  std::array<BlockTables, 1> mcu_;
};

TEST_F(TwoStreams, MeetAndHaveEveryBlockOnce) {
  constexpr std::size_t kBlocks = 5000;
  const auto recordings = read_two_streams(blocks(kBlocks, 15), mcu_, kBlocks);
  ASSERT_TRUE(recordings);
  std::size_t total = 0;
  for (const Recording& recording : *recordings) {
    EXPECT_GT(recording.end - recording.begin, kBlocks / 3);  // both have worked
    for (std::size_t i = recording.begin; i < recording.end; ++i, ++total)
      ASSERT_EQ(static_cast<std::int16_t>(recording.records[i] >> 16), 1) << i;
  }
  EXPECT_EQ(total, kBlocks);
}

TEST_F(TwoStreams, RefuseWhatIsTooShortTooLongOrTooSmall) {
  const auto data = blocks(5000, 15);
  EXPECT_FALSE(read_two_streams(data, mcu_, 4990));
  EXPECT_FALSE(read_two_streams(data, mcu_, 5010));
  EXPECT_FALSE(read_two_streams(data, mcu_, 10));
  EXPECT_FALSE(read_two_streams(blocks(100, 15), mcu_, 100));
}

}  // namespace
}  // namespace imgproc::image::jpeg_dc
