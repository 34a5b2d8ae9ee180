#include "ports/blob_store_contract_test.h"
#include "ports/memory_blob_store.h"
#include "ports/memory_record_store.h"
#include "ports/record_store_contract_test.h"

namespace imgproc::ports {
namespace {

INSTANTIATE_TEST_SUITE_P(Memory, BlobStoreContract, testing::Values(BlobStoreFactory{[] {
                           auto store = std::make_shared<MemoryBlobStore>();
                           store->create_bucket("bucket");
                           return BlobStoreUnderTest{.store = store, .bucket = "bucket"};
                         }}));

INSTANTIATE_TEST_SUITE_P(Memory, RecordStoreContract, testing::Values(RecordStoreFactory{[] {
                           return std::make_shared<MemoryRecordStore>();
                         }}));

TEST(MemoryBlobStoreTest, KeepsVersionsWhenAsked) {
  MemoryBlobStore store(true);
  store.create_bucket("b");
  const auto first = store.put("b", "k", base::as_bytes("one"), {});
  ASSERT_TRUE(first);
  ASSERT_TRUE(store.put("b", "k", base::as_bytes("two"), {}));
  std::string received;
  const BlobSink sink{.begin = {}, .write = [&](std::span<const std::byte> bytes) {
                        received += base::as_text(bytes);
                        return base::Status{};
                      }};
  ASSERT_TRUE(store.get("b", "k", {.version_id = first->version_id, .if_match = ""}, sink));
  EXPECT_EQ(received, "one");
}

TEST(MemoryBlobStoreTest, HooksFailBeforeAndAfterTheEffect) {
  MemoryBlobStore store;
  store.create_bucket("b");
  const auto fail = [](std::string_view, std::string_view) -> base::Status {
    return base::transient("SlowDown", "later");
  };
  store.set_hooks(fail);
  EXPECT_FALSE(store.put("b", "k", base::as_bytes("x"), {}));
  EXPECT_TRUE(store.keys("b").empty());
  store.set_hooks({}, fail);
  EXPECT_FALSE(store.put("b", "k", base::as_bytes("x"), {}));
  EXPECT_EQ(store.keys("b").size(), 1U);
}

}  // namespace
}  // namespace imgproc::ports
