#pragma once
// The durable queue of asynchronous invocations, with AWS's retry schedule.
// Source of the rules: AWS Lambda developer guide, "How Lambda handles errors and retries with
// asynchronous invocation".

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "localcloud/store/database.h"

namespace imgproc::localcloud::lambda {

/// Largest payload of an asynchronous invocation.
inline constexpr std::size_t kAsyncPayloadBytesMax = 1024 * 1024;
/// The first retry waits this long, the second twice as long.
inline constexpr std::chrono::milliseconds kRetryBaseDelay{60'000};
inline constexpr int kRetryAttemptsMax = 2;
/// How long an event may wait and be retried in all.
inline constexpr std::chrono::seconds kEventAgeMax{21'600};
/// What waits and runs together, kEventOverheadBytes for each event included: over a million usual
/// events. AWS names no bound; here it is the disk that must not fill up.
inline constexpr std::int64_t kQueuedBytesMax = std::int64_t{2} << 30;
inline constexpr std::int64_t kEventOverheadBytes = 512;
/// Events given up that are remembered here, whether or not a dead-letter queue got them; AWS
/// itself remembers none. Beyond this the oldest is forgotten.
inline constexpr std::int64_t kDeadLettersMax = 10'000;

/// One asynchronous invocation that waits or is under way.
struct QueuedEvent {
  std::int64_t id = 0;
  std::string request_id;
  std::string function;
  /// Version or alias that was asked for; empty = $LATEST.
  std::string qualifier;
  std::string payload;
  /// X-Ray header that travels with the event through all its attempts.
  std::string trace_id;
  base::SystemTime enqueued_at;
  /// Attempts that failed so far.
  int attempts = 0;
  /// When this one was claimed, another of the same function was due.
  bool more_due = false;
};

/// How often and how long one function's events are tried (its event invoke configuration).
struct RetryPolicy {
  int retry_attempts_max = kRetryAttemptsMax;
  std::chrono::seconds event_age_max = kEventAgeMax;
};

/// Why an attempt failed, as the function or the sandbox said it.
struct Failure {
  std::string error_type;
  std::string message;
  /// The error document that a synchronous caller would have got.
  std::string response;
};

/// An event given up, and why.
struct DeadLetter {
  QueuedEvent event;
  /// RetriesExhausted, EventAgeExceeded, ZeroReservedConcurrency or FunctionNotFound.
  std::string condition;
  Failure failure;
  base::SystemTime failed_at;
};

enum class Disposition { retried, dead_lettered };

struct QueueBounds {
  std::int64_t queued_bytes_max = kQueuedBytesMax;
  std::int64_t dead_letters_max = kDeadLettersMax;
};

/// All times are those of the clock it was given. Thread-safe.
class InvocationQueue {
 public:
  /// Creates the tables; events that were under way when the last process ended wait again.
  [[nodiscard]] static base::Result<std::unique_ptr<InvocationQueue>> open(
      Database& database, base::Clock& clock, std::chrono::milliseconds retry_base_delay,
      QueueBounds bounds = {});

  /// Adds an event in the caller's transaction. `event.id`, `attempts` and `enqueued_at` are set
  /// here. Errors: RequestTooLargeException beyond kAsyncPayloadBytesMax; ServiceUnavailable (503,
  /// retryable) when the queue is full, so that whoever causes events is held up.
  [[nodiscard]] base::Status enqueue(Connection& transaction, const QueuedEvent& event);

  /// The function's oldest due event, marked as under way; nullopt if none is due.
  [[nodiscard]] base::Result<std::optional<QueuedEvent>> claim(std::string_view function);
  /// When the function's next waiting event is due; nullopt if none waits.
  [[nodiscard]] base::Result<std::optional<base::SystemTime>> next_due(std::string_view function);

  /// The event was handled: it leaves the queue.
  [[nodiscard]] base::Status succeed(const QueuedEvent& event);
  /// One attempt failed: waits for the next, or becomes a dead letter.
  [[nodiscard]] base::Result<Disposition> fail(const QueuedEvent& event, const RetryPolicy& policy,
                                               const Failure& failure);
  /// Given back untried (throttled, shutting down): not an attempt.
  [[nodiscard]] base::Status release(const QueuedEvent& event, std::chrono::milliseconds delay);
  /// Gives the event up at once.
  [[nodiscard]] base::Status bury(const QueuedEvent& event, std::string_view condition,
                                  const Failure& failure);
  /// In the caller's transaction: every waiting event of a function that is being deleted.
  [[nodiscard]] base::Status bury_all(Connection& transaction, std::string_view function,
                                      std::string_view condition, const Failure& failure);
  /// In the caller's transaction: an event that cannot even be queued.
  [[nodiscard]] base::Status bury_new(Connection& transaction, QueuedEvent event,
                                      std::string_view condition, const Failure& failure);

  /// True if the event has waited longer than its policy allows.
  [[nodiscard]] bool too_old(const QueuedEvent& event, const RetryPolicy& policy) const;

  /// Newest first.
  [[nodiscard]] base::Result<std::vector<DeadLetter>> dead_letters(std::size_t count_max);

  struct Stats {
    std::int64_t waiting = 0;
    std::int64_t running = 0;
    std::int64_t dead_letters = 0;
    std::chrono::milliseconds oldest_age{0};
  };
  [[nodiscard]] base::Result<Stats> stats();

  /// Takes a dead letter in the transaction that removes its event, to carry it to the function's
  /// dead-letter queue or failure destination. Set before events run.
  using DeadLetterHook = std::function<base::Status(Connection&, const DeadLetter&)>;
  void on_dead_letter(DeadLetterHook hook) { hook_ = std::move(hook); }

 private:
  InvocationQueue(Database& database, base::Clock& clock, std::chrono::milliseconds base_delay,
                  QueueBounds bounds)
      : database_(database), clock_(clock), base_delay_(base_delay), bounds_(bounds) {}
  [[nodiscard]] base::Status insert_dead_letter(Connection& transaction, const DeadLetter& letter);
  [[nodiscard]] base::Status check_room(Connection& transaction, std::int64_t bytes);
  [[nodiscard]] base::Status remove(Connection& transaction, const QueuedEvent& event);

  Database& database_;
  base::Clock& clock_;
  std::chrono::milliseconds base_delay_;
  QueueBounds bounds_;
  DeadLetterHook hook_;
  /// Changed inside write() only, but before the commit: a transaction that is rolled back leaves
  /// it too high or too low until the queue seems full and it is counted anew.
  std::int64_t queued_bytes_ = 0;
  base::SteadyTime counted_at_{};
};

}  // namespace imgproc::localcloud::lambda
