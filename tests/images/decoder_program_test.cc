// The real decoder program through the real pool, without a corpus: what is shipped works, also
// from a copied folder.

#include <gtest/gtest.h>

#include <filesystem>

#include "base/bytes.h"
#include "base/random.h"
#include "decoder/decoder_pool.h"
#include "pipeline/media_type.h"

namespace imgproc {
namespace {

// A PNG of one red pixel.
constexpr std::string_view kRedPixel =
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000"
    "000c4944415478da63f8cfc0000003010100f70341430000000049454e44ae426082";

class CopiedFolder {
 public:
  CopiedFolder()
      : path_(std::filesystem::temp_directory_path() / ("decoder-test-" + base::random_hex(8))) {
    std::filesystem::create_directory(path_);
    for (const auto& entry : std::filesystem::directory_iterator(IMGPROC_DECODER_FOLDER)) {
      const std::string name = entry.path().filename().string();
      if (name == "decoder" || name.starts_with("libvips"))
        std::filesystem::copy(entry.path(), path_ / name);
    }
  }
  ~CopiedFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  CopiedFolder(const CopiedFolder&) = delete;
  CopiedFolder& operator=(const CopiedFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

TEST(DecoderProgram, MakesRenditionsFromACopiedFolder) {
  const CopiedFolder folder;
  decoder::DecoderPool pool({.program = folder.path() / "decoder"});
  const std::string png = base::from_hex(kRedPixel).value();
  auto job = pool.open(png.size());
  ASSERT_TRUE(job);
  std::ranges::copy(base::as_bytes(png), (*job)->input().begin());
  ports::ImageOrder order;
  for (const auto format : {ports::OutputFormat::jpeg, ports::OutputFormat::png,
                            ports::OutputFormat::webp, ports::OutputFormat::avif}) {
    ports::RenditionSpec spec{.name = std::string(ports::to_string(format)), .width = 10};
    spec.enlarge = true;
    spec.format = format;
    order.renditions.push_back(spec);
  }
  const auto result = (*job)->run(order);
  ASSERT_TRUE(result) << result.error().describe();
  ASSERT_FALSE(result->error) << result->error->describe();
  EXPECT_EQ(result->metadata.format, "png");
  EXPECT_EQ(result->metadata.width, 1u);
  ASSERT_EQ(result->renditions.size(), 4u);
  const std::string_view magics[] = {"\xFF\xD8\xFF", "\x89PNG", "RIFF"};
  for (std::size_t i = 0; i < 4; ++i) {
    ASSERT_FALSE(result->renditions[i].error) << result->renditions[i].error->describe();
    EXPECT_EQ(result->renditions[i].width, 10u);
    const std::string_view bytes = base::as_text(result->renditions[i].bytes);
    if (i < 3)
      EXPECT_TRUE(bytes.starts_with(magics[i]));
    else
      EXPECT_EQ(bytes.substr(4, 8), "ftypavif");
  }
}

TEST(DecoderProgram, RefusesTextWithItsType) {
  decoder::DecoderPool pool({.program = std::filesystem::path(IMGPROC_DECODER_FOLDER) / "decoder"});
  auto job = pool.open(5);
  ASSERT_TRUE(job);
  std::ranges::copy(base::as_bytes("hello"), (*job)->input().begin());
  const auto result = (*job)->run({});
  ASSERT_TRUE(result) << result.error().describe();
  ASSERT_TRUE(result->error);
  EXPECT_EQ(result->error->code, ports::kUnsupportedFormat);
  EXPECT_EQ(result->metadata.content_type, "text/plain");
}

// The pipeline chooses the recipe by its own look at the first bytes, without an engine. A record
// whose type would name another recipe than the one that was used would never count as done.
TEST(DecoderProgram, TellsTypesAsThePipelineDoes) {
  using namespace std::string_view_literals;
  const std::string_view heads[] = {
      "\xFF\xD8\xFF\xE0 and so on"sv,
      "\x89PNG\r\n\x1A\n and so on"sv,
      "GIF87a and so on"sv,
      "GIF89a and so on"sv,
      "RIFF\x10\0\0\0WEBPVP8 and so on"sv,
      "II*\0 and so on"sv,
      "MM\0* and so on"sv,
      "II+\0 and so on"sv,
      "MM\0+ and so on"sv,
      "\0\0\0\x14"
      "ftypavif\0\0\0\0avif"sv,
      "\0\0\0\x18"
      "ftypmif1\0\0\0\0mif1avif"sv,
      "\0\0\0\x14"
      "ftypheic\0\0\0\0heic"sv,
      "\0\0\0\x18"
      "ftypmif1\0\0\0\0mif1heic"sv,
      "\0\0\0\x14"
      "ftypmif1\0\0\0\0mif1"sv,
      "\0\0\0\x14"
      "ftypisom\0\0\0\0mp41"sv,
      "\xFF\x0A\xFA\x7F\x01"sv,
      "\0\0\0\x0CJXL \r\n\x87\n and so on"sv,
      "\0\0\0\x0CjP  \r\n\x87\n and so on"sv,
      "BM\x01\0\0\0"sv,
      "\0\0\1\0\1\0"sv,
      "8BPS\0\1"sv,
      "%PDF-1.7\n"sv,
      "<svg xmlns='http://www.w3.org/2000/svg'/>"sv,
      "\1\2\3\4 nothing known"sv,
  };
  decoder::DecoderPool pool({.program = std::filesystem::path(IMGPROC_DECODER_FOLDER) / "decoder"});
  for (const std::string_view head : heads) {
    auto job = pool.open(head.size());
    ASSERT_TRUE(job);
    std::ranges::copy(base::as_bytes(head), (*job)->input().begin());
    const auto result = (*job)->run({});
    ASSERT_TRUE(result) << result.error().describe();
    EXPECT_EQ(result->metadata.content_type, pipeline::media_type_of(base::as_bytes(head)))
        << base::to_hex(head);
  }
}

}  // namespace
}  // namespace imgproc
