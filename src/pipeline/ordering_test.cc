// Events arrive twice, late, in any order and at once, and attempts die anywhere. The state in the
// end must be that of the newest event: these tests try it out.

#include <algorithm>
#include <cstdlib>
#include <random>
#include <semaphore>
#include <thread>

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
  /// Called by the ports' hooks.
  static void pause() {
    if (current == nullptr) return;
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
  std::binary_semaphore go_{0};
  std::binary_semaphore paused_{0};
  bool crash_ = false;
  bool done_ = false;
  bool succeeded_ = false;
  std::jthread thread_;
};

thread_local Worker* Worker::current = nullptr;

void let_workers_pause(World& world) {
  const auto pause = [](std::string_view, std::string_view) -> base::Status {
    Worker::pause();
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
  const auto pause = [&](std::string_view operation, std::string_view) -> base::Status {
    if (!Worker::is_at_work()) return {};
    Worker::pause();
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
