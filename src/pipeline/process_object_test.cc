#include "pipeline/process_object.h"

#include <atomic>
#include <chrono>
#include <latch>
#include <thread>

#include "pipeline/fake_world_test.h"

namespace imgproc::pipeline {
namespace {

using Kind = Outcome::Kind;
using ports::RecordStatus;

Outcome expect_outcome(World& world, const SourceEvent& event, Kind kind) {
  const auto outcome = world.process(event);
  if (!outcome) {
    ADD_FAILURE() << outcome.error().describe();
    return {};
  }
  EXPECT_EQ(outcome->kind, kind) << to_string(outcome->kind) << ": " << outcome->reason;
  return *outcome;
}

TEST(ProcessorTest, MakesRenditionsAndTheRecord) {
  World world;
  const auto event = world.put("a b/é.jpg", jpeg("picture"));
  const auto outcome = expect_outcome(world, event, Kind::ready);
  world.expect_consistent("a b/é.jpg", event);
  const auto record = world.record("a b/é.jpg");
  EXPECT_EQ(outcome.record.path, record.path);
  EXPECT_EQ(record.path, "source/a b/é.jpg");
  EXPECT_EQ(record.size, jpeg("picture").size());
  EXPECT_EQ(record.timestamp, "2026-01-01T00:00:00.000Z");
  EXPECT_EQ(record.etag, event.etag);
  EXPECT_EQ(record.metadata.width, 640U);
  EXPECT_EQ(record.attempts, 1U);
  EXPECT_EQ(record.request_id, "request-1");
  EXPECT_FALSE(record.error);
  EXPECT_FALSE(record.expires_at);
  for (const auto* step : {"download", "decode", "store", "total"})
    EXPECT_TRUE(record.timings_ms.contains(step)) << step;
  const auto& small = record.renditions.at("small");
  EXPECT_EQ(small.key, "a b/é.jpg/small.jpg");
  EXPECT_EQ(small.width, 96U);
  EXPECT_EQ(small.format, "jpeg");
  const auto info = world.destination.head("renditions", small.key);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->content_type, "image/jpeg");
  EXPECT_EQ(info->metadata.at("imgproc-source"), "source/a%20b/%C3%A9.jpg");
  EXPECT_EQ(info->metadata.at("imgproc-recipe"), record.recipe);
  EXPECT_EQ(info->metadata.at("imgproc-sequencer"), record.sequencer);
  EXPECT_EQ(info->metadata.at("imgproc-generated"), "true");
}

TEST(ProcessorTest, AnUploadThatMeetsNobodyCostsNoMoreRequestsThanItNeeds) {
  World world;
  std::vector<std::string> calls;
  const auto note = [&](std::string_view operation, std::string_view) -> base::Status {
    calls.emplace_back(operation);
    return {};
  };
  const auto event = world.put("k", jpeg("picture"));
  world.source.set_hooks(note);
  world.destination.set_hooks(note);
  world.records.set_hooks(note);
  expect_outcome(world, event, Kind::ready);
  EXPECT_EQ(calls, (std::vector<std::string>{"get_record", "get", "put_record", "put", "put",
                                             "put_record"}));
}

TEST(ProcessorTest, RenditionsArePutAtOnce) {
  World world;
  world.uploads_max = 8;
  const auto event = world.put("k", jpeg("picture"));
  // Each of the two waits until both are on their way.
  std::latch both(2);
  std::atomic<bool> alone = false;
  world.destination.set_hooks([&](std::string_view operation, std::string_view) -> base::Status {
    if (operation != "put") return {};
    both.count_down();
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!both.try_wait() && !alone) {
      std::this_thread::yield();
      if (std::chrono::steady_clock::now() > end) alone = true;
    }
    return {};
  });
  expect_outcome(world, event, Kind::ready);
  EXPECT_FALSE(alone);
  world.expect_consistent("k", event);
}

TEST(ProcessorTest, OneUploadThatFailsLeavesTheOthersToTheNextAttempt) {
  for (const std::string_view bad : {"small", "large"}) {
    World world;
    world.uploads_max = 8;
    const auto event = world.put("k", jpeg("picture"));
    world.destination.set_hooks([&](std::string_view, std::string_view key) -> base::Status {
      if (key.contains(bad)) return base::transient("SlowDown", "come again");
      return {};
    });
    const auto outcome = world.process(event);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, "SlowDown");
    EXPECT_EQ(world.record("k").status, RecordStatus::processing);
    world.destination.set_hooks({});
    expect_outcome(world, event, Kind::ready);
    world.expect_consistent("k", event);
  }
}

TEST(ProcessorTest, ARepeatedEventChangesNothing) {
  World world;
  const auto event = world.put("k", jpeg("picture"));
  expect_outcome(world, event, Kind::ready);
  expect_outcome(world, event, Kind::unchanged);
  EXPECT_EQ(world.engine.runs, 1);
  EXPECT_EQ(world.record("k").attempts, 1U);
}

TEST(ProcessorTest, AnotherRecipeIsAppliedAndOldRenditionsGo) {
  World world;
  const auto event = world.put("k", jpeg("picture"));
  expect_outcome(world, event, Kind::ready);
  world.config =
      *parse_config(R"({"recipes":[{"renditions":{"tiny":{"width":5,"format":"webp"}}}]})");
  expect_outcome(world, event, Kind::ready);
  EXPECT_EQ(world.destination.keys("renditions"), std::vector<std::string>{"k/tiny.webp"});
  EXPECT_EQ(world.record("k").renditions.size(), 1U);
  EXPECT_EQ(world.record("k").attempts, 2U);
}

TEST(ProcessorTest, AnOverwriteInAnotherFormatLeavesNothingOld) {
  World world;
  expect_outcome(world, world.put("k", jpeg("picture")), Kind::ready);
  EXPECT_EQ(world.destination.keys("renditions"),
            (std::vector<std::string>{"k/large.jpg", "k/small.jpg"}));
  const auto second = world.put("k", jpeg("alpha"));
  expect_outcome(world, second, Kind::ready);
  EXPECT_EQ(world.destination.keys("renditions"),
            (std::vector<std::string>{"k/large.webp", "k/small.jpg"}));
  world.expect_consistent("k", second);
}

TEST(ProcessorTest, DeletesPropagateAndLateCreatesDoNotComeBack) {
  World world;
  const auto created = world.put("k", jpeg("picture"));
  expect_outcome(world, created, Kind::ready);
  const auto removed = world.remove("k");
  expect_outcome(world, removed, Kind::deleted);
  world.expect_consistent("k", removed);
  const std::int64_t now =
      std::chrono::duration_cast<std::chrono::seconds>(world.clock.now().time_since_epoch())
          .count();
  EXPECT_EQ(world.record("k").expires_at, now + 30 * 24 * 3600);
  expect_outcome(world, created, Kind::superseded);
  expect_outcome(world, removed, Kind::unchanged);
  world.expect_consistent("k", removed);
}

TEST(ProcessorTest, ImagesAtFaultAreRecordedAndNotTriedAgain) {
  World world;
  const auto event = world.put("k", jpeg("corrupt"));
  const auto outcome = expect_outcome(world, event, Kind::failed);
  EXPECT_EQ(outcome.record.error->code, ports::kCorruptImage);
  const auto record = world.record("k");
  EXPECT_EQ(record.status, RecordStatus::failed);
  EXPECT_FALSE(record.error->retryable);
  EXPECT_EQ(record.metadata.width, 640U) << "what is known of a bad image is kept";
  expect_outcome(world, event, Kind::unchanged);
  EXPECT_EQ(world.engine.runs, 1);
}

TEST(ProcessorTest, AGoodImageOverwrittenByABadOneLeavesNoRenditions) {
  World world;
  expect_outcome(world, world.put("k", jpeg("picture")), Kind::ready);
  expect_outcome(world, world.put("k", jpeg("corrupt")), Kind::failed);
  EXPECT_TRUE(world.destination.keys("renditions").empty());
}

TEST(ProcessorTest, OneFailedRenditionIsListedAndTheOthersStand) {
  World world;
  expect_outcome(world, world.put("k", jpeg("half")), Kind::failed);
  const auto record = world.record("k");
  EXPECT_EQ(record.error->code, "ENCODE_FAILED");
  EXPECT_EQ(record.renditions.at("small").state, ports::RenditionState::ready);
  EXPECT_EQ(record.renditions.at("large").state, ports::RenditionState::failed);
  EXPECT_EQ(record.renditions.at("large").error->code, "ENCODE_FAILED");
  EXPECT_EQ(world.destination.keys("renditions"), std::vector<std::string>{"k/small.jpg"});
}

TEST(ProcessorTest, AKeyThatWouldBeTooLongFailsTheRendition) {
  World world;
  expect_outcome(world, world.put(std::string(1020, 'k'), jpeg("picture")), Kind::failed);
  const auto record = world.record(std::string(1020, 'k'));
  EXPECT_EQ(record.error->code, "KEY_TOO_LONG");
  EXPECT_TRUE(world.destination.keys("renditions").empty());
}

TEST(ProcessorTest, WhatMayPassIsRaisedAndNoted) {
  World world;
  const auto event = world.put("k", jpeg("busy"));
  const auto outcome = world.process(event);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, "ENGINE_BUSY");
  EXPECT_TRUE(outcome.error().retryable);
  const auto record = world.record("k");
  EXPECT_EQ(record.status, RecordStatus::processing);
  EXPECT_EQ(record.error->code, "ENGINE_BUSY");
  EXPECT_EQ(record.attempts, 1U);
  EXPECT_FALSE(world.process(event));
  EXPECT_EQ(world.record("k").attempts, 2U);
}

TEST(ProcessorTest, StoreErrorsThatNoRetryCuresAreRaisedToo) {
  World world;
  const auto event = world.put("k", jpeg("picture"));
  world.destination.set_hooks([](std::string_view, std::string_view) -> base::Status {
    return base::permanent("AccessDenied", "not allowed");
  });
  const auto outcome = world.process(event);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, "AccessDenied");
  EXPECT_EQ(world.record("k").status, RecordStatus::processing);
  EXPECT_EQ(world.record("k").error->code, "AccessDenied");
  world.destination.set_hooks({});
  expect_outcome(world, event, Kind::ready);
  world.expect_consistent("k", event);
  EXPECT_EQ(world.record("k").attempts, 2U);
}

TEST(ProcessorTest, RefusesTooManyBytesBeforeTheDownload) {
  World world(R"({"recipes":[{"renditions":{"r":{"width":5}}}],"limits":{"max_bytes":10}})");
  auto event = world.put("k", jpeg("more than ten bytes"));
  int gets = 0;
  world.source.set_hooks([&](std::string_view operation, std::string_view) -> base::Status {
    gets += operation == "get" ? 1 : 0;
    return {};
  });
  EXPECT_EQ(expect_outcome(world, event, Kind::failed).record.error->code, ports::kTooManyBytes);
  EXPECT_EQ(gets, 0);
  event.size.reset();
  event.sequencer = world.next_sequencer();
  EXPECT_EQ(expect_outcome(world, event, Kind::failed).record.error->code, ports::kTooManyBytes);
  EXPECT_EQ(world.engine.runs, 0);
  expect_outcome(world, event, Kind::unchanged);
}

TEST(ProcessorTest, RefusesEmptyObjects) {
  World world;
  EXPECT_EQ(expect_outcome(world, world.put("k", ""), Kind::failed).record.error->code,
            ports::kEmptyObject);
}

TEST(ProcessorTest, SkipsWhatNoRecipeWants) {
  World world(
      R"({"recipes":[{"match":{"prefix":"in/","types":["image/*"]},"renditions":{"r":{"width":5}}}]})");
  const auto elsewhere = expect_outcome(world, world.put("out/k", jpeg("x")), Kind::skipped);
  EXPECT_EQ(elsewhere.record.error->code, "NO_RECIPE");
  const auto text = world.put("in/k", "plain text");
  expect_outcome(world, text, Kind::skipped);
  EXPECT_EQ(world.record("in/k").status, RecordStatus::skipped);
  expect_outcome(world, text, Kind::unchanged);
  expect_outcome(world, world.put("in/k", jpeg("x")), Kind::ready);
  EXPECT_EQ(world.engine.runs, 1);
}

TEST(ProcessorTest, SkipsWhatItMadeItself) {
  World world;
  ports::PutOptions options;
  options.metadata["imgproc-generated"] = "true";
  const auto outcome = expect_outcome(world, world.put("k", jpeg("x"), options), Kind::skipped);
  EXPECT_EQ(outcome.record.error->code, "GENERATED");
  EXPECT_EQ(world.engine.runs, 0);
}

TEST(ProcessorTest, SkipsWhatIsGone) {
  World world;
  const auto created = world.put("k", jpeg("x"));
  const auto removed = world.remove("k");
  EXPECT_EQ(expect_outcome(world, created, Kind::skipped).record.error->code, "GONE");
  expect_outcome(world, removed, Kind::deleted);
  world.expect_consistent("k", removed);
}

TEST(ProcessorTest, TakesWhatStandsThereIfTheEventIsOutOfDate) {
  World world;
  const auto first = world.put("k", jpeg("one"));
  const auto second = world.put("k", jpeg("two"));
  expect_outcome(world, first, Kind::ready);
  world.expect_consistent("k", first);
  EXPECT_EQ(world.record("k").etag, second.etag);
  expect_outcome(world, second, Kind::ready);
  world.expect_consistent("k", second);
}

TEST(ProcessorTest, AcceptsOnlyTheBucketsItIsToldTo) {
  World world;
  const auto event = world.put("k", jpeg("x"));
  const Processor processor({.config = world.config,
                             .source = world.source,
                             .destination = world.destination,
                             .records = world.records,
                             .engine = world.engine,
                             .clock = world.clock,
                             .destination_bucket = "renditions",
                             .source_buckets = {"another"}});
  const auto outcome = processor.process(event, {});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, "BUCKET_NOT_ALLOWED");
  EXPECT_TRUE(world.records.all().empty());
}

TEST(ProcessorTest, TheDeadlineBoundsTheEngine) {
  World world;
  const auto event = world.put("k", jpeg("slow"));
  const auto with = [&](std::chrono::milliseconds left) {
    return world.processor().process(event,
                                     {.request_id = "r", .deadline = world.clock.steady() + left});
  };
  const auto late = with(std::chrono::milliseconds{1500});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, "DEADLINE_EXCEEDED");
  EXPECT_EQ(world.engine.runs, 0);
  const auto tight = with(std::chrono::milliseconds{5000});
  EXPECT_EQ(world.engine.last_order.timeout_ms, 3000U);
  ASSERT_FALSE(tight) << "a shortened time-out is not the image's fault";
  EXPECT_TRUE(tight.error().retryable);
  const auto whole = with(std::chrono::milliseconds{100'000});
  EXPECT_EQ(world.engine.last_order.timeout_ms, 30'000U);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->kind, Kind::failed);
}

TEST(ProcessorTest, AnOrderWithoutSequencerBringsTheObjectInOrder) {
  World world;
  auto event = world.put("k", jpeg("one"));
  auto order = event;
  order.sequencer.clear();
  order.etag.clear();
  order.size.reset();
  expect_outcome(world, order, Kind::ready);
  EXPECT_EQ(world.record("k").sequencer, "");
  expect_outcome(world, event, Kind::ready);
  world.expect_consistent("k", event);
  expect_outcome(world, order, Kind::unchanged);
  EXPECT_EQ(world.record("k").sequencer, ports::pad_sequencer(event.sequencer));

  world.config = *parse_config(R"({"recipes":[{"renditions":{"r":{"width":5}}}]})");
  expect_outcome(world, order, Kind::ready);
  EXPECT_EQ(world.destination.keys("renditions"), std::vector<std::string>{"k/r.jpg"});
}

TEST(ProcessorTest, AnOrderAfterADeleteIsNotUndoneByItsRepetition) {
  World world;
  expect_outcome(world, world.put("k", jpeg("one")), Kind::ready);
  const auto removed = world.remove("k");
  expect_outcome(world, removed, Kind::deleted);
  auto order = world.put("k", jpeg("two"));
  const auto created = order;
  order.sequencer.clear();
  expect_outcome(world, order, Kind::ready);
  expect_outcome(world, removed, Kind::superseded);
  EXPECT_EQ(world.record("k").status, RecordStatus::ready);
  EXPECT_EQ(world.destination.keys("renditions").size(), 2U);
  expect_outcome(world, created, Kind::ready);
  world.expect_consistent("k", created);
}

TEST(ProcessorTest, RemovingAVersionBringsTheOneBelowInOrder) {
  World world(kTwoRenditions, /*versioned=*/true);
  const auto first = world.put("k", jpeg("one"));
  const auto second = world.put("k", jpeg("alpha two"));
  expect_outcome(world, first, Kind::ready);
  EXPECT_EQ(world.record("k").version_id, first.version_id) << "an event is about its version";
  expect_outcome(world, second, Kind::ready);
  // The newest version goes for good, and the first one is the object again.
  ASSERT_TRUE(world.source.put("source", "k", base::as_bytes(jpeg("one")), {}));
  SourceEvent version_removed = second;
  version_removed.kind = SourceEvent::Kind::removed;
  version_removed.sequencer = world.next_sequencer();
  expect_outcome(world, version_removed, Kind::ready);
  EXPECT_EQ(world.destination.keys("renditions"),
            (std::vector<std::string>{"k/large.jpg", "k/small.jpg"}));
  SourceEvent as_created = version_removed;
  as_created.kind = SourceEvent::Kind::created;
  world.expect_consistent("k", as_created);
  // A delete marker is a removal without asking.
  SourceEvent marker = world.remove("k");
  marker.version_id = "marker";
  marker.delete_marker = true;
  expect_outcome(world, marker, Kind::deleted);
  world.expect_consistent("k", marker);
}

TEST(ProcessorTest, ObjectsOfOthersInTheDestinationAreNotRemoved) {
  World world;
  const auto created = world.put("k", jpeg("one"));
  expect_outcome(world, created, Kind::ready);
  ASSERT_TRUE(world.destination.put("renditions", "k/small.jpg", base::as_bytes("by hand"), {}));
  expect_outcome(world, world.remove("k"), Kind::deleted);
  EXPECT_EQ(world.destination.keys("renditions"), std::vector<std::string>{"k/small.jpg"});
}

TEST(SourceMarkTest, FitsIntoMetadata) {
  EXPECT_EQ(source_mark("b/a b"), "b/a%20b");
  std::string japanese;
  for (int i = 0; i < 300; ++i) japanese += "あ";
  EXPECT_EQ(source_mark(japanese).size(), 7U + 64U);
}

}  // namespace
}  // namespace imgproc::pipeline
