#include "image/sniff.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace imgproc::image {
namespace {

using namespace std::string_view_literals;

struct Case {
  std::string_view bytes;
  std::string_view name;
  std::string_view media_type;
};

class SniffTable : public testing::TestWithParam<Case> {};

TEST_P(SniffTable, TellsTypeByContent) {
  const FileType type = sniff(base::as_bytes(GetParam().bytes));
  EXPECT_EQ(name_of(type), GetParam().name);
  EXPECT_EQ(media_type_of(type), GetParam().media_type);
}

INSTANTIATE_TEST_SUITE_P(
    AllTypes, SniffTable,
    testing::Values(Case{"\xFF\xD8\xFF\xE0"sv, "jpeg", "image/jpeg"},
                    Case{"\x89PNG\r\n\x1A\n\0\0"sv, "png", "image/png"},
                    Case{"GIF87a"sv, "gif", "image/gif"}, Case{"GIF89a"sv, "gif", "image/gif"},
                    Case{"RIFF\x10\0\0\0WEBPVP8 "sv, "webp", "image/webp"},
                    Case{"RIFF\x10\0\0\0WAVEfmt "sv, "unknown", "application/octet-stream"},
                    Case{"II*\0\x08\0\0\0"sv, "tiff", "image/tiff"},
                    Case{"MM\0*\0\0\0\x08"sv, "tiff", "image/tiff"},
                    Case{"II+\0\x08\0\0\0"sv, "tiff", "image/tiff"},
                    Case{"\0\0\0\x14"
                         "ftypavif\0\0\0\0mif1"sv,
                         "avif", "image/avif"},
                    Case{"\0\0\0\x18"
                         "ftypmif1\0\0\0\0mif1avif"sv,
                         "avif", "image/avif"},
                    Case{"\0\0\0\x14"
                         "ftypheic\0\0\0\0mif1"sv,
                         "heic", "image/heic"},
                    Case{"\0\0\0\x18"
                         "ftypmif1\0\0\0\0mif1heic"sv,
                         "heic", "image/heic"},
                    Case{"\0\0\0\x14"
                         "ftypisom\0\0\0\0mp41"sv,
                         "mp4", "video/mp4"},
                    Case{"\xFF\x0A\x00"sv, "jxl", "image/jxl"},
                    Case{"\0\0\0\x0CJXL \r\n\x87\n"sv, "jxl", "image/jxl"},
                    Case{"\0\0\0\x0CjP  \r\n\x87\n"sv, "jp2", "image/jp2"},
                    Case{"BM\x46\0\0\0"sv, "bmp", "image/bmp"},
                    Case{"\0\0\1\0\1\0"sv, "ico", "image/vnd.microsoft.icon"},
                    Case{"8BPS\0\1"sv, "psd", "image/vnd.adobe.photoshop"},
                    Case{"%PDF-1.7"sv, "pdf", "application/pdf"},
                    Case{"%!PS-Adobe-3.0 EPSF-3.0"sv, "postscript", "application/postscript"},
                    Case{"PK\3\4"sv, "zip", "application/zip"},
                    Case{"\x1F\x8B\x08\0"sv, "gzip", "application/gzip"},
                    Case{"<svg xmlns='http://www.w3.org/2000/svg'/>"sv, "svg", "image/svg+xml"},
                    Case{"\xEF\xBB\xBF\n <?xml version='1.0'?><!-- x --><svg/>"sv, "svg",
                         "image/svg+xml"},
                    Case{"\xFF\xFE<\0s\0v\0g\0>\0"sv, "svg", "image/svg+xml"},
                    Case{"<!DOCTYPE html><p>"sv, "html", "text/html"},
                    Case{"<?xml version='1.0'?><feed/>"sv, "xml", "application/xml"},
                    Case{"hello, world\n"sv, "text", "text/plain"},
                    Case{"MATLAB 5.0 MAT-file, Platform"sv, "text", "text/plain"},
                    Case{"\1\2\3"sv, "unknown", "application/octet-stream"},
                    Case{"\xFF\xD8"sv, "text", "text/plain"},
                    Case{""sv, "empty", "application/octet-stream"}));

TEST(Sniff, OnlySixTypesHaveALoader) {
  int decodable = 0;
  for (int i = 0; i <= static_cast<int>(FileType::unknown); ++i)
    decodable += is_decodable(static_cast<FileType>(i)) ? 1 : 0;
  EXPECT_EQ(decodable, 6);
  EXPECT_TRUE(is_decodable(FileType::avif));
  EXPECT_FALSE(is_decodable(FileType::heic));
  EXPECT_FALSE(is_decodable(FileType::svg));
}

TEST(Sniff, LooksAtTheHeadOnly) {
  // Markup far behind other text does not make a file SVG.
  std::string text(kSniffBytesMax + 100, 'x');
  text += "<svg>";
  EXPECT_EQ(sniff(base::as_bytes(text)), FileType::text);
}

}  // namespace
}  // namespace imgproc::image
