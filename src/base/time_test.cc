#include "base/time.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace imgproc::base {
namespace {

const SystemTime kMoment{std::chrono::milliseconds{784111777123}};  // 1994-11-06 08:49:37.123

TEST(Time, WritesTheFormsOfAws) {
  EXPECT_EQ(to_iso8601(kMoment), "1994-11-06T08:49:37.123Z");
  EXPECT_EQ(to_amz_date(kMoment), "19941106T084937Z");
  EXPECT_EQ(to_http_date(kMoment), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(Time, ReadsThemBack) {
  SystemTime whole = std::chrono::floor<std::chrono::seconds>(kMoment);
  EXPECT_EQ(from_iso8601("1994-11-06T08:49:37.123Z"), kMoment);
  EXPECT_EQ(from_iso8601("1994-11-06T09:49:37+01:00"), whole);
  EXPECT_EQ(from_amz_date("19941106T084937Z"), whole);
  EXPECT_EQ(from_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), whole);
}

TEST(Time, RefusesWhatIsNoTime) {
  for (const char* bad :
       {"", "1994-13-06T08:49:37Z", "1994-11-31T08:49:37Z", "1994-11-06 08:49:37Z",
        "1994-11-06T24:49:37Z", "1994-11-06T08:49:37", "1994-11-06T08:49:37+0100"})
    EXPECT_FALSE(from_iso8601(bad).has_value()) << bad;
  EXPECT_FALSE(from_amz_date("19941106T084937").has_value());
  EXPECT_FALSE(from_http_date("Sunday, 06-Nov-94 08:49:37 GMT").has_value());
}

TEST(ManualClock, WakesWhoeverWaitsOnIt) {
  ManualClock clock;
  std::mutex mutex;
  std::condition_variable wake;
  bool timed_out = false;
  std::thread waiter([&] {
    std::unique_lock lock(mutex);
    timed_out = !clock.wait_until(lock, wake, clock.steady() + std::chrono::minutes(2),
                                  [] { return false; });
  });
  while (clock.waiters() == 0) std::this_thread::yield();
  SystemTime before = clock.now();
  clock.advance(std::chrono::minutes(2));
  waiter.join();
  EXPECT_TRUE(timed_out);
  EXPECT_EQ(clock.now() - before, std::chrono::minutes(2));
}

TEST(ManualClock, AWaiterMayDieTheMomentItWakes) {
  ManualClock clock;
  std::atomic<bool> done = false;
  std::thread waiter([&] {
    for (int i = 0; i < 2000; ++i) {
      std::mutex mutex;
      std::condition_variable wake;
      std::unique_lock lock(mutex);
      clock.wait_until(lock, wake, clock.steady() + std::chrono::milliseconds(1),
                       [] { return false; });
    }
    done = true;
  });
  while (!done) clock.advance(std::chrono::milliseconds(1));
  waiter.join();
  EXPECT_EQ(clock.waiters(), 0U);
}

}  // namespace
}  // namespace imgproc::base
