#include "pipeline/rendition_store.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "ports/memory_blob_store.h"

namespace imgproc::pipeline {
namespace {

class RenditionStoreTest : public testing::Test {
 protected:
  RenditionStoreTest() { blobs_.create_bucket("b"); }

  RenditionStore::PutResult put(std::string_view bytes, std::string_view sequencer,
                                bool likely_there = false) {
    const auto result = store_.put({.key = "k",
                                    .bytes = base::as_bytes(bytes),
                                    .content_type = "image/jpeg",
                                    .cache_control = "no-cache",
                                    .recipe = "r"},
                                   sequencer, likely_there);
    EXPECT_TRUE(result) << result.error().describe();
    return result.value_or(RenditionStore::PutResult{});
  }

  ports::MemoryBlobStore blobs_;
  RenditionStore store_{blobs_, "b", "source/k"};
};

TEST_F(RenditionStoreTest, OnlyGoesForwards) {
  for (const bool likely_there : {false, true}) {
    ASSERT_TRUE(blobs_.remove("b", "k"));
    EXPECT_TRUE(put("two", "02", likely_there).written);
    EXPECT_FALSE(put("one", "01", likely_there).written) << "an older event is refused";
    EXPECT_EQ(blobs_.content("b", "k"), "two");
    const auto again = put("two again", "02", likely_there);
    EXPECT_TRUE(again.written) << "the same event may write again";
    EXPECT_TRUE(again.replaced);
    EXPECT_TRUE(put("three", "03", likely_there).written);
    EXPECT_EQ(store_.sequencer_at("k").value(), "03");
    EXPECT_FALSE(store_.remove("k", "02").value()) << "an older event removes nothing";
    EXPECT_EQ(blobs_.content("b", "k"), "three");
    EXPECT_TRUE(store_.remove("k", "03").value());
    EXPECT_FALSE(store_.remove("k", "03").value());
    EXPECT_EQ(store_.sequencer_at("k").value(), std::nullopt);
  }
}

TEST_F(RenditionStoreTest, LeavesAloneWhatOthersWrote) {
  ASSERT_TRUE(blobs_.put("b", "k", base::as_bytes("by hand"), {}));
  EXPECT_FALSE(store_.remove("k", "09").value());
  EXPECT_EQ(store_.sequencer_at("k").value(), std::nullopt);
  RenditionStore other(blobs_, "b", "source/other");
  EXPECT_TRUE(put("mine", "05").replaced);
  EXPECT_FALSE(other.remove("k", "09").value());
  EXPECT_EQ(blobs_.content("b", "k"), "mine");
}

TEST_F(RenditionStoreTest, TriesAgainWhenAnotherWriterCameBetween) {
  ASSERT_TRUE(put("one", "01").written);
  bool rival_came = false;
  blobs_.set_hooks([&](std::string_view operation, std::string_view) -> base::Status {
    if (operation == "put" && !rival_came) {
      rival_came = true;
      EXPECT_TRUE(put("rival", "02", /*likely_there=*/true).written);
    }
    return {};
  });
  EXPECT_TRUE(put("three", "03", /*likely_there=*/true).written);
  EXPECT_TRUE(rival_came);
  EXPECT_EQ(blobs_.content("b", "k"), "three");
}

TEST_F(RenditionStoreTest, GivesUpInTheEndAndSaysThatItMayPass) {
  blobs_.set_hooks([](std::string_view operation, std::string_view) -> base::Status {
    if (operation == "put") return base::transient(ports::kConditionalConflict, "another writer");
    return {};
  });
  const auto result =
      store_.put({.key = "k", .bytes = {}, .content_type = "image/jpeg"}, "01", false);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "CONTENDED");
  EXPECT_TRUE(result.error().retryable);
}

}  // namespace
}  // namespace imgproc::pipeline
