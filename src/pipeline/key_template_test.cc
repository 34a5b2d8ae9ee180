#include "pipeline/key_template.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace imgproc::pipeline {
namespace {

using Use = KeyTemplate::Use;

std::string expand(std::string_view text, std::string_view key) {
  const auto made = KeyTemplate::parse(text);
  if (!made) return made.error().describe();
  const auto expanded = made->expand("bucket", key, "small", "webp");
  return expanded ? *expanded : expanded.error().describe();
}

TEST(KeyTemplateTest, Expands) {
  EXPECT_EQ(expand("{key}/{rendition}.{ext}", "a/b.jpg"), "a/b.jpg/small.webp");
  EXPECT_EQ(expand("{bucket}/{rendition}/{key}", "a/b.jpg"), "bucket/small/a/b.jpg");
  EXPECT_EQ(expand("{dir}{rendition}/{name}.{ext}", "a/b/c.jpg"), "a/b/small/c.jpg.webp");
  EXPECT_EQ(expand("{dir}{rendition}/{name}.{ext}", "c.jpg"), "small/c.jpg.webp");
  EXPECT_EQ(expand("{dir}{rendition}/{name}.{ext}", "a/"), "a/small/.webp");
  EXPECT_EQ(expand("{key}/{rendition}.{ext}", "{key}"), "{key}/small.webp");
}

TEST(KeyTemplateTest, RefusesWhatCannotTellSourcesApart) {
  for (const auto* text :
       {"", "x", "{rendition}.{ext}", "{name}/{rendition}", "{dir}/{rendition}", "{name}{dir}",
        "{key}{key}", "{key}/{name}", "{key", "key}", "{}", "{Key}", "{key}/{size}",
        "{bucket}{key}", "{key}/{bucket}/", "x{bucket}/{key}", "{bucket}/{bucket}/{key}"})
    EXPECT_FALSE(KeyTemplate::parse(text)) << text;
  EXPECT_FALSE(KeyTemplate::parse("{key}" + std::string(kKeyBytesMax, 'x')));
}

TEST(KeyTemplateTest, KeysHaveAnEnd) {
  const auto made = KeyTemplate::parse("{key}/{rendition}.{ext}");
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->expand("b", std::string(kKeyBytesMax - 7, 'k'), "r", "webp"));
  const auto long_key = made->expand("b", std::string(kKeyBytesMax - 6, 'k'), "r", "webp");
  ASSERT_FALSE(long_key);
  EXPECT_EQ(long_key.error().code, "KEY_TOO_LONG");
  EXPECT_FALSE(long_key.error().retryable);
}

bool distinct(std::string_view text, const std::vector<Use>& uses) {
  const auto made = KeyTemplate::parse(text);
  EXPECT_TRUE(made) << text;
  return made && made->check_distinct(uses).has_value();
}

TEST(KeyTemplateTest, ProvesThatKeysNeverMeet) {
  const std::vector<Use> two{{0, "a", "jpg"}, {0, "b-a", "jpg"}};
  EXPECT_TRUE(distinct("{key}/{rendition}.{ext}", two));
  EXPECT_TRUE(distinct("{rendition}/{key}", two));
  EXPECT_TRUE(distinct("{dir}{rendition}/{name}", two));
  EXPECT_TRUE(distinct("x/{dir}{rendition}/{name}.{ext}", two));
  // photo-b with a, photo with b-a.
  EXPECT_FALSE(distinct("{key}-{rendition}.{ext}", two));
  EXPECT_FALSE(distinct("{key}.{ext}", two));
  EXPECT_FALSE(distinct("{dir}{name}/x", two));
  // a and a-b: "a-b…" with the key "-b…".
  EXPECT_FALSE(distinct("{rendition}{key}", {{0, "a", "jpg"}, {0, "a-b", "jpg"}}));
  EXPECT_FALSE(distinct("{dir}{rendition}{name}", {{0, "a", "jpg"}, {0, "a-b", "jpg"}}));
  EXPECT_TRUE(distinct("{dir}{rendition}-{name}", {{0, "x", "jpg"}, {0, "y", "jpg"}}));
  // One rendition needs no {rendition}; two formats of one rendition are never there together.
  EXPECT_TRUE(distinct("{key}.{ext}", {{0, "a", "jpg"}, {0, "a", "webp"}}));
  EXPECT_TRUE(distinct("{key}/x", {{0, "a", "jpg"}, {0, "a", "webp"}}));
  // Recipes exclude each other for one source, but not for two.
  EXPECT_TRUE(distinct("{key}/x", {{0, "a", "jpg"}, {1, "b", "jpg"}}));
  EXPECT_FALSE(distinct("{key}-{rendition}", {{0, "a", "jpg"}, {1, "b-a", "jpg"}}));
  EXPECT_FALSE(distinct("{key}.{ext}", {{0, "a", "jpg"}, {1, "b", "jpg"}, {0, "c", "jpg"}}));
}

// Whatever is accepted as distinct really is, for all short keys over a nasty alphabet.
TEST(KeyTemplateTest, WhatIsProvenHoldsForAllShortKeys) {
  std::vector<std::string> keys;
  const std::string alphabet = "/a-.";
  for (std::size_t length = 1, first = 0; length <= 4; ++length) {
    const std::size_t end = keys.size();
    if (length == 1)
      for (const char c : alphabet) keys.emplace_back(1, c);
    else
      for (std::size_t i = first; i < end; ++i)
        for (const char c : alphabet) keys.push_back(keys[i] + c);
    first = end;
  }
  const std::vector<std::string> pieces{"{key}", "{dir}", "{name}", "{rendition}", "{ext}", "/",
                                        "-",     "a",     "."};
  const std::vector<Use> uses{{0, "a", "a"}, {0, "a", "-"}, {0, "a-", "a"}, {0, "-a", "a"}};
  std::mt19937 random(7);
  int proven = 0;
  for (int i = 0; i < 20000 && proven < 150; ++i) {
    std::string text;
    for (std::size_t n = 2 + random() % 6; n > 0; --n) text += pieces[random() % pieces.size()];
    const auto made = KeyTemplate::parse(text);
    if (!made || !made->check_distinct(uses)) continue;
    ++proven;
    std::map<std::string, std::pair<std::string, std::string>> owners;
    for (const auto& key : keys)
      for (const auto& use : uses) {
        const auto output = made->expand("b", key, use.rendition, use.extension);
        ASSERT_TRUE(output);
        const std::pair owner{key, use.rendition};
        const auto [found, fresh] = owners.try_emplace(*output, owner);
        ASSERT_TRUE(fresh || found->second == owner)
            << text << ": " << *output << " is of " << found->second.first << " ("
            << found->second.second << ") and of " << key << " (" << use.rendition << ")";
      }
  }
  EXPECT_GE(proven, 100);
}

}  // namespace
}  // namespace imgproc::pipeline
