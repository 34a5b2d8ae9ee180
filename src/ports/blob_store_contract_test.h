#pragma once
// What every BlobStore must do, whatever stands behind it. An implementation's test includes this
// and says how to get one:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, BlobStoreContract, testing::Values(BlobStoreFactory{[] {
//     auto store = std::make_shared<MemoryBlobStore>();
//     store->create_bucket("bucket");
//     return BlobStoreUnderTest{store, "bucket"};
//   }}));

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "ports/blob_store.h"

namespace imgproc::ports {

struct BlobStoreUnderTest {
  std::shared_ptr<BlobStore> store;
  /// Exists, is empty, and is used by nobody else.
  std::string bucket;
};
using BlobStoreFactory = std::function<BlobStoreUnderTest()>;

class BlobStoreContract : public testing::TestWithParam<BlobStoreFactory> {
 protected:
  void SetUp() override {
    auto made = GetParam()();
    store_ = made.store;
    bucket_ = made.bucket;
    ASSERT_NE(store_, nullptr);
  }

  base::Result<BlobInfo> put(const std::string& key, std::string_view bytes,
                             const PutOptions& options = {}) {
    return store_->put(bucket_, key, base::as_bytes(bytes), options);
  }

  base::Result<std::string> get(const std::string& key, const GetOptions& options = {}) {
    std::string received;
    const BlobSink sink{.begin = {}, .write = [&](std::span<const std::byte> bytes) {
                          received += base::as_text(bytes);
                          return base::Status{};
                        }};
    IMGPROC_TRY(const BlobInfo info, store_->get(bucket_, key, options, sink));
    EXPECT_EQ(info.size, received.size());
    return received;
  }

  template <class T>
  static void expect_error(const base::Result<T>& result, std::string_view code) {
    ASSERT_FALSE(result.has_value()) << "expected " << code;
    EXPECT_EQ(result.error().code, code);
  }

  std::shared_ptr<BlobStore> store_;
  std::string bucket_;
};

TEST_P(BlobStoreContract, GivesBackWhatWasPut) {
  const auto put_info = put("a/b c+d%20é.jpg", "hello",
                            {.content_type = "image/jpeg",
                             .cache_control = "no-cache",
                             .metadata = {{"imgproc-source", "s/k"}}});
  ASSERT_TRUE(put_info) << put_info.error().describe();
  EXPECT_FALSE(put_info->etag.empty());
  EXPECT_EQ(put_info->etag.find('"'), std::string::npos);

  const auto info = store_->head(bucket_, "a/b c+d%20é.jpg");
  ASSERT_TRUE(info) << info.error().describe();
  EXPECT_EQ(info->etag, put_info->etag);
  EXPECT_EQ(info->size, 5U);
  EXPECT_EQ(info->content_type, "image/jpeg");
  EXPECT_EQ(info->metadata.at("imgproc-source"), "s/k");

  const auto content = get("a/b c+d%20é.jpg");
  ASSERT_TRUE(content) << content.error().describe();
  EXPECT_EQ(*content, "hello");
}

TEST_P(BlobStoreContract, KeepsEmptyAndLargeObjects) {
  std::string large(3 * 1024 * 1024 + 17, '\0');
  for (std::size_t i = 0; i < large.size(); ++i)
    large[i] = static_cast<char>(i * 2654435761U >> 13);
  ASSERT_TRUE(put("empty", ""));
  ASSERT_TRUE(put("large", large));
  EXPECT_EQ(get("empty").value_or("missing"), "");
  EXPECT_TRUE(get("large").value_or("missing") == large);
}

TEST_P(BlobStoreContract, SaysWhatIsMissing) {
  expect_error(get("nothing"), kNoSuchKey);
  expect_error(store_->head(bucket_, "nothing"), kNoSuchKey);
  const auto no_bucket = store_->put(bucket_ + "-absent", "k", base::as_bytes("x"), PutOptions{});
  expect_error(no_bucket, kNoSuchBucket);
  EXPECT_FALSE(no_bucket.error().retryable);
}

TEST_P(BlobStoreContract, OverwritesAndChangesTheETag) {
  const auto first = put("k", "one");
  const auto second = put("k", "two");
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->etag, second->etag);
  EXPECT_EQ(get("k").value_or(""), "two");
}

TEST_P(BlobStoreContract, GetHonoursIfMatch) {
  const auto info = put("k", "one");
  ASSERT_TRUE(info);
  EXPECT_EQ(get("k", {.version_id = "", .if_match = info->etag}).value_or(""), "one");
  ASSERT_TRUE(put("k", "two"));
  expect_error(get("k", {.version_id = "", .if_match = info->etag}), kPreconditionFailed);
}

TEST_P(BlobStoreContract, PutHonoursIfNoneMatch) {
  PutOptions only_new;
  only_new.if_none_match = true;
  ASSERT_TRUE(put("k", "one", only_new));
  expect_error(put("k", "two", only_new), kPreconditionFailed);
  EXPECT_EQ(get("k").value_or(""), "one");
  ASSERT_TRUE(store_->remove(bucket_, "k"));
  ASSERT_TRUE(put("k", "three", only_new));
}

TEST_P(BlobStoreContract, PutHonoursIfMatch) {
  const auto first = put("k", "one");
  ASSERT_TRUE(first);
  PutOptions over_first;
  over_first.if_match = first->etag;
  ASSERT_TRUE(put("k", "two", over_first));
  expect_error(put("k", "three", over_first), kPreconditionFailed);
  EXPECT_EQ(get("k").value_or(""), "two");
  // S3 says NoSuchKey where there is nothing to match.
  const auto absent = put("absent", "x", over_first);
  ASSERT_FALSE(absent);
  EXPECT_TRUE(absent.error().code == kNoSuchKey || absent.error().code == kPreconditionFailed)
      << absent.error().describe();
}

TEST_P(BlobStoreContract, RemovesOnceAndForAll) {
  ASSERT_TRUE(put("k", "one"));
  EXPECT_TRUE(store_->remove(bucket_, "k"));
  EXPECT_TRUE(store_->remove(bucket_, "k")) << "removing what is not there is no error";
  expect_error(get("k"), kNoSuchKey);
}

TEST_P(BlobStoreContract, RemoveHonoursIfMatch) {
  const auto first = put("k", "one");
  ASSERT_TRUE(first);
  const auto second = put("k", "two");
  ASSERT_TRUE(second);
  expect_error(store_->remove(bucket_, "k", first->etag), kPreconditionFailed);
  EXPECT_EQ(get("k").value_or(""), "two");
  EXPECT_TRUE(store_->remove(bucket_, "k", second->etag));
  expect_error(get("k"), kNoSuchKey);
}

TEST_P(BlobStoreContract, TheSinkMayRefuse) {
  ASSERT_TRUE(put("k", "one"));
  const auto refusal = [](const auto&) -> base::Status { return base::permanent("REFUSED", "no"); };
  const auto accept = [](const auto&) -> base::Status { return {}; };
  const auto at_begin = store_->get(bucket_, "k", {}, {.begin = refusal, .write = accept});
  expect_error(at_begin, "REFUSED");
  const auto at_write = store_->get(bucket_, "k", {}, {.begin = accept, .write = refusal});
  expect_error(at_write, "REFUSED");
  EXPECT_EQ(get("k").value_or(""), "one") << "the store works on after a refusal";
}

TEST_P(BlobStoreContract, OneOfManyConditionalWritersWins) {
  constexpr int kWriters = 8;
  std::atomic<int> winners = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < kWriters; ++i)
    threads.emplace_back([&, i] {
      PutOptions only_new;
      only_new.if_none_match = true;
      const auto result = put("race", std::to_string(i), only_new);
      if (result)
        ++winners;
      else
        EXPECT_TRUE(result.error().code == kPreconditionFailed ||
                    result.error().code == kConditionalConflict)
            << result.error().describe();
    });
  threads.clear();
  EXPECT_EQ(winners, 1);
}

}  // namespace imgproc::ports
