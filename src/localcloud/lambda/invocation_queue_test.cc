#include "localcloud/lambda/invocation_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "localcloud/lambda/testing.h"

namespace imgproc::localcloud::lambda {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

class InvocationQueueTest : public ::testing::Test {
 protected:
  void SetUp() override { reopen(); }
  void reopen() {
    queue_.reset();
    database_.reset();
    database_ = Database::open(directory_.path() / "state.db").value();
    queue_ = InvocationQueue::open(*database_, clock_, kRetryBaseDelay).value();
  }
  void enqueue(std::string_view payload, std::string function = "f") {
    QueuedEvent event;
    event.request_id = "r-" + std::string(payload);
    event.function = std::move(function);
    event.payload = payload;
    ASSERT_TRUE(database_->write([&](Connection& c) { return queue_->enqueue(c, event); }));
  }
  QueuedEvent claim(std::string_view function = "f") {
    auto event = queue_->claim(function).value();
    EXPECT_TRUE(event.has_value());
    return event.value_or(QueuedEvent{});
  }
  bool nothing_due(std::string_view function = "f") {
    return !queue_->claim(function).value().has_value();
  }

  TempDirectory directory_;
  base::ManualClock clock_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<InvocationQueue> queue_;
  RetryPolicy policy_;
  Failure failure_{"Boom", "it broke", "{}"};
};

TEST_F(InvocationQueueTest, HandsOutOldestFirstAndEachOnce) {
  enqueue("a");
  enqueue("b");
  EXPECT_EQ(claim().payload, "a");
  EXPECT_EQ(claim().payload, "b");
  EXPECT_TRUE(nothing_due());
}

TEST_F(InvocationQueueTest, SaysWhetherAnotherIsDue) {
  enqueue("a");
  enqueue("b");
  enqueue("c", "g");
  EXPECT_TRUE(claim().more_due);
  EXPECT_FALSE(claim().more_due);
  EXPECT_FALSE(claim("g").more_due);
}

TEST_F(InvocationQueueTest, KeepsFunctionsApart) {
  enqueue("a", "f");
  EXPECT_TRUE(nothing_due("g"));
  EXPECT_EQ(claim("f").payload, "a");
}

TEST_F(InvocationQueueTest, RollsBackWithTheCallersTransaction) {
  QueuedEvent event;
  event.function = "f";
  auto status = database_->write([&](Connection& c) -> base::Status {
    IMGPROC_CHECK(queue_->enqueue(c, event));
    return base::permanent("NoSuchBucket", "the caller changed its mind");
  });
  EXPECT_FALSE(status);
  EXPECT_TRUE(nothing_due());
}

TEST_F(InvocationQueueTest, RetriesAfterOneAndTwoMinutesToTheMillisecond) {
  enqueue("a");
  EXPECT_EQ(queue_->fail(claim(), policy_, failure_).value(), Disposition::retried);
  clock_.advance(milliseconds(59'999));
  EXPECT_TRUE(nothing_due());
  clock_.advance(milliseconds(1));
  EXPECT_EQ(queue_->fail(claim(), policy_, failure_).value(), Disposition::retried);
  clock_.advance(milliseconds(119'999));
  EXPECT_TRUE(nothing_due());
  clock_.advance(milliseconds(1));
  QueuedEvent third = claim();
  EXPECT_EQ(third.attempts, 2);
  EXPECT_EQ(queue_->fail(third, policy_, failure_).value(), Disposition::dead_lettered);

  auto letters = queue_->dead_letters(10).value();
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].condition, "RetriesExhausted");
  EXPECT_EQ(letters[0].event.payload, "a");
  EXPECT_EQ(letters[0].event.attempts, 3);
  EXPECT_EQ(letters[0].failure.error_type, "Boom");
  EXPECT_EQ(queue_->stats().value().waiting, 0);
}

TEST_F(InvocationQueueTest, ObeysMaximumRetryAttempts) {
  policy_.retry_attempts_max = 0;
  enqueue("a");
  EXPECT_EQ(queue_->fail(claim(), policy_, failure_).value(), Disposition::dead_lettered);
}

TEST_F(InvocationQueueTest, GivesUpWhenTheNextAttemptWouldComeTooLate) {
  policy_.event_age_max = seconds(100);
  enqueue("a");
  EXPECT_EQ(queue_->fail(claim(), policy_, failure_).value(), Disposition::retried);
  clock_.advance(seconds(60));
  EXPECT_EQ(queue_->fail(claim(), policy_, failure_).value(), Disposition::dead_lettered);
  EXPECT_EQ(queue_->dead_letters(1).value().at(0).condition, "EventAgeExceeded");
}

TEST_F(InvocationQueueTest, KnowsWhenAnEventIsTooOld) {
  enqueue("a");
  QueuedEvent event = claim();
  clock_.advance(hours(6));
  EXPECT_FALSE(queue_->too_old(event, policy_));
  clock_.advance(milliseconds(1));
  EXPECT_TRUE(queue_->too_old(event, policy_));
}

TEST_F(InvocationQueueTest, ReleasingIsNotAnAttempt) {
  enqueue("a");
  ASSERT_TRUE(queue_->release(claim(), seconds(1)));
  EXPECT_TRUE(nothing_due());
  clock_.advance(seconds(1));
  EXPECT_EQ(claim().attempts, 0);
}

TEST_F(InvocationQueueTest, RunsAgainWhatWasUnderWayWhenTheProcessEnded) {
  enqueue("a");
  EXPECT_EQ(claim().payload, "a");
  reopen();
  EXPECT_EQ(claim().payload, "a");
}

TEST_F(InvocationQueueTest, ForgetsWhatSucceeded) {
  enqueue("a");
  ASSERT_TRUE(queue_->succeed(claim()));
  reopen();
  EXPECT_TRUE(nothing_due());
}

TEST_F(InvocationQueueTest, RefusesPayloadsBeyondTheLimit) {
  QueuedEvent event;
  event.function = "f";
  event.payload.assign(kAsyncPayloadBytesMax + 1, 'x');
  auto status = database_->write([&](Connection& c) { return queue_->enqueue(c, event); });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, "RequestTooLargeException");
  EXPECT_EQ(status.error().http_status, 413);
}

TEST_F(InvocationQueueTest, BuriesTheEventsOfADeletedFunction) {
  enqueue("a");
  enqueue("b");
  enqueue("c", "other");
  ASSERT_TRUE(database_->write(
      [&](Connection& c) { return queue_->bury_all(c, "f", "FunctionNotFound", failure_); }));
  EXPECT_TRUE(nothing_due());
  EXPECT_EQ(queue_->dead_letters(10).value().size(), 2U);
  EXPECT_EQ(claim("other").payload, "c");
}

TEST_F(InvocationQueueTest, CountsDepthAndAge) {
  enqueue("a");
  clock_.advance(seconds(5));
  enqueue("b");
  QueuedEvent running = claim();
  auto stats = queue_->stats().value();
  EXPECT_EQ(stats.waiting, 1);
  EXPECT_EQ(stats.running, 1);
  EXPECT_EQ(stats.oldest_age, seconds(5));
}

TEST_F(InvocationQueueTest, TellsTheHookInsideTheSameTransaction) {
  enqueue("a");
  queue_->on_dead_letter([](Connection&, const DeadLetter&) -> base::Status {
    return base::transient("QueueDown", "no room");
  });
  policy_.retry_attempts_max = 0;
  QueuedEvent event = claim();
  EXPECT_FALSE(queue_->fail(event, policy_, failure_));
  EXPECT_EQ(queue_->stats().value().running, 1) << "the event must not vanish";
  EXPECT_EQ(queue_->stats().value().dead_letters, 0);
}

TEST_F(InvocationQueueTest, RefusesWhatThereIsNoRoomFor) {
  queue_ = InvocationQueue::open(*database_, clock_, kRetryBaseDelay,
                                 {.queued_bytes_max = 2 * (kEventOverheadBytes + 1)})
               .value();
  enqueue("a");
  enqueue("b");
  QueuedEvent event;
  event.function = "f";
  event.payload = "c";
  auto put = [&] {
    return database_->write([&](Connection& c) { return queue_->enqueue(c, event); });
  };
  auto refused = put();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "ServiceUnavailable");
  EXPECT_EQ(refused.error().http_status, 503);
  EXPECT_TRUE(refused.error().retryable);
  EXPECT_TRUE(queue_->succeed(claim()));
  EXPECT_TRUE(put()) << "there is room again";
  EXPECT_FALSE(put());
}

TEST_F(InvocationQueueTest, CountsAnewWhatARolledBackTransactionAdded) {
  queue_ = InvocationQueue::open(*database_, clock_, kRetryBaseDelay,
                                 {.queued_bytes_max = kEventOverheadBytes + 1})
               .value();
  QueuedEvent event;
  event.function = "f";
  event.payload = "a";
  ASSERT_FALSE(database_->write([&](Connection& c) -> base::Status {
    EXPECT_TRUE(queue_->enqueue(c, event));
    return base::permanent("CHANGED_MY_MIND", "");
  }));
  clock_.advance(seconds(1));
  EXPECT_TRUE(database_->write([&](Connection& c) { return queue_->enqueue(c, event); }));
  clock_.advance(seconds(1));
  EXPECT_FALSE(database_->write([&](Connection& c) { return queue_->enqueue(c, event); }));
}

TEST_F(InvocationQueueTest, ForgetsTheOldestDeadLetters) {
  queue_ =
      InvocationQueue::open(*database_, clock_, kRetryBaseDelay, {.dead_letters_max = 2}).value();
  for (const char* payload : {"a", "b", "c"}) {
    enqueue(payload);
    ASSERT_TRUE(queue_->bury(claim(), "RetriesExhausted", failure_));
  }
  auto letters = queue_->dead_letters(10).value();
  ASSERT_EQ(letters.size(), 2U);
  EXPECT_EQ(letters[0].event.payload, "c");
  EXPECT_EQ(letters[1].event.payload, "b");
}

}  // namespace
}  // namespace imgproc::localcloud::lambda
