#include "image/header.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace imgproc::image {
namespace {

using namespace std::string_literals;

std::string be16(unsigned value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}
std::string be32(std::uint32_t value) {
  return be16(value >> 16) + be16(value & 0xFFFF);
}
std::string le16(unsigned value) {
  return {static_cast<char>(value), static_cast<char>(value >> 8)};
}
std::string le32(std::uint32_t value) {
  return le16(value & 0xFFFF) + le16(value >> 16);
}

std::string jpeg(unsigned width, unsigned height, int scans, char frame_marker = '\xC2') {
  std::string file = "\xFF\xD8\xFF\xE0\0\4XX"s;
  file += "\xFF"s + frame_marker + be16(11) + "\x08" + be16(height) + be16(width) + "\1\1\x11\0"s;
  for (int i = 0; i < scans; ++i)
    file += "\xFF\xDA\0\x08\1\1\0\0\0\0"s + "data\xFF\0more\xFF\xD0x"s;
  return file + "\xFF\xD9";
}

std::string png(std::uint32_t width, std::uint32_t height, char interlace = '\0') {
  return "\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR"s + be32(width) + be32(height) + "\x08\2\0\0"s +
         interlace + "crc4";
}

std::string gif(unsigned width, unsigned height, int frames) {
  std::string file = "GIF89a"s + le16(width) + le16(height) + "\x80\0\0"s + std::string(6, '\0');
  file += "\x21\xFF\x0BNETSCAPE2.0\3\1\0\0\0"s;
  for (int i = 0; i < frames; ++i)
    file += "\x21\xF9\4\0\0\0\0\0,\0\0\0\0"s + le16(1) + le16(1) + "\0\2\2\x4C\1\0"s;
  return file + ";";
}

std::string riff(const std::string& chunks) {
  return "RIFF"s + le32(static_cast<std::uint32_t>(chunks.size() + 4)) + "WEBP" + chunks;
}

std::string tiff(std::uint32_t width, std::uint32_t height, int pages) {
  std::string file = "II*\0"s + le32(8);
  for (int i = 0; i < pages; ++i) {
    const auto next = static_cast<std::uint32_t>(file.size() + 2 + 24 + 4);
    file += le16(2) + le16(256) + le16(4) + le32(1) + le32(width) + le16(257) + le16(4) + le32(1) +
            le32(height) + le32(i + 1 < pages ? next : 0);
  }
  return file;
}

base::Result<Header> read(FileType type, const std::string& file) {
  return read_header(type, base::as_bytes(file));
}

TEST(JpegHeader, CountsScansAndReadsSize) {
  const auto header = read(FileType::jpeg, jpeg(640, 480, 7));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->width, 640u);
  EXPECT_EQ(header->height, 480u);
  EXPECT_EQ(header->scans, 7u);
  EXPECT_TRUE(header->needs_whole_picture);
  EXPECT_FALSE(read(FileType::jpeg, jpeg(640, 480, 1, '\xC0'))->needs_whole_picture);
}

TEST(JpegHeader, SecondPictureInTheFileIsNotCounted) {
  EXPECT_EQ(read(FileType::jpeg, jpeg(64, 48, 1) + jpeg(64, 48, 90))->scans, 1u);
}

TEST(JpegHeader, DamagedFilesAreErrors) {
  EXPECT_EQ(read(FileType::jpeg, "\xFF\xD8\xFF"s).error().code, ports::kCorruptImage);
  EXPECT_EQ(read(FileType::jpeg, jpeg(0, 480, 1)).error().code, ports::kCorruptImage);
  EXPECT_EQ(read(FileType::jpeg, jpeg(640, 480, 0)).error().code, ports::kCorruptImage);
}

TEST(PngHeader, ReadsSize) {
  const auto header = read(FileType::png, png(70000, 3, '\1'));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->width, 70000u);
  EXPECT_EQ(header->height, 3u);
  EXPECT_TRUE(header->needs_whole_picture);
  EXPECT_EQ(read(FileType::png, png(0, 3)).error().code, ports::kCorruptImage);
  EXPECT_EQ(read(FileType::png, "\x89PNG\r\n\x1A\n"s).error().code, ports::kCorruptImage);
}

TEST(PngHeader, MorePixelsThanItsBytesCanHoldAreAnError) {
  const auto header = read(FileType::png, png(1032, 100));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->file_bytes_min, 300u);
  EXPECT_TRUE(check_plausible(*header, 300));
  EXPECT_EQ(check_plausible(*header, 299).error().code, ports::kCorruptImage);
}

TEST(GifHeader, CountsFrames) {
  const auto header = read(FileType::gif, gif(20, 10, 300));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->frames, 300u);
  EXPECT_EQ(header->width, 20u);
  EXPECT_FALSE(read(FileType::gif, gif(20, 10, 0)));
}

TEST(WebpHeader, ReadsAllThreeKinds) {
  const std::string lossless = "VP8L"s + le32(5) + "\x2F" + le32(99u | 49u << 14) + "\0"s;
  auto header = read(FileType::webp, riff(lossless));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->width, 100u);
  EXPECT_EQ(header->height, 50u);
  EXPECT_TRUE(header->needs_whole_picture);

  const std::string lossy = "VP8 "s + le32(10) + "\0\0\0\x9D\x01\x2A"s + le16(100) + le16(50);
  header = read(FileType::webp, riff(lossy));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->width, 100u);
  EXPECT_FALSE(header->needs_whole_picture);

  const std::string extended = "VP8X"s + le32(10) + "\2\0\0\0"s + "\x63\0\0"s + "\x31\0\0"s;
  header = read(FileType::webp, riff(extended + "ANMF"s + le32(0) + "ANMF"s + le32(0)));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->width, 100u);
  EXPECT_EQ(header->height, 50u);
  EXPECT_EQ(header->frames, 2u);
}

TEST(TiffHeader, CountsPagesAndStopsInLoops) {
  const auto header = read(FileType::tiff, tiff(400, 300, 3));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->width, 400u);
  EXPECT_EQ(header->height, 300u);
  EXPECT_EQ(header->frames, 3u);

  std::string loop = tiff(2, 2, 1);
  loop.replace(loop.size() - 4, 4, le32(8));
  EXPECT_EQ(read(FileType::tiff, loop)->frames, 1u);
}

TEST(AvifHeader, TakesTheLargestDeclaredSize) {
  const auto box = [](const std::string& type, const std::string& content) {
    return be32(static_cast<std::uint32_t>(content.size() + 8)) + type + content;
  };
  const auto ispe = [&](std::uint32_t width, std::uint32_t height) {
    return box("ispe", be32(0) + be32(width) + be32(height));
  };
  const std::string meta =
      box("meta", be32(0) + box("iprp", box("ipco", ispe(64, 64) + ispe(1280, 720))));
  const auto header = read(FileType::avif, box("ftyp", "avif") + meta);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->width, 1280u);
  EXPECT_EQ(header->height, 720u);
  EXPECT_FALSE(read(FileType::avif, box("ftyp", "avif") + be32(7) + "meta"));
}

/// Every cut of every file is an answer or a typed error, never more.
TEST(Headers, SurviveEveryTruncation) {
  const std::pair<FileType, std::string> files[] = {
      {FileType::jpeg, jpeg(64, 48, 3)},
      {FileType::png, png(64, 48)},
      {FileType::gif, gif(64, 48, 3)},
      {FileType::tiff, tiff(64, 48, 3)},
      {FileType::webp, riff("VP8 "s + le32(10) + "\0\0\0\x9D\x01\x2A"s + le16(64) + le16(48))}};
  for (const auto& [type, file] : files) {
    for (std::size_t size = 0; size <= file.size(); ++size) {
      const auto header = read(type, file.substr(0, size));
      if (header) {
        EXPECT_LE(header->width, 64u);
      } else {
        EXPECT_EQ(header.error().code, ports::kCorruptImage);
      }
    }
  }
}

TEST(Limits, RefuseFromTheHeader) {
  const ports::ImageLimits limits;
  Header header{.type = FileType::png, .width = 20000, .height = 14000};
  EXPECT_EQ(check_declared(header, limits).error().code, ports::kTooManyPixels);
  header = {.type = FileType::jpeg, .width = 100, .height = 100, .scans = 101};
  EXPECT_EQ(check_declared(header, limits).error().code, ports::kTooManyScans);
  header.scans = 100;
  EXPECT_TRUE(check_declared(header, limits));
}

TEST(Limits, FramesCountWhereTheyAreDecoded) {
  const ports::ImageLimits limits;
  Header header{.type = FileType::gif, .width = 10, .height = 10, .frames = 257};
  EXPECT_EQ(check_frames(header, true, limits).error().code, ports::kTooManyFrames);
  EXPECT_TRUE(check_frames(header, false, limits));
  header.frames = kFramesPassedOverMax + 1;
  EXPECT_FALSE(check_frames(header, false, limits));
  header = {.type = FileType::tiff, .width = 10, .height = 10, .frames = 257};
  EXPECT_FALSE(check_frames(header, false, limits));
}

TEST(Limits, ShrinkOnLoadCountsOnlyWhereItSavesMemory) {
  const ports::ImageLimits limits;
  Header header{.type = FileType::jpeg, .width = 16000, .height = 16000};
  EXPECT_FALSE(check_decoded(header, 1, 1, limits));
  EXPECT_TRUE(check_decoded(header, 8, 1, limits));
  header.needs_whole_picture = true;
  EXPECT_FALSE(check_decoded(header, 8, 1, limits));
  header = {.type = FileType::gif, .width = 1000, .height = 1000, .frames = 101};
  EXPECT_FALSE(check_decoded(header, 1, 101, limits));
  EXPECT_TRUE(check_decoded(header, 1, 100, limits));
}

}  // namespace
}  // namespace imgproc::image
