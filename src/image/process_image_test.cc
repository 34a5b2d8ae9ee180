#include "image/process_image.h"

#include <gtest/gtest.h>

#include <deque>

#include "base/bytes.h"
#include "image/vips.h"

namespace imgproc::image {
namespace {

using ports::Fit;
using ports::ImageOrder;
using ports::OutputFormat;
using ports::RenditionSpec;

struct VipsOnce : testing::Environment {
  void SetUp() override { ASSERT_TRUE(initialise("image_test", nullptr)); }
};
const auto* const kVips = testing::AddGlobalTestEnvironment(new VipsOnce);

/// Test pictures and a look into results. Everything that fails is a broken test, so it throws.
ImagePtr must(base::Result<ImagePtr> image) {
  if (!image) throw std::runtime_error(image.error().describe());
  return std::move(*image);
}

struct Rgb {
  double r, g, b;
};

ImagePtr flat(int width, int height, Rgb color) {
  const double values[] = {color.r, color.g, color.b};
  ImagePtr black = must(apply("black", [&](VipsImage** out) {
    return vips_black(out, width, height, "bands", 3, nullptr);
  }));
  const double ones[] = {1, 1, 1};
  ImagePtr filled = must(apply("linear", [&](VipsImage** out) {
    return vips_linear(black.get(), out, ones, values, 3, "uchar", TRUE, nullptr);
  }));
  return must(apply("copy", [&](VipsImage** out) {
    return vips_copy(filled.get(), out, "interpretation", VIPS_INTERPRETATION_sRGB, nullptr);
  }));
}

/// Red, green / blue, white quarters: shows every turn and flip.
ImagePtr quarters(int width, int height) {
  const int w = width / 2, h = height / 2;
  std::array<ImagePtr, 4> parts{flat(w, h, {255, 0, 0}), flat(w, h, {0, 255, 0}),
                                flat(w, h, {0, 0, 255}), flat(w, h, {255, 255, 255})};
  std::array<VipsImage*, 4> raw{parts[0].get(), parts[1].get(), parts[2].get(), parts[3].get()};
  return must(apply("join", [&](VipsImage** out) {
    return vips_arrayjoin(raw.data(), out, 4, "across", 2, nullptr);
  }));
}

ImagePtr with_alpha(const ImagePtr& image, double alpha) {
  return must(apply("alpha", [&](VipsImage** out) {
    return vips_bandjoin_const1(image.get(), out, alpha, nullptr);
  }));
}

std::string saved(const ImagePtr& image, const char* suffix) {
  void* data = nullptr;
  std::size_t size = 0;
  if (vips_image_write_to_buffer(image.get(), suffix, &data, &size, nullptr) != 0)
    throw std::runtime_error(take_vips_error());
  std::string bytes(static_cast<const char*>(data), size);
  g_free(data);
  return bytes;
}

/// Results with the memory that their bytes live in.
struct Run {
  std::deque<std::vector<std::byte>> memory;
  ports::ImageResult result;
};

std::unique_ptr<Run> process(const std::string& file, std::vector<RenditionSpec> renditions,
                             ports::ImageLimits limits = {}) {
  auto run = std::make_unique<Run>();
  const ImageOrder order{limits, std::move(renditions)};
  auto result = process_image(base::as_bytes(file), order, [&](std::size_t size) {
    run->memory.emplace_back(size);
    return std::span<std::byte>(run->memory.back());
  });
  if (!result) throw std::runtime_error(result.error().describe());
  run->result = std::move(*result);
  return run;
}

ImagePtr opened(const ports::Rendition& rendition) {
  if (rendition.error) throw std::runtime_error(rendition.error->describe());
  VipsImage* image =
      vips_image_new_from_buffer(rendition.bytes.data(), rendition.bytes.size(), "", nullptr);
  if (image == nullptr) throw std::runtime_error(take_vips_error());
  return ImagePtr(image);
}

std::vector<double> pixel(const ImagePtr& image, int x, int y) {
  double* values = nullptr;
  int count = 0;
  if (vips_getpoint(image.get(), &values, &count, x, y, nullptr) != 0)
    throw std::runtime_error(take_vips_error());
  std::vector<double> result(values, values + count);
  g_free(values);
  return result;
}

void expect_pixel(const ImagePtr& image, int x, int y, const std::vector<double>& expected,
                  double tolerance) {
  const std::vector<double> got = pixel(image, x, y);
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    EXPECT_NEAR(got[i], expected[i], tolerance) << "band " << i << " at " << x << "," << y;
}

RenditionSpec spec(std::uint32_t width, std::uint32_t height, OutputFormat format) {
  RenditionSpec result{.name = "r", .width = width, .height = height};
  result.format = format;
  result.quality = 95;
  return result;
}

// --- What is made ------------------------------------------------------------------------------

TEST(ProcessImage, OneDecodeMakesAllFormatsAndSizes) {
  const std::string file = saved(quarters(800, 600), ".jpg");
  const auto run =
      process(file, {spec(100, 0, OutputFormat::jpeg), spec(200, 200, OutputFormat::png),
                     spec(50, 0, OutputFormat::webp), spec(64, 0, OutputFormat::avif),
                     spec(40, 0, OutputFormat::gif), spec(0, 0, OutputFormat::jpeg)});
  ASSERT_FALSE(run->result.error);
  const auto& made = run->result.renditions;
  ASSERT_EQ(made.size(), 6u);
  const std::pair<std::uint32_t, std::uint32_t> sizes[] = {{100, 75}, {200, 150}, {50, 38},
                                                           {64, 48},  {40, 30},   {800, 600}};
  for (std::size_t i = 0; i < made.size(); ++i) {
    const ImagePtr image = opened(made[i]);
    EXPECT_EQ(width_of(image), sizes[i].first);
    EXPECT_EQ(height_of(image), sizes[i].second);
    EXPECT_EQ(made[i].width, sizes[i].first);
    EXPECT_EQ(made[i].height, sizes[i].second);
    // A GIF always comes back with an alpha band.
    if (made[i].format == OutputFormat::gif)
      expect_pixel(image, 2, 2, {255, 0, 0, 255}, 12);
    else
      expect_pixel(image, 2, 2, {255, 0, 0}, 12);
  }
  EXPECT_EQ(run->result.metadata.width, 800u);
  EXPECT_EQ(run->result.metadata.format, "jpeg");
  EXPECT_EQ(run->result.metadata.content_type, "image/jpeg");
  EXPECT_EQ(run->result.metadata.color_space, "srgb");
  EXPECT_FALSE(run->result.metadata.degraded);
}

TEST(ProcessImage, SmallRenditionsShrinkOnLoadToTheExactSize) {
  for (const auto& [width, height] :
       {std::pair{799, 601}, std::pair{1023, 17}, std::pair{17, 1023}}) {
    const std::string file = saved(flat(width, height, {10, 200, 100}), ".jpg[Q=95]");
    const auto run = process(file, {spec(50, 50, OutputFormat::png)});
    ASSERT_FALSE(run->result.error);
    const ImagePtr image = opened(run->result.renditions[0]);
    EXPECT_EQ(std::max(width_of(image), height_of(image)), 50u);
    expect_pixel(image, 0, 0, {10, 200, 100}, 4);
    EXPECT_EQ(run->result.metadata.width, static_cast<unsigned>(width));
  }
}

TEST(ProcessImage, NothingIsEnlargedUnlessAsked) {
  const std::string file = saved(quarters(60, 40), ".png");
  RenditionSpec enlarged = spec(600, 0, OutputFormat::png);
  enlarged.enlarge = true;
  const auto run = process(file, {spec(600, 0, OutputFormat::png), enlarged});
  EXPECT_EQ(run->result.renditions[0].width, 60u);
  EXPECT_EQ(run->result.renditions[1].width, 600u);
  EXPECT_EQ(height_of(opened(run->result.renditions[1])), 400u);
}

class AllOrientations : public testing::TestWithParam<int> {};

TEST_P(AllOrientations, AreAppliedToPixelsAndSize) {
  const int orientation = GetParam();
  // Stored so that the upright picture has red, green / blue, white.
  const ImagePtr upright = quarters(80, 40);
  const auto turned = [&](VipsAngle angle, bool flip) {
    ImagePtr image = must(apply(
        "rot", [&](VipsImage** out) { return vips_rot(upright.get(), out, angle, nullptr); }));
    if (!flip) return image;
    return must(apply("flip", [&](VipsImage** out) {
      return vips_flip(image.get(), out, VIPS_DIRECTION_HORIZONTAL, nullptr);
    }));
  };
  // EXIF 2.32 table 4.6.4.A: where row 0 and column 0 of the stored picture are shown.
  ImagePtr stored;
  switch (orientation) {
    case 1:
      stored = turned(VIPS_ANGLE_D0, false);
      break;
    case 2:
      stored = turned(VIPS_ANGLE_D0, true);
      break;
    case 3:
      stored = turned(VIPS_ANGLE_D180, false);
      break;
    case 4:
      stored = turned(VIPS_ANGLE_D180, true);
      break;
    case 5:
      stored = turned(VIPS_ANGLE_D90, true);
      break;
    case 6:
      stored = turned(VIPS_ANGLE_D270, false);
      break;
    case 7:
      stored = turned(VIPS_ANGLE_D270, true);
      break;
    default:
      stored = turned(VIPS_ANGLE_D90, false);
      break;
  }
  stored =
      must(apply("copy", [&](VipsImage** out) { return vips_copy(stored.get(), out, nullptr); }));
  vips_image_set_int(stored.get(), VIPS_META_ORIENTATION, orientation);
  for (const char* suffix : {".jpg[Q=100]", ".png", ".webp[lossless]", ".tif"}) {
    const auto run = process(saved(stored, suffix), {spec(40, 0, OutputFormat::png)});
    ASSERT_FALSE(run->result.error) << suffix;
    EXPECT_EQ(run->result.metadata.orientation, orientation) << suffix;
    EXPECT_EQ(run->result.metadata.width, 80u) << suffix;
    EXPECT_EQ(run->result.metadata.height, 40u) << suffix;
    const ImagePtr image = opened(run->result.renditions[0]);
    ASSERT_EQ(width_of(image), 40u);
    ASSERT_EQ(height_of(image), 20u);
    expect_pixel(image, 5, 5, {255, 0, 0}, 8);
    expect_pixel(image, 35, 5, {0, 255, 0}, 8);
    expect_pixel(image, 5, 15, {0, 0, 255}, 8);
    expect_pixel(image, 35, 15, {255, 255, 255}, 8);
  }
}

INSTANTIATE_TEST_SUITE_P(Exif, AllOrientations, testing::Range(1, 9));

// --- Transparency and colour -------------------------------------------------------------------

TEST(ProcessImage, TransparencyIsFlattenedOntoTheBackgroundInJpegOnly) {
  const std::string file = saved(with_alpha(flat(40, 40, {255, 0, 0}), 0), ".png");
  RenditionSpec on_green = spec(20, 20, OutputFormat::jpeg);
  on_green.background = {0, 255, 0, 255};
  const auto run = process(file, {on_green, spec(20, 20, OutputFormat::png)});
  expect_pixel(opened(run->result.renditions[0]), 10, 10, {0, 255, 0}, 4);
  EXPECT_EQ(pixel(opened(run->result.renditions[1]), 10, 10)[3], 0);
  EXPECT_TRUE(run->result.metadata.has_alpha);
}

TEST(ProcessImage, HiddenColourDoesNotBleedIntoTheEdge) {
  // Left opaque white, right transparent black: a plain average would turn the edge grey.
  const ImagePtr left = with_alpha(flat(64, 64, {255, 255, 255}), 255);
  const ImagePtr right = with_alpha(flat(64, 64, {0, 0, 0}), 0);
  const ImagePtr both = must(apply("join", [&](VipsImage** out) {
    return vips_join(left.get(), right.get(), out, VIPS_DIRECTION_HORIZONTAL, nullptr);
  }));
  const auto run = process(saved(both, ".png"), {spec(9, 0, OutputFormat::png)});
  const ImagePtr image = opened(run->result.renditions[0]);
  const std::vector<double> edge = pixel(image, 4, 2);
  EXPECT_GT(edge[3], 60);
  EXPECT_LT(edge[3], 200);
  EXPECT_GT(edge[0], 245);
}

TEST(ProcessImage, AutomaticFormatFollowsRealTransparency) {
  const auto format_of = [](const ImagePtr& image) {
    return process(saved(image, ".png"), {spec(10, 0, OutputFormat::automatic)})
        ->result.renditions[0]
        .format;
  };
  EXPECT_EQ(format_of(flat(20, 20, {1, 2, 3})), OutputFormat::jpeg);
  EXPECT_EQ(format_of(with_alpha(flat(20, 20, {1, 2, 3}), 255)), OutputFormat::jpeg);
  EXPECT_EQ(format_of(with_alpha(flat(20, 20, {1, 2, 3}), 254)), OutputFormat::webp);
}

TEST(ProcessImage, WideGamutProfileIsConvertedToSrgb) {
  // Pure sRGB red, written in Display P3 with its profile embedded.
  const ImagePtr red = flat(32, 32, {255, 0, 0});
  const ImagePtr p3 = must(apply("p3", [&](VipsImage** out) {
    return vips_icc_transform(red.get(), out, "p3", "input_profile", "srgb", nullptr);
  }));
  ASSERT_LT(pixel(p3, 0, 0)[0], 240);
  const auto run = process(saved(p3, ".png"), {spec(16, 0, OutputFormat::png)});
  const ImagePtr image = opened(run->result.renditions[0]);
  expect_pixel(image, 8, 8, {255, 0, 0}, 3);
  EXPECT_FALSE(run->result.metadata.icc_profile.empty());
  EXPECT_EQ(vips_image_get_typeof(image.get(), VIPS_META_ICC_NAME), 0u);
}

TEST(ProcessImage, CmykIsConverted) {
  const ImagePtr blue = flat(32, 32, {20, 40, 200});
  const ImagePtr cmyk = must(apply("cmyk", [&](VipsImage** out) {
    return vips_icc_transform(blue.get(), out, "cmyk", "input_profile", "srgb", nullptr);
  }));
  for (const char* suffix : {".jpg[Q=100]", ".jpg[Q=100,keep=none]", ".tif"}) {
    const auto run = process(saved(cmyk, suffix), {spec(16, 0, OutputFormat::png)});
    ASSERT_FALSE(run->result.error) << suffix;
    EXPECT_EQ(run->result.metadata.color_space, "cmyk");
    const std::vector<double> got = pixel(opened(run->result.renditions[0]), 8, 8);
    ASSERT_EQ(got.size(), 3u);
    EXPECT_GT(got[2], got[0] + 60) << suffix;
  }
}

TEST(ProcessImage, SixteenBitsBecomeEight) {
  const ImagePtr deep = must(apply("rgb16", [&](VipsImage** out) {
    return vips_colourspace(with_alpha(flat(20, 20, {10, 128, 250}), 128).get(), out,
                            VIPS_INTERPRETATION_RGB16, nullptr);
  }));
  for (const char* suffix : {".png", ".tif"}) {
    const auto run = process(saved(deep, suffix), {spec(10, 0, OutputFormat::png)});
    const ImagePtr image = opened(run->result.renditions[0]);
    EXPECT_EQ(vips_image_get_format(image.get()), VIPS_FORMAT_UCHAR);
    expect_pixel(image, 5, 5, {10, 128, 250, 128}, 2);
  }
}

TEST(ProcessImage, GreyStaysGrey) {
  const ImagePtr grey = must(apply("grey", [&](VipsImage** out) {
    return vips_colourspace(flat(20, 20, {90, 90, 90}).get(), out, VIPS_INTERPRETATION_B_W,
                            nullptr);
  }));
  RenditionSpec padded = spec(30, 40, OutputFormat::png);
  padded.fit = Fit::contain;
  padded.background = {255, 0, 0, 255};
  const auto run = process(saved(grey, ".png"), {spec(10, 0, OutputFormat::jpeg), padded});
  expect_pixel(opened(run->result.renditions[0]), 5, 5, {90}, 2);
  const ImagePtr image = opened(run->result.renditions[1]);
  EXPECT_EQ(width_of(image), 30u);
  EXPECT_EQ(height_of(image), 40u);
  expect_pixel(image, 0, 0, {255, 0, 0}, 0);
  expect_pixel(image, 15, 20, {90, 90, 90}, 2);
}

// --- Cutting and padding -----------------------------------------------------------------------

TEST(ProcessImage, CoverKeepsThePositionAskedFor) {
  const std::string file = saved(quarters(80, 40), ".png");
  RenditionSpec left = spec(20, 20, OutputFormat::png);
  left.fit = Fit::cover;
  left.position = ports::Position::left;
  RenditionSpec right = left;
  right.position = ports::Position::right;
  const auto run = process(file, {left, right});
  expect_pixel(opened(run->result.renditions[0]), 5, 5, {255, 0, 0}, 2);
  expect_pixel(opened(run->result.renditions[1]), 15, 5, {0, 255, 0}, 2);
}

TEST(ProcessImage, AttentionAndEntropyFindTheOnlyThingThere) {
  const ImagePtr white = flat(400, 100, {250, 250, 250});
  const ImagePtr thing = quarters(60, 60);
  const ImagePtr scene = must(apply("insert", [&](VipsImage** out) {
    return vips_insert(white.get(), thing.get(), out, 320, 20, nullptr);
  }));
  for (const auto position : {ports::Position::attention, ports::Position::entropy}) {
    RenditionSpec square = spec(50, 50, OutputFormat::png);
    square.fit = Fit::cover;
    square.position = position;
    const auto run = process(saved(scene, ".png"), {square});
    const ImagePtr image = opened(run->result.renditions[0]);
    ASSERT_EQ(width_of(image), 50u);
    double deviation = 0;
    ASSERT_EQ(vips_deviate(image.get(), &deviation, nullptr), 0);
    EXPECT_GT(deviation, 20);
  }
}

TEST(ProcessImage, ContainWithTransparentBackgroundGivesAlpha) {
  RenditionSpec padded = spec(40, 40, OutputFormat::webp);
  padded.fit = Fit::contain;
  padded.lossless = true;
  padded.background = {0, 0, 0, 0};
  const auto run = process(saved(flat(40, 20, {9, 8, 7}), ".png"), {padded});
  const ImagePtr image = opened(run->result.renditions[0]);
  EXPECT_EQ(pixel(image, 0, 0)[3], 0);
  expect_pixel(image, 20, 20, {9, 8, 7, 255}, 1);
}

// --- Animations --------------------------------------------------------------------------------

std::string animation(int frames) {
  std::vector<ImagePtr> owned;
  std::vector<VipsImage*> raw;
  std::vector<int> delays;
  for (int i = 0; i < frames; ++i) {
    owned.push_back(flat(60, 40, {i % 2 == 0 ? 255.0 : 0.0, 0, i % 2 == 0 ? 0.0 : 255.0}));
    raw.push_back(owned.back().get());
    delays.push_back(100 + 10 * i);
  }
  const ImagePtr joined = must(apply("join", [&](VipsImage** out) {
    return vips_arrayjoin(raw.data(), out, frames, "across", 1, nullptr);
  }));
  const ImagePtr image =
      must(apply("copy", [&](VipsImage** out) { return vips_copy(joined.get(), out, nullptr); }));
  vips_image_set_int(image.get(), VIPS_META_PAGE_HEIGHT, 40);
  vips_image_set_array_int(image.get(), "delay", delays.data(), frames);
  vips_image_set_int(image.get(), "loop", 3);
  return saved(image, ".gif");
}

TEST(ProcessImage, AnimationIsKeptWhenAskedFor) {
  RenditionSpec moving = spec(30, 0, OutputFormat::webp);
  moving.animated = true;
  RenditionSpec moving_gif = spec(24, 24, OutputFormat::gif);
  moving_gif.animated = true;
  moving_gif.fit = Fit::cover;
  const auto run = process(animation(4), {moving, spec(30, 0, OutputFormat::webp), moving_gif});
  ASSERT_FALSE(run->result.error);
  EXPECT_EQ(run->result.metadata.pages, 4u);
  EXPECT_EQ(run->result.metadata.height, 40u);
  const auto& made = run->result.renditions;
  EXPECT_EQ(made[0].height, 20u);

  VipsImage* raw = nullptr;
  ASSERT_EQ(vips_webpload_buffer(const_cast<std::byte*>(made[0].bytes.data()), made[0].bytes.size(),
                                 &raw, "n", -1, nullptr),
            0);
  const ImagePtr image(raw);
  EXPECT_EQ(vips_image_get_page_height(image.get()), 20);
  EXPECT_EQ(height_of(image), 80u);
  EXPECT_GT(pixel(image, 15, 10)[0], 200);
  EXPECT_GT(pixel(image, 15, 30)[2], 200);
  int* delays = nullptr;
  int count = 0;
  ASSERT_EQ(vips_image_get_array_int(image.get(), "delay", &delays, &count), 0);
  ASSERT_EQ(count, 4);
  EXPECT_EQ(delays[1], 110);
  int loop = 0;
  ASSERT_EQ(vips_image_get_int(image.get(), "loop", &loop), 0);
  EXPECT_EQ(loop, 3);

  EXPECT_EQ(height_of(opened(made[1])), 20u);
  ASSERT_EQ(vips_gifload_buffer(const_cast<std::byte*>(made[2].bytes.data()), made[2].bytes.size(),
                                &raw, "n", -1, nullptr),
            0);
  const ImagePtr gif(raw);
  EXPECT_EQ(height_of(gif), 4 * 24u);
}

TEST(ProcessImage, TooManyFramesAreRefusedOnlyWhereTheyWouldBeDecoded) {
  ports::ImageLimits limits;
  limits.max_frames = 3;
  RenditionSpec moving = spec(30, 0, OutputFormat::gif);
  moving.animated = true;
  EXPECT_EQ(process(animation(4), {moving}, limits)->result.error->code, ports::kTooManyFrames);
  EXPECT_FALSE(process(animation(4), {spec(30, 0, OutputFormat::gif)}, limits)->result.error);
}

// --- Metadata ----------------------------------------------------------------------------------

TEST(ProcessImage, RecordKeepsCopyrightAndRenditionsKeepNothing) {
  const ImagePtr picture = must(apply(
      "copy", [&](VipsImage** out) { return vips_copy(quarters(40, 40).get(), out, nullptr); }));
  const auto set = [&](const char* name, const char* value) {
    vips_image_set_string(picture.get(), name, value);
  };
  set("exif-ifd0-Make", "Maker (Maker, ASCII, 6 components, 6 bytes)");
  set("exif-ifd0-Copyright", "CANARY-C (CANARY-C, ASCII, 9 components, 9 bytes)");
  set("exif-ifd0-Artist", "CANARY-A (CANARY-A, ASCII, 9 components, 9 bytes)");
  set("exif-ifd2-BodySerialNumber", "CANARY-S (CANARY-S, ASCII, 9 components, 9 bytes)");
  set("exif-ifd3-GPSLatitudeRef", "N (N, ASCII, 2 components, 2 bytes)");
  set("exif-ifd2-DateTimeOriginal",
      "2024:05:06 07:08:09 (2024:05:06 07:08:09, ASCII, 20 components, 20 bytes)");
  const std::string xmp = "<x:xmpmeta>CANARY-X</x:xmpmeta>";
  vips_image_set_blob_copy(picture.get(), VIPS_META_XMP_NAME, xmp.data(), xmp.size());

  const std::string file = saved(picture, ".jpg");
  ASSERT_NE(file.find("CANARY-S"), std::string::npos);
  const auto run = process(file, {spec(20, 0, OutputFormat::jpeg), spec(20, 0, OutputFormat::png),
                                  spec(20, 0, OutputFormat::webp), spec(20, 0, OutputFormat::avif),
                                  spec(20, 0, OutputFormat::gif)});
  const ports::ImageMetadata& metadata = run->result.metadata;
  EXPECT_EQ(std::get<std::string>(metadata.exif.at("Make")), "Maker");
  EXPECT_EQ(std::get<std::string>(metadata.exif.at("Copyright")), "CANARY-C");
  EXPECT_EQ(metadata.taken_at, "2024-05-06T07:08:09");
  EXPECT_EQ(metadata.appearance.dominant_color.size(), 7u);
  EXPECT_EQ(metadata.appearance.blurhash.size(), 28u);
  EXPECT_FALSE(metadata.appearance.thumbhash.empty());
  EXPECT_EQ(metadata.appearance.phash.size(), 16u);
  EXPECT_FALSE(metadata.exif.contains("Artist"));
  for (const auto& [name, value] : metadata.exif) {
    EXPECT_EQ(name.find("GPS"), std::string::npos);
    EXPECT_EQ(name.find("Serial"), std::string::npos);
  }
  for (const ports::Rendition& rendition : run->result.renditions) {
    ASSERT_FALSE(rendition.error);
    const std::string_view text = base::as_text(rendition.bytes);
    for (const char* trace : {"CANARY", "Exif", "xmpmeta", "Maker", "ICC_PROFILE", "iCCP"})
      EXPECT_EQ(text.find(trace), std::string_view::npos)
          << trace << " in " << ports::to_string(rendition.format);
  }
}

// --- What is refused ---------------------------------------------------------------------------

TEST(ProcessImage, RefusesWhatIsNoImageWithItsType) {
  auto run =
      process("<svg xmlns='http://www.w3.org/2000/svg'/>", {spec(10, 0, OutputFormat::jpeg)});
  ASSERT_TRUE(run->result.error);
  EXPECT_EQ(run->result.error->code, ports::kUnsupportedFormat);
  EXPECT_EQ(run->result.metadata.format, "svg");
  EXPECT_EQ(run->result.metadata.content_type, "image/svg+xml");
  EXPECT_TRUE(run->result.renditions.empty());

  run = process("", {});
  EXPECT_EQ(run->result.error->code, ports::kEmptyObject);
}

TEST(ProcessImage, ChecksEveryLimit) {
  const std::string file = saved(quarters(100, 100), ".png");
  ports::ImageLimits limits;
  limits.max_bytes = file.size() - 1;
  EXPECT_EQ(process(file, {}, limits)->result.error->code, ports::kTooManyBytes);
  limits = {};
  limits.max_source_pixels = 9999;
  EXPECT_EQ(process(file, {}, limits)->result.error->code, ports::kTooManyPixels);
  limits = {};
  limits.max_pixels = 9999;
  EXPECT_EQ(process(file, {spec(5, 0, OutputFormat::png)}, limits)->result.error->code,
            ports::kTooManyPixels);
  // A JPEG of the same size passes, since only a part of it is decoded.
  EXPECT_FALSE(process(saved(quarters(100, 100), ".jpg"), {spec(5, 0, OutputFormat::png)}, limits)
                   ->result.error);
  const std::string progressive = saved(quarters(100, 100), ".jpg[interlace]");
  limits = {};
  limits.max_scans = 2;
  EXPECT_EQ(process(progressive, {}, limits)->result.error->code, ports::kTooManyScans);
}

TEST(ProcessImage, OneFailureLeavesTheOtherRenditionsAlone) {
  RenditionSpec too_wide = spec(20000, 0, OutputFormat::webp);
  too_wide.enlarge = true;
  const auto run =
      process(saved(flat(200, 2, {1, 2, 3}), ".png"), {too_wide, spec(50, 0, OutputFormat::webp)});
  ASSERT_FALSE(run->result.error);
  ASSERT_TRUE(run->result.renditions[0].error);
  EXPECT_EQ(run->result.renditions[0].error->code, "ENCODE_FAILED");
  EXPECT_FALSE(run->result.renditions[1].error);
  EXPECT_EQ(run->result.renditions[1].width, 50u);
}

TEST(ProcessImage, NoRoomForTheOutputIsTheRenditionsError) {
  const ImageOrder order{{}, {spec(10, 0, OutputFormat::png)}};
  const auto result = process_image(base::as_bytes(saved(quarters(20, 20), ".png")), order,
                                    [](std::size_t) { return std::span<std::byte>{}; });
  ASSERT_TRUE(result);
  ASSERT_TRUE(result->renditions[0].error);
  EXPECT_EQ(result->renditions[0].error->code, "ENCODE_FAILED");
}

TEST(ProcessImage, TruncatedPictureIsDegradedAndAlwaysTheSame) {
  const std::string whole = saved(quarters(400, 400), ".jpg[Q=100]");
  const std::string half = whole.substr(0, whole.size() / 2);
  std::string first;
  for (int i = 0; i < 3; ++i) {
    const auto run = process(half, {spec(100, 0, OutputFormat::png)});
    ASSERT_FALSE(run->result.error);
    EXPECT_TRUE(run->result.metadata.degraded);
    expect_pixel(opened(run->result.renditions[0]), 10, 5, {255, 0, 0}, 8);
    const std::string bytes(base::as_text(run->result.renditions[0].bytes));
    if (i == 0) first = bytes;
    EXPECT_EQ(bytes, first);
  }
}

TEST(ProcessImage, WhatShowsNothingIsCorrupt) {
  const std::string png = saved(quarters(40, 40), ".png");
  EXPECT_EQ(process(png.substr(0, 40), {spec(10, 0, OutputFormat::png)})->result.error->code,
            ports::kCorruptImage);
  EXPECT_EQ(
      process("\xFF\xD8\xFF\xE0 nothing", {spec(10, 0, OutputFormat::png)})->result.error->code,
      ports::kCorruptImage);
}

TEST(Initialise, BlocksUntrustedLoaders) {
  const std::string svg = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>";
  VipsImage* image = nullptr;
  EXPECT_NE(vips_svgload_buffer(const_cast<char*>(svg.data()), svg.size(), &image, nullptr), 0);
  EXPECT_NE(take_vips_error().find("blocked"), std::string::npos);
}

}  // namespace
}  // namespace imgproc::image
