#include "image/jpeg_dc/jpeg_dc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/bytes.h"
#include "image/jpeg_dc/huffman.h"

namespace imgproc::image::jpeg_dc {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

/// Entropy-coded bits, stuffed, the last byte filled with ones.
class BitWriter {
 public:
  BitWriter& put(unsigned bits, unsigned count) {
    for (unsigned i = count; i-- > 0;) put_bit(bits >> i & 1);
    return *this;
  }
  [[nodiscard]] std::string text() const {
    BitWriter copy = *this;
    while (copy.used_ != 0) copy.put_bit(1);
    return copy.bytes_;
  }

 private:
  void put_bit(unsigned bit) {
    byte_ = byte_ << 1 | bit;
    if (++used_ < 8) return;
    bytes_ += static_cast<char>(byte_);
    if ((byte_ & 255) == 255) bytes_ += '\0';
    byte_ = used_ = 0;
  }
  std::string bytes_;
  unsigned byte_ = 0, used_ = 0;
};

std::string u16(unsigned value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}
std::string bytes_of(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes += static_cast<char>(value);
  return bytes;
}
std::string segment(int marker, const std::string& content) {
  return bytes_of({0xFF, marker}) + u16(static_cast<unsigned>(content.size()) + 2) + content;
}

/// Codes of 4 bits: symbol i of `symbols` is i; 15, all ones, is none.
std::string huffman(int kind_and_index, const std::string& symbols) {
  return segment(0xC4, bytes_of({kind_and_index, 0, 0, 0, static_cast<int>(symbols.size()), 0, 0, 0,
                                 0, 0, 0, 0, 0, 0, 0, 0, 0}) +
                           symbols);
}

// DC: code = size. AC: the symbols of these codes.
enum AcCode { kEob, kOne, kRun1One, kRun5Big, kZrl, kRun14One };
std::string tables() {
  return huffman(0x00, bytes_of({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})) +
         huffman(0x10, bytes_of({0x00, 0x01, 0x11, 0x5A, 0xF0, 0xE1}));
}

void put_dc(BitWriter& out, int difference) {
  unsigned size = 0;
  while (std::abs(difference) >> size != 0) ++size;
  out.put(size, 4);
  out.put(static_cast<unsigned>(difference > 0 ? difference : difference + (1 << size) - 1), size);
}
void put_flat_block(BitWriter& out, int difference) {
  put_dc(out, difference);
  out.put(kEob, 4);
}

std::string quantisation(unsigned step, bool wide = false) {
  std::string table = bytes_of({wide ? 0x10 : 0});
  for (unsigned i = 0; i < kCoefficients; ++i)
    table += wide ? u16(step) : std::string(1, static_cast<char>(step));
  return segment(0xDB, table);
}

struct Frame {
  unsigned width = 8, height = 8;
  std::vector<int> sampling{0x11};  ///< One for each component.
  int marker = 0xC0;
  int precision = 8;
};

std::string frame(const Frame& f) {
  std::string content = bytes_of({f.precision}) + u16(f.height) + u16(f.width) +
                        bytes_of({static_cast<int>(f.sampling.size())});
  int id = 1;
  for (const int sampling : f.sampling) content += bytes_of({id++, sampling, 0});
  return segment(f.marker, content);
}

std::string scan(const std::vector<int>& ids, const std::string& data, int from = 0, int to = 63,
                 int approximation = 0) {
  std::string content = bytes_of({static_cast<int>(ids.size())});
  for (const int id : ids) content += bytes_of({id, 0});
  return segment(0xDA, content + bytes_of({from, to, approximation})) + data;
}

const std::string kStart = "\xFF\xD8";
const std::string kEnd = "\xFF\xD9";
const std::string kJfif = segment(0xE0, std::string("JFIF\0\1\1\0\0\1\0\1\0\0", 14));

/// Grey, one flat block for each difference, in one row.
std::string grey(const std::vector<int>& differences, unsigned step = 8) {
  BitWriter out;
  for (const int difference : differences) put_flat_block(out, difference);
  return kStart + quantisation(step) + tables() +
         frame({.width = 8 * static_cast<unsigned>(differences.size())}) + scan({1}, out.text()) +
         kEnd;
}

base::Result<Eighth> decode(const std::string& file) {
  return decode_eighth(base::as_bytes(file));
}

std::string refusal(const std::string& file) {
  const auto result = decode(file);
  if (result) return "taken";
  EXPECT_EQ(result.error().code, kNotPlain);
  return result.error().message;
}

TEST(DecodeEighth, TakesOneGreySampleOfABlocksDc) {
  const auto picture = decode(grey({10, -30, 400, -400}));
  ASSERT_TRUE(picture) << picture.error().message;
  EXPECT_EQ(picture->width, 4u);
  EXPECT_EQ(picture->height, 1u);
  EXPECT_EQ(picture->bands, 1u);
  EXPECT_FALSE(picture->is_partial);
  // A sample is 128 + DC * 8 / 8, within what 8 bits hold.
  EXPECT_THAT(picture->pixels, ElementsAre(138, 108, 255, 108));
}

TEST(DecodeEighth, RefusesWhatNoPictureHas) {
  EXPECT_EQ(refusal(grey({511})), "taken");
  EXPECT_EQ(refusal(grey({512})), "range");
  EXPECT_EQ(refusal(grey({-512})), "taken");
  EXPECT_EQ(refusal(grey({-513})), "range");
}

TEST(DecodeEighth, RoundsAsLibjpegDoes) {
  // (DC + 4) >> 3 with quantiser 1.
  EXPECT_THAT(decode(grey({3, 1, -8, -1}, 1))->pixels, ElementsAre(128, 129, 128, 127));
}

TEST(DecodeEighth, RoundsTheSizeUp) {
  BitWriter out;
  for (int i = 0; i < 6; ++i) put_flat_block(out, 1);
  const auto picture = decode(kStart + quantisation(8) + tables() +
                              frame({.width = 17, .height = 9}) + scan({1}, out.text()) + kEnd);
  ASSERT_TRUE(picture);
  EXPECT_EQ(picture->width, 3u);
  EXPECT_EQ(picture->height, 2u);
  EXPECT_THAT(picture->pixels, ElementsAre(129, 130, 131, 132, 133, 134));
}

TEST(DecodeEighth, ConvertsYCbCrToRgb) {
  BitWriter out;
  put_flat_block(out, -52);  // Y 76
  put_flat_block(out, -43);  // Cb 85
  put_flat_block(out, 127);  // Cr 255: the red of JFIF
  const auto picture =
      decode(kStart + kJfif + quantisation(8) + tables() + frame({.sampling = {0x11, 0x11, 0x11}}) +
             scan({1, 2, 3}, out.text()) + kEnd);
  ASSERT_TRUE(picture) << picture.error().message;
  EXPECT_THAT(picture->pixels, ElementsAre(254, 0, 0));
}

/// 4:2:0 of one MCU, four luma blocks and the chroma blocks that `chroma` writes.
template <class Chroma>
std::string half_chroma(Chroma chroma, unsigned step = 8) {
  BitWriter out;
  for (int i = 0; i < 4; ++i) put_flat_block(out, 0);
  chroma(out);
  return kStart + quantisation(step) + tables() +
         frame({.width = 16, .height = 16, .sampling = {0x22, 0x11, 0x11}}) +
         scan({1, 2, 3}, out.text()) + kEnd;
}

TEST(DecodeEighth, PassesOverTheWavesOfHalfChroma) {
  const auto picture = decode(half_chroma([](BitWriter& out) {
    put_flat_block(out, 0);  // Cb
    put_dc(out, 8);          // Cr: 136, and the first horizontal wave
    out.put(kOne, 4).put(1, 1).put(kEob, 4);
  }));
  ASSERT_TRUE(picture) << picture.error().message;
  EXPECT_TRUE(picture->chroma_is_flat);
  ASSERT_THAT(picture->pixels, SizeIs(12));
  // Red is 128 + 1.402 (Cr - 128).
  for (std::size_t i = 0; i < 12; i += 3) EXPECT_EQ(picture->pixels[i], 139) << i;
}

TEST(DecodeEighth, ReadsABlockToItsLastCoefficient) {
  // 63 coefficients without an end of block: 15 + 15 + 15 + 15 zeros and ones in between, then the
  // next block's DC at once, so that a step of several symbols would read too far.
  BitWriter out;
  put_dc(out, 5);
  for (int i = 0; i < 4; ++i) out.put(kRun14One, 4).put(1, 1);  // 60
  for (int i = 0; i < 3; ++i) out.put(kOne, 4).put(1, 1);       // 63
  put_flat_block(out, 1);
  const auto picture = decode(kStart + quantisation(8) + tables() + frame({.width = 16}) +
                              scan({1}, out.text()) + kEnd);
  ASSERT_TRUE(picture) << picture.error().message;
  EXPECT_THAT(picture->pixels, ElementsAre(133, 134));
}

TEST(DecodeEighth, PassesOverLongValuesAndRunsOfZeros) {
  BitWriter out;
  put_dc(out, 5);
  out.put(kRun5Big, 4).put(0x3FF, 10).put(kZrl, 4).put(kZrl, 4);
  out.put(kRun5Big, 4).put(0, 10).put(kRun1One, 4).put(0, 1).put(kEob, 4);
  put_flat_block(out, -5);
  const auto picture = decode(kStart + quantisation(8) + tables() + frame({.width = 16}) +
                              scan({1}, out.text()) + kEnd);
  ASSERT_TRUE(picture) << picture.error().message;
  EXPECT_THAT(picture->pixels, ElementsAre(133, 128));
}

TEST(DecodeEighth, RefusesABlockOfTooManyCoefficients) {
  BitWriter out;
  put_dc(out, 5);
  for (int i = 0; i < 5; ++i) out.put(kRun14One, 4).put(1, 1);
  put_flat_block(out, 5);
  EXPECT_EQ(refusal(kStart + quantisation(8) + tables() + frame({.width = 16}) +
                    scan({1}, out.text()) + kEnd),
            "data");
}

std::string with_restarts(int first_marker, const std::string& between = "") {
  BitWriter one, two;
  put_flat_block(one, 4);
  put_flat_block(one, 4);
  put_flat_block(two, 9);
  return kStart + quantisation(8) + tables() + segment(0xDD, u16(2)) + frame({.width = 24}) +
         scan({1}, one.text() + between + bytes_of({0xFF, first_marker}) + two.text()) + kEnd;
}

TEST(DecodeEighth, StartsAnewAtRestartMarkers) {
  EXPECT_THAT(decode(with_restarts(0xD0))->pixels, ElementsAre(132, 136, 137));
  EXPECT_EQ(refusal(with_restarts(0xD1)), "data");
  EXPECT_EQ(refusal(with_restarts(0xD0, "\x55")), "data");
}

/// Two grey blocks, 8 and 9 as samples above 128, in two scans of DC and two of AC.
std::string progressive(const std::string& ac_data = "\x0F") {
  BitWriter first, second;
  put_dc(first, 4);
  put_dc(first, 0);
  second.put(0, 1).put(1, 1);
  return kStart + quantisation(8) + tables() + frame({.width = 16, .marker = 0xC2}) +
         scan({1}, first.text(), 0, 0, 0x01) + scan({1}, ac_data, 1, 63, 0x01) +
         scan({1}, second.text(), 0, 0, 0x10) + scan({1}, ac_data, 1, 63, 0x10) + kEnd;
}

TEST(DecodeEighth, TakesTheDcScansOfAProgressiveFileAlone) {
  const auto picture = decode(progressive());
  ASSERT_TRUE(picture) << picture.error().message;
  EXPECT_TRUE(picture->is_partial);
  EXPECT_THAT(picture->pixels, ElementsAre(136, 137));
  EXPECT_THAT(decode(progressive("anything goes"))->pixels, ElementsAre(136, 137));
}

/// 4:2:0 of one MCU whose Cr has a DC coefficient, which makes a sample of 136, and others.
TEST(DecodeEighth, PassesOverTheAcScansOfHalfChromaToo) {
  BitWriter dc;
  for (int i = 0; i < 5; ++i) put_dc(dc, 0);
  put_dc(dc, 8);
  const std::string ac = "anything goes";
  const auto picture =
      decode(kStart + quantisation(8) + tables() +
             frame({.width = 16, .height = 16, .sampling = {0x22, 0x11, 0x11}, .marker = 0xC2}) +
             scan({1, 2, 3}, dc.text(), 0, 0) + scan({1}, ac, 1, 63) + scan({2}, ac, 1, 63) +
             scan({3}, ac, 1, 63) + kEnd);
  ASSERT_TRUE(picture) << picture.error().message;
  EXPECT_TRUE(picture->chroma_is_flat);
  ASSERT_THAT(picture->pixels, SizeIs(12));
  for (std::size_t i = 0; i < 12; i += 3) EXPECT_EQ(picture->pixels[i], 139) << i;
}

TEST(DecodeEighth, RefusesAProgressionThatIsNotCompleteOrInOrder) {
  const std::string head =
      kStart + quantisation(8) + tables() + frame({.width = 16, .marker = 0xC2});
  BitWriter dc;
  put_dc(dc, 4);
  put_dc(dc, 0);
  const std::string dc_scan = scan({1}, dc.text(), 0, 0);
  const std::string ac_scan = scan({1}, "\x0F", 1, 63);
  EXPECT_EQ(refusal(head + dc_scan + ac_scan + kEnd), "taken");
  EXPECT_EQ(refusal(head + dc_scan + kEnd), "not sent to the last bit");
  EXPECT_EQ(refusal(head + dc_scan + scan({1}, "\x0F", 1, 62) + kEnd), "not sent to the last bit");
  EXPECT_EQ(refusal(head + ac_scan + dc_scan + kEnd), "AC before DC");
  EXPECT_EQ(refusal(head + dc_scan + dc_scan + ac_scan + kEnd), "progression");
  EXPECT_EQ(refusal(head + dc_scan + scan({1}, "\x0F", 1, 63, 0x20) + kEnd), "scan parameters");
  EXPECT_EQ(refusal(head + scan({1}, dc.text(), 0, 63) + kEnd), "scan parameters");
}

TEST(DecodeEighth, RefusesEveryBeginningOfAFile) {
  for (const std::string& file :
       {grey({1, 2, 3}), progressive(), with_restarts(0xD0),
        half_chroma([](BitWriter& out) { out.put(0, 4).put(0, 4).put(0, 4).put(0, 4); })}) {
    ASSERT_EQ(refusal(file), "taken");
    for (std::size_t size = 0; size < file.size(); ++size)
      EXPECT_NE(refusal(file.substr(0, size)), "taken") << size;
    EXPECT_EQ(refusal(file + "what follows the end does not count"), "taken");
  }
}

TEST(DecodeEighth, RefusesDataThatIsTooShortOrTooLong) {
  BitWriter one;
  put_flat_block(one, 5);
  const auto file = [&](unsigned width, const std::string& data) {
    return kStart + quantisation(8) + tables() + frame({.width = width}) + scan({1}, data) + kEnd;
  };
  EXPECT_EQ(refusal(file(8, one.text())), "taken");
  EXPECT_EQ(refusal(file(16, one.text())), "data");
  EXPECT_EQ(refusal(file(8, one.text() + "\x55")), "data");
  EXPECT_EQ(refusal(file(8, "\x55\xFF\xD0\x55")), "data");
}

TEST(DecodeEighth, RefusesMoreBlocksThanBitsBeforeTakingMemory) {
  BitWriter out;
  put_flat_block(out, 1);
  EXPECT_EQ(refusal(kStart + quantisation(8) + tables() +
                    frame({.width = 65500, .height = 65500, .sampling = {0x11, 0x11, 0x11}}) +
                    scan({1, 2, 3}, out.text()) + kEnd),
            "more blocks than bits");
}

TEST(DecodeEighth, RefusesWhatIsBeyond16BitsWithTheWidestTables) {
  BitWriter out;
  put_flat_block(out, 4000);
  EXPECT_EQ(refusal(kStart + quantisation(65535, true) + tables() + frame({}) +
                    scan({1}, out.text()) + kEnd),
            "range");
  const auto chroma = [](BitWriter& bits) {
    put_dc(bits, 4000);
    bits.put(kRun5Big, 4).put(0x3FF, 10).put(kEob, 4);
    put_flat_block(bits, 0);
  };
  std::string file = half_chroma(chroma);
  const std::size_t narrow = file.find(quantisation(8));
  file.replace(narrow, quantisation(8).size(), quantisation(65535, true));
  EXPECT_EQ(refusal(file), "range");
}

TEST(DecodeEighth, LeavesOtherKindsToLibjpeg) {
  BitWriter out;
  for (int i = 0; i < 4; ++i) put_flat_block(out, 1);
  const std::string tail = scan({1}, out.text()) + kEnd;
  const std::string head = kStart + quantisation(8) + tables();
  const auto of_kind = [&](const Frame& f) { return refusal(head + frame(f) + tail); };
  EXPECT_EQ(of_kind({.precision = 12}), "precision");
  for (const int marker : {0xC3, 0xC5, 0xC9, 0xCA, 0xCB})
    EXPECT_EQ(of_kind({.marker = marker}), "marker");
  EXPECT_EQ(of_kind({.sampling = {0x11, 0x11, 0x11, 0x11}}), "components");
  EXPECT_EQ(of_kind({.sampling = {0x11, 0x11}}), "components");
  EXPECT_EQ(of_kind({.sampling = {0x31, 0x21, 0x11}}), "sampling");
  EXPECT_EQ(of_kind({.sampling = {0x44, 0x11, 0x11}}), "sampling");
  EXPECT_EQ(of_kind({.height = 0}), "no size");
  EXPECT_EQ(refusal(head + frame({.width = 32}) + segment(0xDC, u16(8)) + tail), "marker");
  const auto adobe = [](int transform) {
    return segment(0xEE, "Adobe" + bytes_of({0, 100, 0, 0, 0, 0, transform}));
  };
  BitWriter colour;
  for (int i = 0; i < 3; ++i) put_flat_block(colour, 1);
  const std::string three =
      head + frame({.sampling = {0x11, 0x11, 0x11}}) + "?" + scan({1, 2, 3}, colour.text()) + kEnd;
  const auto with = [&](const std::string& more) {
    std::string file = three;
    return refusal(file.replace(file.find('?', head.size()), 1, more));
  };
  EXPECT_EQ(with(""), "taken");
  EXPECT_EQ(with(adobe(1)), "taken");
  EXPECT_EQ(with(adobe(0)), "Adobe colours");
  EXPECT_EQ(with(adobe(2)), "Adobe colours");
  EXPECT_EQ(with("x"), "no marker after a segment");
}

/// Grey, 64 x 64 blocks of differing lengths, with data of some thousand bytes.
std::string long_grey(unsigned blocks_coded = 64 * 64) {
  BitWriter out;
  unsigned random = 1;
  for (unsigned i = 0; i < blocks_coded; ++i) {
    put_dc(out, i % 2 == 0 ? 3 : -3);
    random = random * 1103515245 + 12345;
    for (unsigned k = random >> 16 & 7; k-- > 0;) out.put(kOne, 4).put(random >> (20 + k) & 1, 1);
    out.put(kEob, 4);
  }
  return kStart + quantisation(8) + tables() + frame({.width = 512, .height = 512}) +
         scan({1}, out.text()) + kEnd;
}

TEST(DecodeEighth, MakesTheSameOfTwoStreamsAsOfOne) {
  const std::string file = long_grey();
  const auto bytes = base::as_bytes(file);
  const auto as_one = decode_eighth(bytes, file.size());
  const auto as_two = decode_eighth(bytes, 0);
  ASSERT_TRUE(as_one && as_two);
  EXPECT_EQ(as_one->pixels, as_two->pixels);
  for (std::size_t i = 0; i < as_two->pixels.size(); ++i)
    ASSERT_EQ(as_two->pixels[i], i % 2 == 0 ? 131 : 128) << i;
}

TEST(DecodeEighth, RefusesWithTwoStreamsWhatItRefusesWithOne) {
  for (const std::string& file : {long_grey(64 * 64 - 1), long_grey(64 * 64 + 1),
                                  long_grey(64 * 32), long_grey(64 * 64 + 500)})
    EXPECT_FALSE(decode_eighth(base::as_bytes(file), 0));
  // Damage in either half.
  for (const int part : {3, 10}) {
    std::string file = long_grey();
    file.replace(file.size() * static_cast<std::size_t>(part) / 13, 2, "\xFF\xD0");
    EXPECT_FALSE(decode_eighth(base::as_bytes(file), 0));
  }
}

HuffmanSpec spec_of(std::array<std::uint8_t, 16>& counts, std::span<const std::uint8_t> symbols) {
  return {counts, symbols};
}

TEST(HuffmanCode, FindsShortAndLongCodes) {
  // 0, then 10, ... up to a code of 16 bits.
  std::array<std::uint8_t, 16> counts;
  counts.fill(1);
  std::array<std::uint8_t, 16> symbols;
  for (unsigned i = 0; i < 16; ++i) symbols[i] = static_cast<std::uint8_t>(i);
  const auto code = HuffmanCode::make(spec_of(counts, symbols), true);
  ASSERT_TRUE(code);
  for (unsigned bits = 1; bits <= 16; ++bits) {
    const unsigned ones = (0xFFFFU << (17 - bits)) & 0xFFFF;
    EXPECT_EQ(code->find(ones).bits, bits);
    EXPECT_EQ(code->find(ones).value, bits - 1);
  }
  EXPECT_EQ(code->find(0xFFFF).bits, 0);
}

TEST(HuffmanCode, RefusesWhatIsNoCode) {
  std::array<std::uint8_t, 16> counts{2};  // 0 and 1: the code of all ones is not allowed
  std::array<std::uint8_t, 256> symbols{};
  EXPECT_FALSE(HuffmanCode::make(spec_of(counts, symbols), false));
  counts = {1, 1, 3};
  EXPECT_FALSE(HuffmanCode::make(spec_of(counts, symbols), false));
  counts = {0, 1};
  symbols[0] = 16;
  EXPECT_FALSE(HuffmanCode::make(spec_of(counts, symbols), true));
  EXPECT_TRUE(HuffmanCode::make(spec_of(counts, symbols), false));
  EXPECT_FALSE(HuffmanCode::make({}, false));
}

}  // namespace
}  // namespace imgproc::image::jpeg_dc
