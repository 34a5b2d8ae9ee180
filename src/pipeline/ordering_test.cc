// Events arrive twice, late, in any order and at once, and attempts die anywhere. The state in the
// end must be that of the newest event: these tests try it out.

#include <algorithm>
#include <cstdlib>
#include <random>
#include <semaphore>
#include <thread>
#include <utility>

#include "pipeline/fake_world_test.h"

namespace imgproc::pipeline {
namespace {

/// Thrown out of a port's call where a process would have died.
struct Crash {};

/// What the user does to one object.
using Script = std::vector<std::string>;

const std::vector<Script> kScripts{
    {jpeg("one"), jpeg("alpha"), "remove"},
    {jpeg("one"), "remove", jpeg("alpha")},
    {jpeg("one"), jpeg("alpha"), jpeg("one")},
    {"remove", jpeg("one")},
    {jpeg("one"), "remove"},
    {jpeg("one"), jpeg("one")},
};

std::vector<SourceEvent> play(World& world, const Script& script) {
  std::vector<SourceEvent> events;
  for (const auto& step : script)
    events.push_back(step == "remove" ? world.remove("k") : world.put("k", step));
  return events;
}

TEST(OrderingTest, EveryOrderOfEveryRepetitionEndsInTheNewestState) {
  for (const auto& script : kScripts) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < script.size(); ++i) order.insert(order.end(), {i, i});
    do {
      World world;
      const auto events = play(world, script);
      std::string trace;
      for (const std::size_t i : order) {
        const auto outcome = world.process(events[i]);
        ASSERT_TRUE(outcome) << outcome.error().describe();
        trace += fmt::format("event {}: {}\n", i, to_string(outcome->kind));
      }
      world.expect_consistent("k", events.back(), trace);
      if (testing::Test::HasFailure()) return;
    } while (std::ranges::next_permutation(order).found);
  }
}

/// Deliveries as the events come about: the source changes between them.
TEST(OrderingTest, EventsInStepWithTheSourceEndInTheNewestState) {
  for (const auto& script : kScripts) {
    World world;
    SourceEvent newest;
    for (const auto& step : script) {
      newest = play(world, {step}).front();
      ASSERT_TRUE(world.process(newest));
      world.expect_consistent("k", newest);
    }
  }
}

enum class Harm { crash, error_before, error_after };

// One event of a script meets a fault at each of its calls in turn, and is delivered again.
TEST(OrderingTest, AFaultAtAnyCallIsCuredByARepetition) {
  for (const auto& script : kScripts)
    for (const Harm harm : {Harm::crash, Harm::error_before, Harm::error_after})
      for (std::size_t victim = 0; victim < script.size(); ++victim)
        for (int at = 0;; ++at) {
          World world;
          int calls = 0;
          bool struck = false;
          bool armed = false;
          const auto strike = [&](Harm kind) -> base::Status {
            if (!armed || harm != kind || calls++ != at) return {};
            struck = true;
            if (harm == Harm::crash) throw Crash{};
            return base::transient("SlowDown", "please wait");
          };
          const auto before = [&](std::string_view, std::string_view) -> base::Status {
            IMGPROC_CHECK(strike(Harm::crash));
            return strike(Harm::error_before);
          };
          const auto after = [&](std::string_view, std::string_view) {
            return strike(Harm::error_after);
          };
          world.source.set_hooks(before, after);
          world.destination.set_hooks(before, after);
          world.records.set_hooks(before, after);
          SourceEvent newest;
          for (std::size_t i = 0; i < script.size(); ++i) {
            newest = play(world, {script[i]}).front();
            armed = i == victim;
            try {
              const auto outcome = world.process(newest);
              EXPECT_EQ(outcome.has_value(), !struck || !armed) << "a fault must not be swallowed";
            } catch (const Crash&) {
              EXPECT_TRUE(struck);
            }
            armed = false;
            if (i == victim && struck) {
              const auto again = world.process(newest);
              ASSERT_TRUE(again) << again.error().describe();
            }
            world.expect_consistent("k", newest,
                                    fmt::format("harm {} at call {}", static_cast<int>(harm), at));
          }
          if (testing::Test::HasFailure()) return;
          if (!struck) break;
          ASSERT_LT(at, 100);
        }
}

/// An attempt in a thread of its own that moves only when told to: one call of a port at a time.
class Worker {
 public:
  Worker(World& world, SourceEvent event) : event_(std::move(event)) {
    thread_ = std::jthread([this, &world] {
      current = this;
      go_.acquire();
      try {
        succeeded_ = !crash_ && world.process(event_).has_value();
      } catch (const Crash&) {
        succeeded_ = false;
      }
      done_ = true;
      paused_.release();
    });
  }
  /// Up to its next call, or to its end. With `crash` it dies before that call.
  void step(bool crash = false) {
    crash_ = crash;
    go_.release();
    paused_.acquire();
  }
  /// Up to its next call of `operation`, which is not made yet, or to its end.
  void step_up_to(std::string_view operation) {
    do step();
    while (!done_ && next_call_ != operation);
  }
  void step_to_end() {
    while (!done_) step();
  }
  /// Called by the ports' hooks.
  static void pause(std::string_view operation) {
    if (current == nullptr) return;
    current->next_call_ = operation;
    current->paused_.release();
    current->go_.acquire();
    if (current->crash_) throw Crash{};
  }
  /// The user is no worker: the source changes without a pause and without faults.
  static bool is_at_work() { return current != nullptr; }
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] bool succeeded() const { return succeeded_; }
  [[nodiscard]] const SourceEvent& event() const { return event_; }

 private:
  static thread_local Worker* current;
  SourceEvent event_;
  std::string next_call_;
  std::binary_semaphore go_{0};
  std::binary_semaphore paused_{0};
  bool crash_ = false;
  bool done_ = false;
  bool succeeded_ = false;
  std::jthread thread_;
};

thread_local Worker* Worker::current = nullptr;

void let_workers_pause(World& world) {
  const auto pause = [](std::string_view operation, std::string_view) -> base::Status {
    Worker::pause(operation);
    return {};
  };
  world.source.set_hooks(pause);
  world.destination.set_hooks(pause);
  world.records.set_hooks(pause);
}

void deliver(World& world, const SourceEvent& event, const std::string& trace) {
  for (int i = 0; i < 10; ++i)
    if (world.process(event)) return;
  FAIL() << "never succeeds\n" << trace;
}

// Two attempts at once: the first stops after any number of calls, the second runs any number of
// calls, the first ends or dies, the second ends; what failed or died is delivered again.
TEST(OrderingTest, TwoAttemptsAtOnceInAllInterleavingsOfTwoSwitches) {
  for (const auto& script : kScripts)
    for (const bool swapped : {false, true})
      for (const bool dies : {false, true})
        for (int first_steps = 1;; ++first_steps) {
          bool first_ended = false;
          for (int second_steps = 0;; ++second_steps) {
            World world;
            const Script start(script.begin(), script.end() - 2);
            for (const auto& event : play(world, start)) ASSERT_TRUE(world.process(event));
            const auto events = play(world, {script.end() - 2, script.end()});
            let_workers_pause(world);
            Worker first(world, events[swapped ? 1 : 0]);
            Worker second(world, events[swapped ? 0 : 1]);
            for (int i = 0; i < first_steps && !first.done(); ++i) first.step();
            first_ended = first.done();
            for (int i = 0; i < second_steps && !second.done(); ++i) second.step();
            const bool second_ended = second.done();
            if (!first.done()) first.step(dies);
            while (!first.done()) first.step();
            while (!second.done()) second.step();
            const std::string trace = fmt::format("swapped {}, dies {}, steps {} and {}", swapped,
                                                  dies, first_steps, second_steps);
            if (!second.succeeded()) deliver(world, second.event(), trace);
            if (!first.succeeded()) deliver(world, first.event(), trace);
            world.expect_consistent("k", events.back(), trace);
            if (testing::Test::HasFailure()) return;
            if (second_ended) break;
          }
          if (first_ended) break;
        }
}

/// The destination holds what the record lists, and nothing else.
void expect_all_listed(World& world) {
  std::vector<std::string> listed;
  for (const auto& [name, rendition] : world.record("k").renditions)
    listed.push_back(rendition.key);
  std::ranges::sort(listed);
  EXPECT_EQ(world.destination.keys("renditions"), listed);
}

/// A versioned source, so that every event is about the bytes that it was sent for: "alpha" makes a
/// WebP, "one" a JPEG.
struct VersionedWorld : World {
  VersionedWorld() : World(kTwoRenditions, /*versioned=*/true) { let_workers_pause(*this); }
};

// Rule 6. Nothing was there when the newer event was read, the older one ended before the newer
// one's claim: its WebP is taken over, but the attempt dies before a claim lists it.
TEST(OrderingTest, ARepetitionFindsTheKeysThatADeadAttemptHadTakenOver) {
  VersionedWorld world;
  const auto older = world.put("k", jpeg("alpha"));
  const auto newer = world.put("k", jpeg("one"));
  Worker dies(world, newer);
  dies.step_up_to("put_record");
  ASSERT_TRUE(world.process(older));
  dies.step();
  EXPECT_FALSE(world.record("k").renditions.contains("~0")) << "it is listed already";
  dies.step(/*crash=*/true);
  ASSERT_TRUE(dies.done());
  ASSERT_TRUE(world.process(newer));
  world.expect_consistent("k", newer);
}

// The same, but the dead attempt is not repeated (it was its event's last), and a still newer event
// had read the store before all of it.
TEST(OrderingTest, AClaimOverAnUnfinishedOneSweepsWhatThatOneHadTakenOver) {
  VersionedWorld world;
  const auto oldest = world.put("k", jpeg("alpha"));
  const auto older = world.put("k", jpeg("one"));
  const auto newest = world.put("k", jpeg("one"));
  Worker last(world, newest);
  last.step_up_to("put_record");
  Worker dies(world, older);
  dies.step_up_to("put_record");
  ASSERT_TRUE(world.process(oldest));
  dies.step();
  dies.step(/*crash=*/true);
  last.step_to_end();
  ASSERT_TRUE(last.succeeded());
  world.expect_consistent("k", newest);
}

// What took the keys over and died needed no claim: its record is complete, and says FAILED.
TEST(OrderingTest, AnEventAfterAFailedOneSweepsWhatThatOneHadTakenOver) {
  VersionedWorld world;
  const auto oldest = world.put("k", jpeg("alpha"));
  const auto older = world.put("k", jpeg("corrupt"));
  Worker dies(world, older);
  dies.step_up_to("put_record");
  ASSERT_TRUE(world.process(oldest));
  dies.step();
  dies.step(/*crash=*/true);
  EXPECT_EQ(world.record("k").status, ports::RecordStatus::failed);
  const auto newest = world.put("k", jpeg("one"));
  ASSERT_TRUE(world.process(newest));
  world.expect_consistent("k", newest);
}

/// The answer to the next writing of a record gets lost, and the client writes it again.
void lose_next_answer(World& world, bool& lose) {
  world.clients_resend = true;
  world.records.set_hooks(
      [](std::string_view operation, std::string_view) -> base::Status {
        Worker::pause(operation);
        return {};
      },
      [&lose](std::string_view operation, std::string_view) -> base::Status {
        if (operation != "put_record" || !std::exchange(lose, false)) return {};
        return base::transient("ConnectionReset", "the answer was lost");
      });
}

// Rule 8. The tombstone and the failure need no claim, so the record that a second writing meets is
// complete, and that of the older event, which the first one replaced, is never seen.
TEST(OrderingTest, ALostAnswerOfAFinalRecordHidesNoRenditions) {
  for (const bool removes : {true, false}) {
    VersionedWorld world;
    const auto older = world.put("k", jpeg("alpha"));
    const auto newer = removes ? world.remove("k") : world.put("k", jpeg("corrupt"));
    bool lose = false;
    lose_next_answer(world, lose);
    Worker worker(world, newer);
    worker.step_up_to("put_record");
    ASSERT_TRUE(world.process(older));
    EXPECT_FALSE(world.destination.keys("renditions").empty());
    lose = true;
    worker.step_to_end();
    EXPECT_FALSE(lose);
    ASSERT_TRUE(worker.succeeded());
    EXPECT_EQ(world.record("k").sequencer, ports::pad_sequencer(newer.sequencer));
    EXPECT_TRUE(world.destination.keys("renditions").empty()) << "removes " << removes;
  }
}

// Rule 5. Three uploads of equal bytes: the middle one's attempt has looked at what the first left,
// and writes under that ETag, which the newest one's rendition has as well. Then it dies.
TEST(OrderingTest, WhoMetAnUnfinishedClaimChecksItsRenditionsInTheEnd) {
  for (const bool loses_answer : {false, true}) {
    VersionedWorld world;
    ASSERT_TRUE(world.process(world.put("k", jpeg("one"))));
    const auto older = world.put("k", jpeg("one"));
    const auto newest = world.put("k", jpeg("one"));
    bool lose = false;
    lose_next_answer(world, lose);
    Worker dies(world, older);
    dies.step_up_to("put");
    Worker last(world, newest);
    last.step_up_to("put_record");
    lose = loses_answer;
    last.step_up_to("put");
    last.step_up_to("put_record");
    dies.step();
    dies.step(/*crash=*/true);
    last.step_to_end();
    EXPECT_FALSE(lose);
    ASSERT_TRUE(last.succeeded());
    world.expect_consistent("k", newest, loses_answer ? "answer lost" : "");
  }
}

// Of two writes at once S3 may tell of one only: two attempts at that one event see different
// bytes.
TEST(OrderingTest, ALostAnswerOfACommitHidesNoRenditions) {
  World world;
  const auto event = world.put("k", jpeg("alpha"));
  bool lose = false;
  let_workers_pause(world);
  lose_next_answer(world, lose);
  Worker first(world, event);
  first.step_up_to("put_record");
  (void)world.put("k", jpeg("one"));
  Worker second(world, event);
  second.step_up_to("put_record");
  first.step();
  second.step_to_end();
  ASSERT_TRUE(second.succeeded());
  first.step_up_to("put_record");
  lose = true;
  first.step_to_end();
  EXPECT_FALSE(lose);
  ASSERT_TRUE(first.succeeded());
  expect_all_listed(world);
}

/// A random world under one seed: the user changes an object, events are delivered doubled, late
/// and out of order to several attempts at once, which die, and whose calls fail before or after
/// their effect.
void simulate(std::uint64_t seed) {
  constexpr std::size_t kWorkersMax = 3;
  std::mt19937_64 random(seed);
  const auto chance = [&](std::uint64_t percent) { return random() % 100 < percent; };
  World world;
  std::string trace = fmt::format("seed {}\n", seed);
  const bool faulty = chance(50);
  world.clients_resend = chance(50);
  const auto pause = [&](std::string_view operation, std::string_view) -> base::Status {
    if (!Worker::is_at_work()) return {};
    Worker::pause(operation);
    trace += fmt::format("    {}\n", operation);
    if (faulty && chance(2)) return base::transient("SlowDown", "please wait");
    return {};
  };
  const auto lose_answer = [&](std::string_view, std::string_view) -> base::Status {
    if (Worker::is_at_work() && faulty && chance(2))
      return base::transient("ConnectionReset", "the answer was lost");
    return {};
  };
  world.source.set_hooks(pause, lose_answer);
  world.destination.set_hooks(pause, lose_answer);
  world.records.set_hooks(pause, lose_answer);

  Script script;
  for (std::size_t steps = 2 + random() % 4; steps > 0; --steps)
    script.push_back(chance(30) ? "remove" : chance(60) ? jpeg("one") : jpeg("alpha"));
  std::size_t next = 0;
  SourceEvent newest;
  std::vector<SourceEvent> pending;
  std::vector<std::unique_ptr<Worker>> workers;
  int actions = 0;
  while (next < script.size() || !pending.empty() || !workers.empty()) {
    ASSERT_LT(++actions, 20'000) << trace;
    const auto choice = random() % 10;
    if (choice == 0 && next < script.size()) {
      newest = play(world, {script[next]}).front();
      trace += fmt::format("user: {}, sequencer {}\n", script[next].substr(0, 8), newest.sequencer);
      ++next;
      pending.push_back(newest);
      if (chance(30)) pending.push_back(newest);
    } else if (choice == 1 && !pending.empty() && workers.size() < kWorkersMax) {
      const auto at = pending.begin() + static_cast<std::ptrdiff_t>(random() % pending.size());
      trace += fmt::format("start {}\n", at->sequencer);
      workers.push_back(std::make_unique<Worker>(world, *at));
      pending.erase(at);
    } else if (!workers.empty()) {
      const auto at = workers.begin() + static_cast<std::ptrdiff_t>(random() % workers.size());
      const bool crash = faulty && chance(2);
      trace += fmt::format("  {}{}\n", (*at)->event().sequencer, crash ? " dies" : "");
      (*at)->step(crash);
      if (!(*at)->done()) continue;
      trace += fmt::format("  {} {}\n", (*at)->event().sequencer,
                           (*at)->succeeded() ? "succeeded" : "failed");
      if (!(*at)->succeeded()) pending.push_back((*at)->event());
      workers.erase(at);
    }
  }
  world.source.set_hooks({});
  world.destination.set_hooks({});
  world.records.set_hooks({});
  world.expect_consistent("k", newest, trace);
}

TEST(OrderingTest, SimulatedWorldsEndInTheNewestState) {
  const char* wanted = std::getenv("IMGPROC_SIMULATION_SEEDS");
  const std::uint64_t seeds = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 2000;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    simulate(seed);
    if (testing::Test::HasFailure()) FAIL() << "seed " << seed;
  }
}

}  // namespace
}  // namespace imgproc::pipeline
