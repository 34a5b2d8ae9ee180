#include "image/jpeg_eighth.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/bytes.h"
#include "base/file.h"
#include "image/decode.h"
#include "image/jpeg_dc/jpeg_dc.h"

namespace imgproc::image {
namespace {

namespace fs = std::filesystem;

ImagePtr must(base::Result<ImagePtr> image) {
  if (!image) throw std::runtime_error(image.error().describe());
  return std::move(*image);
}

enum class Colours { coloured, all_alike };

/// A picture of noise, in which no two blocks are alike; with Colours::all_alike its bands are.
ImagePtr busy_picture(int width, int height, int bands, Colours colours = Colours::coloured) {
  std::vector<VipsImage*> parts;
  for (int i = 0; i < bands; ++i) {
    VipsImage* noise = nullptr;
    const int kind = colours == Colours::coloured ? i : 0;
    if (vips_gaussnoise(&noise, width, height, "mean", 90.0 + 30 * kind, "sigma", 40.0, "seed",
                        7 + kind, nullptr) != 0)
      throw std::runtime_error(take_vips_error());
    parts.push_back(noise);
  }
  ImagePtr joined = must(apply(
      "join", [&](VipsImage** out) { return vips_bandjoin(parts.data(), out, bands, nullptr); }));
  for (VipsImage* part : parts) g_object_unref(part);
  ImagePtr bytes = must(apply("cast", [&](VipsImage** out) {
    return vips_cast(joined.get(), out, VIPS_FORMAT_UCHAR, nullptr);
  }));
  return must(apply("copy", [&](VipsImage** out) {
    return vips_copy(bytes.get(), out, "interpretation",
                     bands == 1 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB, "xres", 5.0,
                     "yres", 5.0, nullptr);
  }));
}

std::string saved(const ImagePtr& image, const std::string& suffix) {
  void* data = nullptr;
  std::size_t size = 0;
  if (vips_image_write_to_buffer(image.get(), suffix.c_str(), &data, &size, nullptr) != 0)
    throw std::runtime_error(take_vips_error());
  std::string bytes(static_cast<const char*>(data), size);
  g_free(data);
  return bytes;
}

/// Null where libvips refuses the file.
ImagePtr opened_by_vips(std::string_view bytes) {
  auto image = apply("open", [&](VipsImage** out) {
    return vips_jpegload_buffer(const_cast<char*>(bytes.data()), bytes.size(), out, "access",
                                VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_NONE, "shrink", 8,
                                nullptr);
  });
  return image ? std::move(*image) : nullptr;
}

std::string pixels_of(const ImagePtr& image) {
  std::size_t size = 0;
  void* data = vips_image_write_to_memory(image.get(), &size);
  if (data == nullptr) throw std::runtime_error(take_vips_error());
  std::string pixels(static_cast<const char*>(data), size);
  g_free(data);
  return pixels;
}

/// Every field of the header with its value, one per line; but for the name that libvips makes up
/// for a picture in memory.
std::string header_of(const ImagePtr& image) {
  std::string lines;
  char** fields = vips_image_get_fields(image.get());
  for (char** field = fields; *field != nullptr; ++field) {
    char* value = nullptr;
    if (std::string_view(*field) == "filename") continue;
    if (vips_image_get_as_string(image.get(), *field, &value) != 0) vips_error_clear();
    lines += std::string(*field) + ": " + (value != nullptr ? value : "?") + "\n";
    g_free(value);
  }
  g_strfreev(fields);
  return lines;
}

struct Kind {
  std::string name;
  int width, height, bands;
  std::string options;
  Colours colours = Colours::coloured;
};

class JpegEighth : public testing::TestWithParam<Kind> {};

TEST_P(JpegEighth, HasThePixelsAndTheHeaderOfLibvips) {
  const Kind& kind = GetParam();
  const std::string file =
      saved(busy_picture(kind.width, kind.height, kind.bands, kind.colours), ".jpg" + kind.options);
  const ImagePtr theirs = opened_by_vips(file);
  const ImagePtr ours = read_jpeg_eighth(theirs, base::as_bytes(file));
  ASSERT_NE(ours, nullptr) << "not taken";
  EXPECT_EQ(header_of(ours), header_of(theirs));
  EXPECT_EQ(pixels_of(ours), pixels_of(opened_by_vips(file)));
}

std::vector<Kind> kinds() {
  std::vector<Kind> all;
  for (const auto& [name, options] : std::vector<std::pair<std::string, std::string>>{
           {"full_chroma", "subsample_mode=off"},
           {"half_chroma", "subsample_mode=on"},
           {"progressive_full_chroma", "subsample_mode=off,interlace=true"},
           {"progressive_half_chroma", "subsample_mode=on,interlace=true"},
           {"restarts", "subsample_mode=on,restart_interval=3"},
           {"progressive_restarts", "subsample_mode=on,interlace=true,restart_interval=3"},
           {"coarse", "subsample_mode=on,Q=4"},
           {"fine", "subsample_mode=on,Q=100"},
           {"own_tables", "subsample_mode=off,optimize_coding=true"},
       }) {
    // Where chroma has half the resolution its AC coefficients are not read; here they are zero.
    const bool is_flat = options.contains("mode=on");
    const Colours colours = is_flat ? Colours::all_alike : Colours::coloured;
    for (const auto& [width, height] : {std::pair{203, 161}, {64, 64}, {8, 9}, {17, 8}})
      all.push_back(
          {name + "_" + std::to_string(width), width, height, 3, "[" + options + "]", colours});
    all.push_back({name + "_grey", 203, 161, 1, "[" + options + "]"});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(All, JpegEighth, testing::ValuesIn(kinds()),
                         [](const auto& test) { return test.param.name; });

TEST(ShrinkOnLoad, LeavesTheResizeOfAJpegItsHalfWhereThatIsCheap) {
  const Header jpeg{.type = FileType::jpeg};
  for (const auto& [allowed, taken] : std::vector<std::pair<double, double>>{
           {1, 1}, {1.99, 1}, {2, 2}, {7.99, 2}, {8, 4}, {15.99, 4}, {16, 8}, {300, 8}})
    EXPECT_EQ(shrink_on_load(jpeg, allowed, false), taken) << allowed;
}

TEST(OpenImage, DecodesAPlainJpegAtAnEighthByItself) {
  const std::string file = saved(busy_picture(160, 120, 3), ".jpg");
  const auto header = read_header(FileType::jpeg, base::as_bytes(file));
  ASSERT_TRUE(header);
  const auto open = open_image(*header, base::as_bytes(file), {.shrink = 8});
  ASSERT_TRUE(open);
  EXPECT_EQ(open->shrink, 8);
  // Only what was decoded already can be looked into.
  EXPECT_NE(vips_image_get_history(open->image.get()), nullptr);
  EXPECT_NE(VIPS_IMAGE_ADDR(open->image.get(), 0, 0), nullptr);
}

TEST(OpenImage, LeavesADamagedJpegToLibvips) {
  const std::string file = saved(busy_picture(160, 120, 3), ".jpg");
  const std::string half = file.substr(0, file.size() / 2);
  EXPECT_EQ(read_jpeg_eighth(opened_by_vips(half), base::as_bytes(half)), nullptr);
  const auto header = read_header(FileType::jpeg, base::as_bytes(half));
  ASSERT_TRUE(header);
  const auto open = open_image(*header, base::as_bytes(half), {.shrink = 8});
  ASSERT_TRUE(open);
  EXPECT_FALSE(decode(*open, {20, 15}));
}

/// Pictures with fewer pixels a side are test patterns rather than photos.
constexpr std::uint32_t kTellingSide = 100;

/// Mean difference of two pictures' samples at half the size, which is the largest rendition that
/// an eighth is taken for.
double difference_of_halves(const ImagePtr& one, const ImagePtr& other) {
  const auto half = [](const ImagePtr& image) {
    return must(apply(
        "half", [&](VipsImage** out) { return vips_shrink(image.get(), out, 2, 2, nullptr); }));
  };
  const ImagePtr a = must(to_memory(other, "open"));
  const ImagePtr difference = must(apply("difference", [&](VipsImage** out) {
    return vips_subtract(half(one).get(), half(a).get(), out, nullptr);
  }));
  const ImagePtr size = must(
      apply("size", [&](VipsImage** out) { return vips_abs(difference.get(), out, nullptr); }));
  double mean = 0;
  if (vips_avg(size.get(), &mean, nullptr) != 0) throw std::runtime_error(take_vips_error());
  return mean;
}

/// The collection of images beside the checkout, if there is one.
fs::path corpus() {
  const char* shared = std::getenv("IMGPROC_SHARED");
  return fs::path(shared != nullptr ? shared : IMGPROC_SHARED_FOLDER) / "corpus";
}

TEST(JpegEighthOfTheCorpus, HasThePixelsOfLibvips) {
  if (!fs::exists(corpus())) GTEST_SKIP() << "no corpus at " << corpus();
  int accepted = 0;
  for (const auto& entry : fs::recursive_directory_iterator(corpus())) {
    if (!entry.is_regular_file()) continue;
    const auto file = base::read_file(entry.path());
    ASSERT_TRUE(file);
    if (!file->starts_with("\xFF\xD8\xFF")) continue;
    const ImagePtr theirs = opened_by_vips(*file);
    if (theirs == nullptr) continue;
    const ImagePtr ours = read_jpeg_eighth(theirs, base::as_bytes(*file));
    if (ours == nullptr) continue;
    ++accepted;
    EXPECT_TRUE(header_of(ours) == header_of(theirs)) << entry.path();
    if (jpeg_dc::decode_eighth(base::as_bytes(*file))->chroma_is_flat) {
      // tests/jpeg_dc compares these with libjpeg, which can be told to leave chroma so.
      if (height_of(ours) >= kTellingSide && width_of(ours) >= kTellingSide) {
        EXPECT_LT(difference_of_halves(ours, opened_by_vips(*file)), 2) << entry.path();
      }
      continue;
    }
    EXPECT_TRUE(pixels_of(ours) == pixels_of(opened_by_vips(*file))) << entry.path();
  }
  vips_error_clear();
  EXPECT_GT(accepted, 100);
}

}  // namespace
}  // namespace imgproc::image
