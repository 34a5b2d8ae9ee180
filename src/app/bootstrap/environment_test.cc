#include "app/bootstrap/environment.h"

#include <gtest/gtest.h>

#include <vector>

#include "app/bootstrap/settings.h"
#include "base/file.h"

namespace imgproc::bootstrap {
namespace {

/// An environment block of our own.
class Block {
 public:
  explicit Block(std::vector<std::string> entries) : entries_(std::move(entries)) {
    for (auto& entry : entries_) pointers_.push_back(entry.data());
    pointers_.push_back(nullptr);
  }
  [[nodiscard]] char* const* get() { return pointers_.data(); }
  [[nodiscard]] const std::string& entry(std::size_t index) const { return entries_[index]; }

 private:
  std::vector<std::string> entries_;
  std::vector<char*> pointers_;
};

TEST(Environment, IsReadWhole) {
  Block block({"A=1", "EMPTY=", "B=x=y", "junk", "A=2"});
  auto environment = read_environment(block.get());
  EXPECT_EQ(environment, (aws::Environment{{"A", "1"}, {"EMPTY", ""}, {"B", "x=y"}}));
}

TEST(Environment, SecretsAreOverwrittenInPlace) {
  Block block({"AWS_SECRET_ACCESS_KEY=hush", "AWS_SESSION_TOKEN=token", "AWS_ACCESS_KEY_ID=AKID",
               "AWS_SECRET_ACCESS_KEY_ID=not a secret's name"});
  auto environment = read_environment(block.get());
  wipe_secrets(block.get());
  EXPECT_EQ(environment["AWS_SECRET_ACCESS_KEY"], "hush");
  EXPECT_EQ(block.entry(0), std::string("AWS_SECRET_ACCESS_KEY=") + std::string(4, '\0'));
  EXPECT_EQ(block.entry(1), std::string("AWS_SESSION_TOKEN=") + std::string(5, '\0'));
  EXPECT_EQ(block.entry(2), "AWS_ACCESS_KEY_ID=AKID");
  EXPECT_EQ(block.entry(3), "AWS_SECRET_ACCESS_KEY_ID=not a secret's name");
}

class SettingsTest : public testing::Test {
 protected:
  aws::Environment environment_{{"DESTINATION_BUCKET", "dest-bucket"},
                                {"SOURCE_BUCKET", "one-bucket"},
                                {"TABLE_NAME", "meta"},
                                {"AWS_REGION", "eu-west-1"},
                                {"AWS_ACCESS_KEY_ID", "a"},
                                {"AWS_SECRET_ACCESS_KEY", "s"}};
};

TEST_F(SettingsTest, AreComplete) {
  environment_["AWS_ENDPOINT_URL"] = "http://127.0.0.1:4566";
  environment_["AWS_CA_BUNDLE"] = "/roots.pem";
  auto settings = read_settings(environment_);
  ASSERT_TRUE(settings) << settings.error().describe();
  EXPECT_EQ(settings->source_buckets, (std::vector<std::string>{"one-bucket"}));
  EXPECT_EQ(settings->destination_bucket, "dest-bucket");
  EXPECT_EQ(settings->table_name, "meta");
  EXPECT_EQ(settings->region, "eu-west-1");
  EXPECT_EQ(settings->config_source, "default");
  EXPECT_EQ(settings->ca_bundle, "/roots.pem");
  EXPECT_EQ(settings->s3.origin.port, 4566);
  EXPECT_EQ(settings->dynamodb.origin.port, 4566);
}

TEST_F(SettingsTest, NameWhatIsMissing) {
  for (const char* name : {"DESTINATION_BUCKET", "TABLE_NAME", "AWS_REGION", "AWS_ACCESS_KEY_ID",
                           "AWS_SECRET_ACCESS_KEY"}) {
    auto environment = environment_;
    environment.erase(name);
    auto settings = read_settings(environment);
    ASSERT_FALSE(settings) << name;
    EXPECT_NE(settings.error().message.find(name), std::string::npos) << settings.error().message;
    EXPECT_FALSE(settings.error().retryable);
  }
}

TEST_F(SettingsTest, EveryProblemOfTheConfigurationIsTold) {
  environment_["IMGPROC_CONFIG"] = R"({"limits":{"max_bites":1,"max_frames":-3}})";
  auto settings = read_settings(environment_);
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().code, "INVALID_CONFIG");
  EXPECT_NE(settings.error().message.find("/limits/max_bites"), std::string::npos);
  EXPECT_NE(settings.error().message.find("/limits/max_frames"), std::string::npos);
}

TEST_F(SettingsTest, LoopsAreRefused) {
  environment_["DESTINATION_BUCKET"] = "one-bucket";
  auto settings = read_settings(environment_);
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().code, "LOOP_POSSIBLE");
}

TEST_F(SettingsTest, ConfigurationComesFromThePackageToo) {
  std::string pattern = testing::TempDir() + "/imgproc-settings-XXXXXX";
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  std::filesystem::path root = pattern;
  ASSERT_TRUE(base::write_file_atomically(
      root / "imgproc.json", R"({"recipes":[{"renditions":{"tiny":{"width":16,"height":16}}}]})"));
  environment_["LAMBDA_TASK_ROOT"] = root;
  auto settings = read_settings(environment_);
  ASSERT_TRUE(settings) << settings.error().describe();
  EXPECT_EQ(settings->config_source, "imgproc.json");
  EXPECT_EQ(settings->config.recipes.at(0).renditions.at(0).name, "tiny");
  // The environment counts first.
  environment_["IMGPROC_CONFIG"] = R"({"recipes":[{"renditions":{"big":{"width":1600}}}]})";
  settings = read_settings(environment_);
  ASSERT_TRUE(settings) << settings.error().describe();
  EXPECT_EQ(settings->config_source, "IMGPROC_CONFIG");
  std::filesystem::remove_all(root);
}

TEST_F(SettingsTest, SourceBucketsMayBeSeveralOrNone) {
  environment_.erase("SOURCE_BUCKET");
  // With any bucket as source, the destination may be one of them.
  auto any = read_settings(environment_);
  if (any) {
    EXPECT_TRUE(any->source_buckets.empty());
  } else {
    EXPECT_EQ(any.error().code, "LOOP_POSSIBLE");
  }
  environment_["SOURCE_BUCKET"] = " a-bucket, b-bucket ,";
  environment_["IMGPROC_CONFIG"] =
      R"({"recipes":[{"renditions":{"t":{"width":16}}}],"destination":{"key":"{bucket}/{key}/{rendition}.{ext}"}})";
  auto settings = read_settings(environment_);
  ASSERT_TRUE(settings) << settings.error().describe();
  EXPECT_EQ(settings->source_buckets, (std::vector<std::string>{"a-bucket", "b-bucket"}));
}

}  // namespace
}  // namespace imgproc::bootstrap
