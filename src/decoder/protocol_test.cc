#include "decoder/protocol.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/json.h"

namespace imgproc::decoder {
namespace {

using ports::ImageOrder;
using ports::ImageResult;

ImageOrder some_order() {
  ImageOrder order;
  order.limits.max_pixels = 12345;
  order.timeout_ms = 777;
  ports::RenditionSpec spec{.name = "kleines „bild“", .width = 10, .height = 20};
  spec.fit = ports::Fit::cover;
  spec.position = ports::Position::left_top;
  spec.format = ports::OutputFormat::automatic;
  spec.background = {1, 2, 3, 4};
  spec.effort = 3;
  spec.progressive = true;
  order.renditions = {spec, {.name = "plain", .width = 5}};
  return order;
}

struct Answer {
  std::vector<std::byte> output = std::vector<std::byte>(1000);
  ImageResult result;
};

Answer some_answer() {
  Answer answer;
  answer.result.metadata.format = "jpeg";
  answer.result.metadata.content_type = "image/jpeg";
  answer.result.metadata.width = 640;
  answer.result.metadata.exif = {{"Make", "Canon"}, {"FNumber", 2.8}};
  answer.result.timings_ms = {{"decode", 1.5}};
  const std::span<const std::byte> output(answer.output);
  answer.result.renditions = {
      {"kleines „bild“", 10, 20, ports::OutputFormat::webp, output.subspan(64, 100), {}},
      {"plain", 0, 0, ports::OutputFormat::jpeg, {}, base::Error{"ENCODE_FAILED", "no", false}}};
  return answer;
}

TEST(Protocol, OrderSurvivesTheWay) {
  const ImageOrder order = some_order();
  const auto text = write_order(order, 4711);
  ASSERT_TRUE(text);
  const auto back = parse_order(*text);
  ASSERT_TRUE(back) << back.error().describe();
  EXPECT_EQ(back->image.limits, order.limits);
  EXPECT_EQ(back->image.renditions, order.renditions);
  EXPECT_EQ(back->image.timeout_ms, order.timeout_ms);
  EXPECT_EQ(back->input_bytes, 4711);
}

TEST(Protocol, OrderIsBounded) {
  ImageOrder order;
  order.renditions.resize(kRenditionsMax + 1);
  EXPECT_EQ(write_order(order, 1).error().code, "INVALID_ORDER");
}

TEST(Protocol, ResultSurvivesTheWay) {
  const Answer answer = some_answer();
  const auto text = write_result(answer.result, answer.output);
  ASSERT_TRUE(text);
  const auto back = parse_result(*text, some_order(), answer.output);
  ASSERT_TRUE(back) << back.error().describe();
  EXPECT_EQ(back->metadata.width, 640u);
  EXPECT_EQ(back->metadata.exif, answer.result.metadata.exif);
  EXPECT_EQ(back->timings_ms, answer.result.timings_ms);
  ASSERT_EQ(back->renditions.size(), 2u);
  EXPECT_EQ(back->renditions[0].name, "kleines „bild“");
  EXPECT_EQ(back->renditions[0].bytes.data(), answer.output.data() + 64);
  EXPECT_EQ(back->renditions[0].bytes.size(), 100u);
  EXPECT_EQ(back->renditions[1].error->code, "ENCODE_FAILED");
}

TEST(Protocol, FailureOfTheImageSurvivesTheWay) {
  ImageResult result;
  result.error = base::Error{ports::kCorruptImage, "broken", false, "upload another"};
  const auto text = write_result(result, {});
  ASSERT_TRUE(text);
  const auto back = parse_result(*text, some_order(), {});
  ASSERT_TRUE(back) << back.error().describe();
  EXPECT_EQ(back->error->code, ports::kCorruptImage);
  EXPECT_EQ(back->error->hint, "upload another");
  EXPECT_FALSE(back->error->retryable);
}

/// One change to a good answer that makes it a lie.
struct Lie {
  const char* name;
  void (*tell)(boost::json::object& answer);
};

class Lies : public testing::TestWithParam<Lie> {};

TEST_P(Lies, AreNotBelieved) {
  const Answer answer = some_answer();
  auto value = base::parse_json(*write_result(answer.result, answer.output));
  ASSERT_TRUE(value);
  GetParam().tell(value->as_object());
  const auto result = parse_result(boost::json::serialize(*value), some_order(), answer.output);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, kInvalidResult);
}

boost::json::object& rendition(boost::json::object& answer) {
  return answer["renditions"].as_array()[0].as_object();
}

INSTANTIATE_TEST_SUITE_P(
    Table, Lies,
    testing::Values(
        Lie{"offset beyond", [](auto& a) { rendition(a)["offset"] = 901; }},
        Lie{"offset far beyond", [](auto& a) { rendition(a)["offset"] = INT64_MAX; }},
        Lie{"offset negative", [](auto& a) { rendition(a)["offset"] = -1; }},
        Lie{"length beyond", [](auto& a) { rendition(a)["length"] = 937; }},
        Lie{"length wraps", [](auto& a) { rendition(a)["length"] = UINT64_MAX - 10; }},
        Lie{"length zero", [](auto& a) { rendition(a)["length"] = 0; }},
        Lie{"no length", [](auto& a) { rendition(a).erase("length"); }},
        Lie{"text for a number", [](auto& a) { rendition(a)["width"] = "10"; }},
        Lie{"no width", [](auto& a) { rendition(a)["width"] = 0; }},
        Lie{"unknown format", [](auto& a) { rendition(a)["format"] = "exe"; }},
        Lie{"automatic format", [](auto& a) { rendition(a)["format"] = "auto"; }},
        Lie{"rendition missing", [](auto& a) { a["renditions"].as_array().pop_back(); }},
        Lie{"rendition too many",
            [](auto& a) { a["renditions"].as_array().push_back(rendition(a)); }},
        Lie{"no renditions", [](auto& a) { a.erase("renditions"); }},
        Lie{"rendition no object", [](auto& a) { a["renditions"].as_array()[0] = 1; }},
        Lie{"error and renditions",
            [](auto& a) { a["error"] = {{"code", "X"}, {"message", ""}, {"hint", ""}}; }},
        Lie{"error without code", [](auto& a) { a["error"] = {{"message", ""}}; }},
        Lie{"no metadata", [](auto& a) { a.erase("metadata"); }},
        Lie{"orientation", [](auto& a) { a["metadata"].as_object()["orientation"] = 9; }},
        Lie{"long text",
            [](auto& a) {
              a["metadata"].as_object()["icc_profile"] = std::string(kTextBytesMax + 1, 'x');
            }},
        Lie{"not UTF-8", [](auto& a) { a["metadata"].as_object()["format"] = "\xFF"; }},
        Lie{"exif nested",
            [](auto& a) { a["metadata"].as_object()["exif"].as_object()["Make"] = {1, 2}; }},
        Lie{"exif too many",
            [](auto& a) {
              for (std::size_t i = 0; i < kExifValuesMax; ++i)
                a["metadata"].as_object()["exif"].as_object()[std::to_string(i)] = 1;
            }},
        Lie{"timing is text", [](auto& a) { a["timings_ms"].as_object()["decode"] = "x"; }}),
    [](const auto& instance) {
      std::string name = instance.param.name;
      for (char& c : name)
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
      return name;
    });

TEST(Protocol, EveryCutOfAnAnswerIsAnError) {
  const Answer answer = some_answer();
  const std::string text = *write_result(answer.result, answer.output);
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_FALSE(parse_result(text.substr(0, size), some_order(), answer.output)) << size;
}

}  // namespace
}  // namespace imgproc::decoder
