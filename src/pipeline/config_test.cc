#include "pipeline/config.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "base/file.h"
#include "pipeline/plan.h"
#include "pipeline/settings.h"

namespace imgproc::pipeline {
namespace {

constexpr std::string_view kExample = R"({
  "recipes": [
    { "match": { "prefix": "avatars/", "types": ["image/*"] },
      "renditions": {
        "small":  { "width": 96,  "height": 96,  "fit": "cover", "position": "attention", "format": "webp", "quality": 80 },
        "large":  { "width": 1024, "format": "auto" } } },
    { "renditions": { "thumbnail": { "width": 200, "height": 200, "fit": "inside", "quality": 80 } } }
  ],
  "destination": { "key": "{key}/{rendition}.{ext}", "cache_control": "public, max-age=31536000, immutable" },
  "limits": { "max_bytes": 104857600, "max_pixels": 100000000, "max_source_pixels": 268402689, "max_frames": 256, "max_scans": 100 }
})";

Config parse(std::string_view text) {
  auto config = parse_config(text);
  if (!config) ADD_FAILURE() << config_error(config.error()).describe();
  return config ? *config : Config{};
}

/// "pointer: message (hint)" of every problem, a line each, without positions.
std::string problems_of(std::string_view text) {
  const auto config = parse_config(text);
  if (config) return "";
  std::string all;
  for (auto problem : config.error()) {
    problem.line = 0;
    all += problem.describe() + "\n";
  }
  return all;
}

std::string with_rendition(std::string_view settings) {
  return fmt::format(R"({{"recipes":[{{"renditions":{{"r":{{{}}}}}}}]}})", settings);
}

TEST(ConfigTest, ReadsTheExample) {
  const Config config = parse(kExample);
  ASSERT_EQ(config.recipes.size(), 2U);
  const Recipe& avatars = config.recipes[0];
  EXPECT_EQ(avatars.match.prefix, "avatars/");
  EXPECT_EQ(avatars.match.types, std::vector<std::string>{"image/*"});
  ASSERT_EQ(avatars.renditions.size(), 2U);
  EXPECT_EQ(avatars.renditions[0].name, "small");
  EXPECT_EQ(avatars.renditions[0].width, 96U);
  EXPECT_EQ(avatars.renditions[0].fit, ports::Fit::cover);
  EXPECT_EQ(avatars.renditions[0].position, ports::Position::attention);
  EXPECT_EQ(avatars.renditions[0].format, ports::OutputFormat::webp);
  EXPECT_EQ(avatars.renditions[1].name, "large");
  EXPECT_EQ(avatars.renditions[1].height, 0U);
  EXPECT_EQ(avatars.renditions[1].format, ports::OutputFormat::automatic);
  EXPECT_EQ(config.destination.key.text(), "{key}/{rendition}.{ext}");
  EXPECT_EQ(config.limits, ports::ImageLimits{});
}

TEST(ConfigTest, TheDefaultIsOneThumbnail) {
  const Config config = default_config();
  ASSERT_EQ(config.recipes.size(), 1U);
  ASSERT_EQ(config.recipes[0].renditions.size(), 1U);
  EXPECT_EQ(config.recipes[0].renditions[0].name, "thumbnail");
  EXPECT_EQ(config.recipes[0].renditions[0].width, 200U);
  EXPECT_EQ(config.destination.cache_control, "public, max-age=31536000, immutable");
}

TEST(ConfigTest, GivesEveryFaultWithItsPlace) {
  const std::string text = R"({
  "recipes": [
    { "match": { "prefx": "a/", "types": ["picture"] },
      "renditions": { "small size": { "width": "96", "fit": "covr", "quality": 101 } } }
  ],
  "limits": { "max_byte": 5, "max_frames": 0 },
  "destinaton": {}
})";
  const auto config = parse_config(text);
  ASSERT_FALSE(config);
  std::string all;
  for (const auto& problem : config.error()) all += problem.describe() + "\n";
  EXPECT_EQ(all,
            "line 3, column 18: /recipes/0/match/prefx: no such setting (did you mean prefix?)\n"
            "line 3, column 33: /recipes/0/match/types: 'picture' is no media type like image/png "
            "or image/*\n"
            "line 4, column 23: /recipes/0/renditions/small size: the name of a rendition has 1 to "
            "64 of A-Z a-z 0-9 _ -\n"
            "line 4, column 39: /recipes/0/renditions/small size/width: a whole number is expected "
            "here\n"
            "line 4, column 54: /recipes/0/renditions/small size/fit: 'covr' is not known here "
            "(did you mean cover?)\n"
            "line 4, column 69: /recipes/0/renditions/small size/quality: 101 is outside 1 to 100\n"
            "line 6, column 15: /limits/max_byte: no such setting (did you mean max_bytes?)\n"
            "line 6, column 30: /limits/max_frames: 0 is outside 1 to 10000\n"
            "line 7, column 3: /destinaton: no such setting (did you mean destination?)\n");
}

TEST(ConfigTest, SaysWhereJsonIsBroken) {
  const auto config = parse_config("{\n  \"recipes\": [,]\n}");
  ASSERT_FALSE(config);
  ASSERT_EQ(config.error().size(), 1U);
  EXPECT_EQ(config.error()[0].line, 2);
  EXPECT_TRUE(config.error()[0].message.starts_with("not valid JSON"));
  EXPECT_FALSE(parse_config(""));
  EXPECT_FALSE(parse_config("[]"));
  EXPECT_FALSE(parse_config("{} {}"));
  EXPECT_FALSE(parse_config(std::string(kConfigBytesMax + 1, ' ')));
  EXPECT_FALSE(parse_config(std::string(1000, '[')));
}

TEST(ConfigTest, RefusesWhatIsMissingOrTooMuch) {
  EXPECT_EQ(problems_of("{}"),
            "(document): recipes are missing (write {\"recipes\":[{\"renditions\":{…}}]})\n");
  EXPECT_EQ(problems_of(R"({"recipes":[]})"), "/recipes: at least one recipe is needed\n");
  EXPECT_EQ(problems_of(R"({"recipes":[{}]})"), "/recipes/0: renditions are missing\n");
  EXPECT_EQ(problems_of(R"({"recipes":[{"renditions":{}}]})"),
            "/recipes/0/renditions: at least one rendition is needed\n");
  std::string many;
  for (std::size_t i = 0; i <= kRenditionsPerRecipeMax; ++i)
    many += fmt::format("{}\"r{}\":{{}}", i == 0 ? "" : ",", i);
  EXPECT_NE(problems_of(R"({"recipes":[{"renditions":{)" + many + "}}]}").find("at most 32"),
            std::string::npos);
}

TEST(ConfigTest, RefusesMembersThatStandThereTwice) {
  EXPECT_EQ(problems_of(R"({"recipes":[{"renditions":{"a":{},"a":{"width":5}}}]})"),
            "/recipes/0/renditions/a: stands there twice\n");
}

TEST(ConfigTest, RefusesSettingsThatDoNotGoTogether) {
  EXPECT_NE(problems_of(with_rendition(R"("width":5,"fit":"cover")")), "");
  EXPECT_NE(problems_of(with_rendition(R"("position":"top")")), "");
  EXPECT_NE(problems_of(with_rendition(R"("format":"jpeg","effort":3)")), "");
  EXPECT_NE(problems_of(with_rendition(R"("format":"png","effort":3)")), "");
  EXPECT_NE(problems_of(with_rendition(R"("format":"webp","effort":7)")), "");
  EXPECT_NE(problems_of(with_rendition(R"("format":"jpeg","lossless":true)")), "");
  EXPECT_NE(problems_of(with_rendition(R"("format":"webp","progressive":true)")), "");
  EXPECT_NE(problems_of(with_rendition(R"("format":"avif","animated":true)")), "");
  EXPECT_NE(problems_of(with_rendition(R"("background":"reddish")")), "");
  EXPECT_EQ(
      problems_of(with_rendition(
          R"("width":5,"height":6,"fit":"contain","position":"right top","format":"webp","effort":6,"lossless":true,"animated":true,"background":"#80ff0040")")),
      "");
  EXPECT_NE(problems_of(
                R"({"recipes":[{"renditions":{"r":{}}}],"destination":{"cache_control":"a\nb"}})"),
            "");
}

TEST(ConfigTest, RefusesRecipesThatCanNeverBeUsed) {
  EXPECT_NE(
      problems_of(
          R"({"recipes":[{"renditions":{"a":{}}},{"match":{"prefix":"x/"},"renditions":{"b":{}}}]})")
          .find("/recipes/1: can never be used"),
      std::string::npos);
  EXPECT_EQ(
      problems_of(
          R"({"recipes":[{"match":{"prefix":"x/"},"renditions":{"a":{}}},{"renditions":{"b":{}}}]})"),
      "");
}

TEST(ConfigTest, RefusesKeysThatCouldMeet) {
  const auto with_key = [](std::string_view key) {
    return fmt::format(
        R"({{"recipes":[{{"renditions":{{"a":{{}},"b-a":{{"width":5}}}}}}],"destination":{{"key":"{}"}}}})",
        key);
  };
  EXPECT_EQ(problems_of(with_key("{key}/{rendition}.{ext}")), "");
  EXPECT_EQ(problems_of(with_key("{rendition}/{key}")), "");
  EXPECT_NE(problems_of(with_key("{key}-{rendition}.{ext}")).find("could get one key"),
            std::string::npos);
  EXPECT_NE(problems_of(with_key("{key}.{ext}")).find("could get one key"), std::string::npos);
  EXPECT_NE(problems_of(with_key("{rendition}.{ext}")).find("/destination/key: needs {key}"),
            std::string::npos);
}

TEST(ConfigTest, ColoursComeBack) {
  for (const auto* text : {"#000000", "#ffffff", "#12ab9f", "#12ab9f80"}) {
    const auto color = parse_color(text);
    ASSERT_TRUE(color) << text;
    EXPECT_EQ(to_string(*color), text);
  }
  EXPECT_EQ(parse_color("#fff")->g, 255);
  EXPECT_EQ(parse_color("transparent")->alpha, 0);
  for (const auto* text : {"", "#", "#12", "#12345", "fff", "#gggggg"})
    EXPECT_FALSE(parse_color(text)) << text;
}

TEST(CheckNoLoopTest, TheDestinationMustNotFeedTheSource) {
  const std::vector<std::string> source{"pictures"};
  const Config everything = default_config();
  EXPECT_TRUE(check_no_loop(everything, source, "renditions"));
  EXPECT_TRUE(check_no_loop(everything, {}, "renditions"));
  const auto loop = check_no_loop(everything, source, "pictures");
  ASSERT_FALSE(loop);
  EXPECT_EQ(loop.error().code, "LOOP_POSSIBLE");

  const auto with = [](std::string_view prefix, std::string_view key) {
    return parse(fmt::format(
        R"({{"recipes":[{{"match":{{"prefix":"{}"}},"renditions":{{"a":{{}}}}}}],"destination":{{"key":"{}"}}}})",
        prefix, key));
  };
  EXPECT_TRUE(check_no_loop(with("in/", "out/{key}/{rendition}.{ext}"), source, "pictures"));
  EXPECT_FALSE(check_no_loop(with("in/", "in/out/{key}/{rendition}.{ext}"), source, "pictures"));
  EXPECT_FALSE(check_no_loop(with("out/in/", "out/{key}/{rendition}.{ext}"), source, "pictures"));
  EXPECT_FALSE(check_no_loop(with("in/", "{key}/{rendition}.{ext}"), source, "pictures"));
}

TEST(CheckNoLoopTest, SeveralSourcesNeedTheBucketInTheKey) {
  const std::vector<std::string> sources{"a", "b"};
  const auto status = check_no_loop(default_config(), sources, "c");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, "BUCKET_NEEDED");
  const Config config = parse(
      R"({"recipes":[{"renditions":{"a":{}}}],"destination":{"key":"{bucket}/{key}/{rendition}.{ext}"}})");
  EXPECT_TRUE(check_no_loop(config, sources, "c"));
}

TEST(ConfigReferenceTest, SchemaAndPageNameEverySetting) {
  const std::string schema = config_schema();
  boost::system::error_code error;
  const auto parsed = boost::json::parse(schema, error);
  ASSERT_FALSE(error) << error.message();
  const std::string page = config_reference();
  const auto named = [&](std::string_view name) {
    EXPECT_NE(schema.find(fmt::format("\"{}\"", name)), std::string::npos) << name;
    EXPECT_NE(page.find(fmt::format("| `{}` |", name)), std::string::npos) << name;
  };
  for (const auto& setting : match_settings()) named(setting.name);
  for (const auto& setting : rendition_settings()) named(setting.name);
  for (const auto& setting : destination_settings()) named(setting.name);
  for (const auto& setting : limit_settings()) named(setting.name);
  EXPECT_EQ(parsed.at("properties").at("limits").at("properties").at("max_scans").at("default"),
            100);
}

TEST(ConfigReferenceTest, TheCommittedPageIsUpToDate) {
  const auto page = base::read_file("docs/configuration.md");
  if (!page) GTEST_SKIP() << "runs from the root of the source tree, as ctest does";
  EXPECT_EQ(*page, config_reference()) << "imgproc lint --reference > docs/configuration.md";
}

TEST(ConfigReferenceTest, EverySettingReadsWhatItWrites) {
  const Config config = parse(kExample);
  boost::json::object renditions;
  for (const auto& spec : config.recipes[0].renditions)
    renditions[spec.name] = settings_to_json(rendition_settings(), spec);
  const boost::json::object document{
      {"recipes", boost::json::array{boost::json::object{
                      {"match", settings_to_json(match_settings(), config.recipes[0].match)},
                      {"renditions", renditions}}}},
      {"destination", settings_to_json(destination_settings(), config.destination)},
      {"limits", settings_to_json(limit_settings(), config.limits)}};
  const Config again = parse(boost::json::serialize(document));
  ASSERT_EQ(again.recipes.size(), 1U);
  EXPECT_EQ(again.recipes[0].renditions, config.recipes[0].renditions);
  EXPECT_EQ(again.recipes[0].match.types, config.recipes[0].match.types);
  EXPECT_EQ(again.limits, config.limits);
}

TEST(PlanTest, TheFirstRecipeThatMatchesWins) {
  const Config config = parse(kExample);
  const auto avatar = make_plan(config, "avatars/a.png", "image/png");
  ASSERT_TRUE(avatar);
  EXPECT_EQ(avatar->recipe, 0U);
  EXPECT_EQ(avatar->renditions.size(), 2U);
  const auto text = make_plan(config, "avatars/a.txt", "application/octet-stream");
  ASSERT_TRUE(text);
  EXPECT_EQ(text->recipe, 1U);
  const Config narrow = parse(R"({"recipes":[{"match":{"suffix":".png"},"renditions":{"a":{}}}]})");
  EXPECT_FALSE(make_plan(narrow, "a.jpg", "image/png"));
  EXPECT_TRUE(make_plan(narrow, "a.png", "image/jpeg"));
}

TEST(PlanTest, TheFingerprintTellsWhatDecides) {
  const auto fingerprint = [](std::string_view settings) {
    return make_plan(parse(with_rendition(settings)), "k", "image/png")->fingerprint;
  };
  EXPECT_EQ(fingerprint(R"("width":5)"), fingerprint(R"("width":5,"height":0)"));
  EXPECT_NE(fingerprint(R"("width":5)"), fingerprint(R"("width":6)"));
  EXPECT_EQ(fingerprint("").size(), 64U);
  const Config other_key = parse(
      R"({"recipes":[{"renditions":{"r":{}}}],"destination":{"key":"{key}/x/{rendition}.{ext}"}})");
  EXPECT_NE(make_plan(other_key, "k", "")->fingerprint, fingerprint(""));
}

TEST(PlanTest, PossibleKeysAreThoseOfEveryRecipeAndFormat) {
  const Config config = parse(kExample);
  EXPECT_EQ(possible_keys(config, "b", "avatars/a.png"),
            (std::vector<std::string>{"avatars/a.png/large.jpg", "avatars/a.png/large.webp",
                                      "avatars/a.png/small.webp", "avatars/a.png/thumbnail.jpg"}));
  EXPECT_EQ(possible_keys(config, "b", "x"), std::vector<std::string>{"x/thumbnail.jpg"});
}

}  // namespace
}  // namespace imgproc::pipeline
