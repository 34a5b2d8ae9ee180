#pragma once
// What every RecordStore must do; used like blob_store_contract_test.h.

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "ports/record_store.h"

namespace imgproc::ports {

/// Gives a store whose table exists, is empty, and is used by nobody else.
using RecordStoreFactory = std::function<std::shared_ptr<RecordStore>()>;

class RecordStoreContract : public testing::TestWithParam<RecordStoreFactory> {
 protected:
  void SetUp() override {
    store_ = GetParam()();
    ASSERT_NE(store_, nullptr);
  }

  static Record record(std::string_view sequencer, RecordStatus status = RecordStatus::ready) {
    Record made;
    made.path = "bucket/key";
    made.bucket = "bucket";
    made.key = "key";
    made.timestamp = "2026-11-22T09:30:00.000Z";
    made.sequencer = pad_sequencer(sequencer);
    made.status = status;
    return made;
  }

  PutOutcome put(const Record& value) {
    const auto outcome = store_->put_if_not_older(value);
    EXPECT_TRUE(outcome) << outcome.error().describe();
    return outcome.value_or(PutOutcome::superseded);
  }

  Record get(std::string_view path = "bucket/key") {
    const auto found = store_->get(path);
    EXPECT_TRUE(found) << found.error().describe();
    EXPECT_TRUE(found && found->has_value()) << "no record for " << path;
    return found && *found ? **found : Record{};
  }

  std::shared_ptr<RecordStore> store_;
};

TEST_P(RecordStoreContract, SaysThatThereIsNone) {
  const auto found = store_->get("bucket/none");
  ASSERT_TRUE(found) << found.error().describe();
  EXPECT_FALSE(found->has_value());
}

TEST_P(RecordStoreContract, KeepsEveryAttribute) {
  Record full = record("0055AED6DCD90281E5");
  full.size = 123456789012;
  full.key = "a/b c+é.jpg";
  full.path = "bucket/a/b c+é.jpg";
  full.version_id = "v1";
  full.etag = "d41d8cd98f00b204e9800998ecf8427e";
  full.sha256 = "abc";
  full.metadata = {.format = "jpeg",
                   .content_type = "image/jpeg",
                   .width = 4000,
                   .height = 3000,
                   .pages = 1,
                   .orientation = 6,
                   .has_alpha = false,
                   .color_space = "srgb",
                   .icc_profile = "Display P3",
                   .exif = {{"Make", std::string("Canon")}, {"ExposureTime", 0.005}},
                   .taken_at = "2026-07-01T10:00:00",
                   .degraded = true};
  full.metadata.appearance.dominant_color = "#aabbcc";
  full.metadata.appearance.blurhash = "LEHV6nWB2yk8pyo0adR*.7kCMdnj";
  full.metadata.appearance.thumbhash = "3OcRJYB4d3h/iIeHeEh3eIhw+j2w";
  full.metadata.appearance.phash = "ffd8";
  full.renditions["small"] = {.key = "a/small.webp",
                              .width = 96,
                              .height = 96,
                              .size = 1000,
                              .format = "webp",
                              .etag = "e",
                              .state = RenditionState::ready,
                              .error = std::nullopt};
  full.renditions["large"] = {.key = "a/large.jpg",
                              .width = 0,
                              .height = 0,
                              .size = 0,
                              .format = "jpeg",
                              .etag = "",
                              .state = RenditionState::failed,
                              .error = RecordError{"KEY_TOO_LONG", "too long", false}};
  full.recipe = "f00d";
  full.error = RecordError{"SlowDown", "please", true};
  full.attempts = 3;
  full.timings_ms = {{"download", 12.5}, {"total", 99}};
  full.processed_at = "2026-11-22T09:30:01.000Z";
  full.request_id = "r-1";
  full.expires_at = 1800000000;
  ASSERT_EQ(put(full), PutOutcome::written);

  const Record back = get(full.path);
  EXPECT_EQ(back.path, full.path);
  EXPECT_EQ(back.size, full.size);
  EXPECT_EQ(back.timestamp, full.timestamp);
  EXPECT_EQ(back.status, full.status);
  EXPECT_EQ(back.bucket, full.bucket);
  EXPECT_EQ(back.key, full.key);
  EXPECT_EQ(back.version_id, full.version_id);
  EXPECT_EQ(back.etag, full.etag);
  EXPECT_EQ(back.sequencer, full.sequencer);
  EXPECT_EQ(back.sha256, full.sha256);
  EXPECT_EQ(back.metadata.format, "jpeg");
  EXPECT_EQ(back.metadata.content_type, "image/jpeg");
  EXPECT_EQ(back.metadata.width, 4000U);
  EXPECT_EQ(back.metadata.height, 3000U);
  EXPECT_EQ(back.metadata.pages, 1U);
  EXPECT_EQ(back.metadata.orientation, 6);
  EXPECT_FALSE(back.metadata.has_alpha);
  EXPECT_EQ(back.metadata.color_space, "srgb");
  EXPECT_EQ(back.metadata.icc_profile, "Display P3");
  EXPECT_EQ(back.metadata.exif, full.metadata.exif);
  EXPECT_EQ(back.metadata.taken_at, full.metadata.taken_at);
  EXPECT_TRUE(back.metadata.degraded);
  EXPECT_EQ(back.metadata.appearance, full.metadata.appearance);
  EXPECT_EQ(back.renditions, full.renditions);
  EXPECT_EQ(back.recipe, full.recipe);
  EXPECT_EQ(back.error, full.error);
  EXPECT_EQ(back.attempts, 3U);
  EXPECT_EQ(back.timings_ms, full.timings_ms);
  EXPECT_EQ(back.processed_at, full.processed_at);
  EXPECT_EQ(back.request_id, full.request_id);
  EXPECT_EQ(back.expires_at, full.expires_at);
}

TEST_P(RecordStoreContract, GoesOnlyForwards) {
  EXPECT_EQ(put(record("05")), PutOutcome::written);
  EXPECT_EQ(put(record("04", RecordStatus::failed)), PutOutcome::superseded);
  EXPECT_EQ(get().status, RecordStatus::ready);
  EXPECT_EQ(put(record("06", RecordStatus::deleted)), PutOutcome::written);
  EXPECT_EQ(get().status, RecordStatus::deleted);
  EXPECT_EQ(get().sequencer, pad_sequencer("06"));
}

TEST_P(RecordStoreContract, TheSameEventMayWriteAgain) {
  EXPECT_EQ(put(record("05", RecordStatus::processing)), PutOutcome::written);
  EXPECT_EQ(put(record("05", RecordStatus::ready)), PutOutcome::written);
  EXPECT_EQ(get().status, RecordStatus::ready);
}

TEST_P(RecordStoreContract, NoSequencerIsBeforeEverySequencer) {
  EXPECT_EQ(put(record("", RecordStatus::processing)), PutOutcome::written);
  EXPECT_EQ(put(record("", RecordStatus::failed)), PutOutcome::written);
  EXPECT_EQ(put(record("01", RecordStatus::ready)), PutOutcome::written);
  EXPECT_EQ(put(record("", RecordStatus::failed)), PutOutcome::superseded);
  EXPECT_EQ(get().status, RecordStatus::ready);
}

TEST_P(RecordStoreContract, AWriteLeavesNothingOfTheFormerRecord) {
  Record first = record("05");
  first.error = RecordError{"X", "x", false};
  first.renditions["small"] = {.key = "k", .state = RenditionState::ready, .error = std::nullopt};
  first.expires_at = 5;
  EXPECT_EQ(put(first), PutOutcome::written);
  EXPECT_EQ(put(record("06")), PutOutcome::written);
  const Record back = get();
  EXPECT_FALSE(back.error);
  EXPECT_TRUE(back.renditions.empty());
  EXPECT_FALSE(back.expires_at);
}

TEST_P(RecordStoreContract, TellsWhatWasReplaced) {
  const auto first = store_->replace_if_not_older(record("05", RecordStatus::processing));
  ASSERT_TRUE(first) << first.error().describe();
  EXPECT_EQ(first->outcome, PutOutcome::written);
  EXPECT_FALSE(first->before);

  const auto second = store_->replace_if_not_older(record("06", RecordStatus::ready));
  ASSERT_TRUE(second) << second.error().describe();
  EXPECT_EQ(second->outcome, PutOutcome::written);
  ASSERT_TRUE(second->before);
  EXPECT_EQ(second->before->sequencer, pad_sequencer("05"));

  const auto late = store_->replace_if_not_older(record("04"));
  ASSERT_TRUE(late) << late.error().describe();
  EXPECT_EQ(late->outcome, PutOutcome::superseded);
  EXPECT_EQ(get().sequencer, pad_sequencer("06"));
}

TEST_P(RecordStoreContract, TheNewestOfManyWritersStands) {
  constexpr int kWriters = 16;
  std::vector<std::jthread> threads;
  for (int i = 0; i < kWriters; ++i)
    threads.emplace_back([this, i] {
      const auto outcome = store_->put_if_not_older(record(std::to_string(10 + i)));
      EXPECT_TRUE(outcome) << outcome.error().describe();
    });
  threads.clear();
  EXPECT_EQ(get().sequencer, pad_sequencer(std::to_string(10 + kWriters - 1)));
}

}  // namespace imgproc::ports
