#include <map>
#include <random>
#include <set>

#include "base/bytes.h"
#include "localcloud/s3/test_support.h"

namespace imgproc::localcloud::s3 {
namespace {

using ListTest = S3Test;

struct Listed {
  std::vector<std::string> keys;
  std::vector<std::string> prefixes;
  bool truncated = false;
  std::string next;
  bool operator==(const Listed&) const = default;
};

std::string decode(const std::string& text) {
  return base::percent_decode(text);
}

Listed parse(const Reply& reply, bool v2) {
  Listed listed;
  for (const std::string& key : reply.elements("Key")) listed.keys.push_back(decode(key));
  for (const std::string& common : reply.elements("CommonPrefixes"))
    listed.prefixes.push_back(decode(common.substr(8, common.size() - 17)));
  listed.truncated = reply.element("IsTruncated") == "true";
  listed.next = reply.element(v2 ? "NextContinuationToken" : "NextMarker");
  return listed;
}

/// What S3 answers, straight from its definition: keys behind the marker in order; those with the
/// delimiter behind the prefix roll up; a marker that is a rolled up prefix hides its keys.
Listed oracle(const std::set<std::string>& keys, const std::string& prefix,
              const std::string& delimiter, const std::string& marker, std::size_t count_max) {
  Listed listed;
  std::string last_prefix;
  bool any_prefix = false;
  auto rolled = [&](const std::string& key) -> std::optional<std::string> {
    if (delimiter.empty() || !key.starts_with(prefix)) return std::nullopt;
    auto at = key.find(delimiter, prefix.size());
    if (at == std::string::npos) return std::nullopt;
    return key.substr(0, at + delimiter.size());
  };
  bool marker_is_prefix = rolled(marker) == marker && !marker.empty();
  for (const std::string& key : keys) {
    if (!key.starts_with(prefix) || key <= marker) continue;
    auto common = rolled(key);
    if (common && marker_is_prefix && *common == marker) continue;
    if (common && any_prefix && *common == last_prefix) continue;
    if (listed.keys.size() + listed.prefixes.size() == count_max) {
      listed.truncated = count_max > 0;
      return listed;
    }
    if (common) {
      last_prefix = *common;
      any_prefix = true;
      listed.prefixes.push_back(*common);
    } else {
      listed.keys.push_back(key);
    }
  }
  return listed;
}

TEST_F(ListTest, RandomListingsEqualTheOracle) {
  make_bucket("bucket");
  std::mt19937 random(20260101);
  const std::string alphabet = "ab/+ %-\x7F";
  auto word = [&](std::size_t length_max) {
    std::string text;
    for (std::size_t n = random() % (length_max + 1); n > 0; --n)
      text += alphabet[random() % alphabet.size()];
    return text;
  };
  std::set<std::string> keys;
  for (int i = 0; i < 220; ++i) {
    std::string key = word(6);
    if (key.empty()) continue;
    if (i % 7 == 0) key += "\xC3\xA9";
    if (i % 11 == 0) key += "\xF4\x8F\xBF\xBF";
    keys.insert(key);
    ASSERT_EQ(send("PUT", "/bucket/" + base::percent_encode(key, true), "x").status, 200);
  }
  // A few keys that are gone again, hidden by delete markers, and with many versions.
  enable_versioning("bucket");
  for (const std::string& key : std::vector<std::string>(keys.begin(), keys.end())) {
    auto fate = random() % 10;
    std::string target = "/bucket/" + base::percent_encode(key, true);
    if (fate == 0) {
      send("DELETE", target);
      keys.erase(key);
    } else if (fate == 1) {
      for (int i = 0; i < 20; ++i) send("PUT", target, "y");
    }
  }
  const std::vector<std::string> delimiters{"", "/", "/", "a", "ab", "//", "%", "\xC3\xA9"};
  for (int round = 0; round < 10000; ++round) {
    std::string prefix = random() % 2 == 0 ? "" : word(3);
    std::string delimiter = delimiters[random() % delimiters.size()];
    std::string marker = random() % 2 == 0 ? "" : word(4);
    std::size_t count_max = random() % 4 == 0 ? 1000 : random() % 12;
    bool v2 = random() % 2 == 0;
    std::string target =
        "/bucket?encoding-type=url&prefix=" + base::percent_encode(prefix) +
        "&delimiter=" + base::percent_encode(delimiter) + "&max-keys=" + std::to_string(count_max) +
        (v2 ? "&list-type=2&start-after=" : "&marker=") + base::percent_encode(marker);
    Listed expected = oracle(keys, prefix, delimiter, marker, count_max);
    Listed got = parse(send("GET", target), v2);
    EXPECT_EQ(got.next.empty(), !expected.truncated || (!v2 && delimiter.empty())) << target;
    got.next.clear();
    ASSERT_EQ(got.keys, expected.keys) << target;
    ASSERT_EQ(got.prefixes, expected.prefixes) << target;
    ASSERT_EQ(got.truncated, expected.truncated) << target;
  }
}

TEST_F(ListTest, PagesTogetherAreTheWhole) {
  make_bucket("bucket");
  std::set<std::string> keys;
  for (std::string key : {"a", "a/1", "a/2", "b/1", "b/2/3", "c", "d/", "d/1", "e"}) {
    keys.insert(key);
    send("PUT", "/bucket/" + key, "x");
  }
  for (std::string delimiter : {"", "/"})
    for (bool v2 : {false, true})
      for (std::size_t page = 1; page < 10; ++page) {
        Listed all;
        std::string from;
        for (int rounds = 0; rounds < 20; ++rounds) {
          Reply reply =
              send("GET", "/bucket?max-keys=" + std::to_string(page) + "&delimiter=" + delimiter +
                              (v2 ? "&list-type=2" : "") + from);
          Listed part = parse(reply, v2);
          EXPECT_LE(part.keys.size() + part.prefixes.size(), page);
          all.keys.insert(all.keys.end(), part.keys.begin(), part.keys.end());
          all.prefixes.insert(all.prefixes.end(), part.prefixes.begin(), part.prefixes.end());
          if (!part.truncated) break;
          if (v2) {
            EXPECT_EQ(reply.element("KeyCount"),
                      std::to_string(part.keys.size() + part.prefixes.size()));
            from = "&continuation-token=" + base::percent_encode(part.next);
          } else {
            from =
                "&marker=" + base::percent_encode(delimiter.empty() ? part.keys.back() : part.next);
          }
        }
        Listed expected = oracle(keys, "", delimiter, "", 1000);
        EXPECT_EQ(all.keys, expected.keys);
        EXPECT_EQ(all.prefixes, expected.prefixes);
      }
}

TEST_F(ListTest, SaysWhatItWasAskedAndRefusesNonsense) {
  make_bucket("bucket");
  send("PUT", "/bucket/a%2Bb", "xyz");
  Reply reply = send("GET", "/bucket?list-type=2&encoding-type=url&fetch-owner=true&prefix=a%2B");
  EXPECT_EQ(reply.element("Name"), "bucket");
  EXPECT_EQ(reply.element("Prefix"), "a%2B");
  EXPECT_EQ(reply.element("Key"), "a%2Bb");
  EXPECT_EQ(reply.element("EncodingType"), "url");
  EXPECT_EQ(reply.element("Size"), "3");
  EXPECT_EQ(reply.elements("Owner").size(), 1U);
  EXPECT_EQ(send("GET", "/bucket?list-type=2").elements("Owner").size(), 0U);
  EXPECT_EQ(send("GET", "/bucket").elements("Owner").size(), 1U);
  EXPECT_EQ(send("GET", "/bucket?max-keys=0").element("IsTruncated"), "false");
  EXPECT_EQ(send("GET", "/bucket?max-keys=5000").element("MaxKeys"), "1000");
  for (std::string bad : {"max-keys=x", "max-keys=-1", "encoding-type=zip", "list-type=3",
                          "list-type=2&continuation-token=%21"})
    EXPECT_EQ(send("GET", "/bucket?" + bad).element("Code"), "InvalidArgument") << bad;
  EXPECT_EQ(send("GET", "/nowhere").element("Code"), "NoSuchBucket");
}

}  // namespace
}  // namespace imgproc::localcloud::s3
