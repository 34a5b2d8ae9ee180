#include "image/exif.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/bytes.h"
#include "image/icc_name.h"

namespace imgproc::image {
namespace {

using namespace std::string_literals;

constexpr std::uint16_t kAscii = 2, kShort = 3, kLong = 4, kRational = 5;

/// Writes little-endian EXIF blocks by hand.
class BlockWriter {
 public:
  BlockWriter() { text_ = "Exif\0\0II*\0"s; }
  void u16(std::uint32_t value) {
    text_.push_back(static_cast<char>(value));
    text_.push_back(static_cast<char>(value >> 8));
  }
  void u32(std::uint32_t value) {
    u16(value & 0xFFFF);
    u16(value >> 16);
  }
  void entry(std::uint16_t tag, std::uint16_t type, std::uint32_t count, std::uint32_t value) {
    u16(tag);
    u16(type);
    u32(count);
    u32(value);
  }
  void raw(std::string_view bytes) { text_ += bytes; }
  /// Offset that the next byte will have, counted as EXIF counts.
  [[nodiscard]] std::uint32_t here() const { return static_cast<std::uint32_t>(text_.size() - 6); }
  [[nodiscard]] Exif parse() const { return parse_exif(base::as_bytes(text_)); }

 private:
  std::string text_;
};

TEST(Exif, ReadsCameraAndExposureAndLeavesOutWhatIsPrivate) {
  BlockWriter block;
  block.u32(8);
  block.u16(5);
  constexpr std::uint32_t kData = 8 + 2 + 5 * 12 + 4;
  block.entry(0x010F, kAscii, 6, kData);       // Make
  block.entry(0x8298, kAscii, 4, 0x00A94341);  // Copyright, inline "AC\xA9"
  block.entry(0x8825, kLong, 1, 0);            // GPS directory
  block.entry(0x013B, kAscii, 6, kData);       // Artist
  block.entry(0x8769, kLong, 1, kData + 6);    // Exif directory
  block.u32(0);
  block.raw("Canon\0"s);
  block.u16(6);
  constexpr std::uint32_t kMore = kData + 6 + 2 + 6 * 12 + 4;
  block.entry(0x829A, kRational, 1, kMore);    // ExposureTime 1/200
  block.entry(0x8827, kShort, 1, 400);         // PhotographicSensitivity
  block.entry(0x9003, kAscii, 20, kMore + 8);  // DateTimeOriginal
  block.entry(0x9011, kAscii, 7, kMore + 28);  // OffsetTimeOriginal
  block.entry(0xA431, kAscii, 4, 0x00333231);  // BodySerialNumber
  block.entry(0xA430, kAscii, 4, 0x00333231);  // CameraOwnerName
  block.u32(0);
  block.u32(1);
  block.u32(200);
  block.raw("2024:05:06 07:08:09\0"s);
  block.raw("+02:00\0"s);

  const Exif exif = block.parse();
  EXPECT_EQ(std::get<std::string>(exif.values.at("Make")), "Canon");
  EXPECT_EQ(std::get<std::string>(exif.values.at("Copyright")), "AC\xC2\xA9");
  EXPECT_DOUBLE_EQ(std::get<double>(exif.values.at("ExposureTime")), 1.0 / 200);
  EXPECT_DOUBLE_EQ(std::get<double>(exif.values.at("PhotographicSensitivity")), 400);
  EXPECT_EQ(exif.taken_at, "2024-05-06T07:08:09+02:00");
  EXPECT_EQ(exif.values.size(), 6u);
}

TEST(Exif, SurvivesHostileCountsAndOffsets) {
  for (const std::uint32_t count : {0u, 1u, 0x7FFFFFFFu, 0xFFFFFFFFu}) {
    for (const std::uint32_t offset : {0u, 8u, 60000u, 0xFFFFFFF0u}) {
      BlockWriter block;
      block.u32(8);
      block.u16(0xFFFF);
      for (const int type : {1, 2, 3, 4, 5, 7, 9, 10, 129, 60000})
        for (const int tag : {0x010F, 0x0110, 0x8769, 0x8298})
          block.entry(static_cast<std::uint16_t>(tag), static_cast<std::uint16_t>(type), count,
                      offset);
      const Exif exif = block.parse();
      EXPECT_LE(exif.values.size(), 10u);
    }
  }
}

TEST(Exif, DirectoryThatPointsAtItselfEnds) {
  BlockWriter block;
  block.u32(8);
  block.u16(2);
  block.entry(0x8769, kLong, 1, 8);
  block.entry(0x0110, kAscii, 4, 0x00444342);
  block.u32(8);
  EXPECT_EQ(block.parse().values.size(), 1u);
}

TEST(Exif, LooksAtSoManyEntriesOnly) {
  BlockWriter block;
  block.u32(8);
  block.u16(kExifEntriesMax + 1);
  for (int i = 0; i < kExifEntriesMax; ++i) block.entry(0x0001, kShort, 1, 0);
  block.entry(0x0110, kAscii, 4, 0x00444342);
  EXPECT_TRUE(block.parse().values.empty());
}

TEST(Exif, DropsNumbersThatAreNone) {
  BlockWriter block;
  block.u32(8);
  block.u16(1);
  block.entry(0x8769, kLong, 1, 8 + 2 + 12 + 4);
  block.u32(0);
  block.u16(2);
  constexpr std::uint32_t kData = 8 + 2 + 12 + 4 + 2 + 2 * 12 + 4;
  block.entry(0x829A, kRational, 1, kData);      // 1/0
  block.entry(0x829D, kRational, 1, kData + 8);  // 0/0
  block.u32(0);
  for (const std::uint32_t value : {1u, 0u, 0u, 0u}) block.u32(value);
  EXPECT_TRUE(block.parse().values.empty());
}

TEST(Exif, RefusesDatesOutOfRange) {
  for (const char* date : {"0000:00:00 00:00:00", "2024:13:01 00:00:00", "2024:02:30 00:00:00",
                           "2024:01:01 24:00:00", "    :  :     :  :  ", "2024-01-01"}) {
    BlockWriter block;
    block.u32(8);
    block.u16(1);
    block.entry(0x8769, kLong, 1, 8 + 2 + 12 + 4);
    block.u32(0);
    block.u16(1);
    block.entry(0x9003, kAscii, 20, block.here() + 12 + 4);
    block.u32(0);
    block.raw(date);
    block.raw("\0"s);
    EXPECT_EQ(block.parse().taken_at, "") << date;
  }
}

TEST(Exif, CutsLongText) {
  BlockWriter block;
  block.u32(8);
  block.u16(1);
  block.entry(0x0110, kAscii, 50000, 8 + 2 + 12 + 4);
  block.u32(0);
  block.raw(std::string(50000, 'm'));
  EXPECT_EQ(std::get<std::string>(block.parse().values.at("Model")).size(), kExifTextBytesMax);
}

TEST(IccName, ReadsBothKindsOfDescription) {
  const std::string head(128, '\0');
  const std::string table = "\0\0\0\1desc\0\0\0\x90\0\0\0\x40"s;  // one tag, at 144
  const std::string text =
      "desc\0\0\0\0\0\0\0\x12"
      "Adobe RGB (1998)\0"s;
  EXPECT_EQ(icc_name(base::as_bytes(head + table + text)), "Adobe RGB (1998)");

  const std::string unicode =
      "mluc\0\0\0\0\0\0\0\1\0\0\0\x0C"
      "enUS\0\0\0\4\0\0\0\x1C\0P\0"
      "3"s;
  EXPECT_EQ(icc_name(base::as_bytes(head + table + unicode)), "P3");
}

TEST(IccName, IsEmptyForDamagedProfiles) {
  EXPECT_EQ(icc_name({}), "");
  EXPECT_EQ(icc_name(base::as_bytes(std::string(200, '\xFF'))), "");
  const std::string lies = std::string(128, '\0') +
                           "\xFF\xFF\xFF\xFF"
                           "desc\xFF\xFF\xFF\xF0\xFF\xFF\xFF\xFF"s;
  EXPECT_EQ(icc_name(base::as_bytes(lies)), "");
  EXPECT_EQ(icc_name(base::as_bytes(std::string(kIccBytesMax + 1, '\0'))), "");
}

}  // namespace
}  // namespace imgproc::image
