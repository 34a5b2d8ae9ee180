#include "ports/record.h"

#include <gtest/gtest.h>

#include <random>

namespace imgproc::ports {
namespace {

// The rule as S3 documents it: right-pad the shorter of the two with zeros, then compare as text.
int compare_as_documented(std::string a, std::string b) {
  const auto width = std::max(a.size(), b.size());
  a.resize(width, '0');
  b.resize(width, '0');
  return a.compare(b) < 0 ? -1 : (a == b ? 0 : 1);
}

TEST(PadSequencerTest, OrdersAMillionRandomPairsAsS3Documents) {
  std::mt19937_64 random(20261122);
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto make = [&](std::size_t length) {
    std::string text(length, '0');
    for (char& c : text) c = kDigits[random() % 16];
    return text;
  };
  for (int i = 0; i < 1'000'000; ++i) {
    const std::string a = make(1 + random() % 32);
    // Half of the pairs share a beginning, where the padding decides.
    std::string b = make(1 + random() % 32);
    if (i % 2 == 0) {
      b = a.substr(0, random() % (a.size() + 1));
      while (b.size() < 32 && random() % 3 != 0) b += random() % 2 == 0 ? '0' : '7';
      if (b.empty()) b = "0";
    }
    const std::string left = pad_sequencer(a);
    const std::string right = pad_sequencer(b);
    const int order = left.compare(right) < 0 ? -1 : (left == right ? 0 : 1);
    ASSERT_EQ(order, compare_as_documented(a, b)) << a << " against " << b;
  }
}

TEST(PadSequencerTest, IgnoresCaseAndKeepsNoneAsTheFirst) {
  EXPECT_EQ(pad_sequencer("0055aed6dcd90281e5"), pad_sequencer("0055AED6DCD90281E5"));
  EXPECT_EQ(pad_sequencer("0055AED6DCD90281E5").size(), 32U);
  EXPECT_EQ(pad_sequencer(""), "");
  EXPECT_LT(pad_sequencer(""), pad_sequencer("0"));
}

TEST(RecordWordsTest, RoundTrip) {
  for (const auto status : {RecordStatus::processing, RecordStatus::ready, RecordStatus::failed,
                            RecordStatus::skipped, RecordStatus::deleted})
    EXPECT_EQ(record_status_from_string(to_string(status)), status);
  for (const auto state : {RenditionState::planned, RenditionState::ready, RenditionState::failed,
                           RenditionState::skipped})
    EXPECT_EQ(rendition_state_from_string(to_string(state)), state);
  EXPECT_EQ(record_status_from_string("ready"), std::nullopt);
}

}  // namespace
}  // namespace imgproc::ports
