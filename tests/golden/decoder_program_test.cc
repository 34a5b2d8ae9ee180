// The real decoder program through the real pool, without a corpus: what is shipped works, also
// from a copied folder.

#include <gtest/gtest.h>

#include <filesystem>

#include "base/bytes.h"
#include "base/random.h"
#include "decoder/decoder_pool.h"

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

}  // namespace
}  // namespace imgproc
