#pragma once
// Log groups, streams and events in the database: what the service's operations stand on.

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "localcloud/logs/filter_pattern.h"
#include "localcloud/store/database.h"

namespace imgproc::localcloud::logs {

/// Events are kept up to this many bytes in all; then the oldest tenth goes.
inline constexpr std::int64_t kStoredBytesMax = 256LL * 1024 * 1024;
/// Appended lines wait in memory up to this many bytes, then the appending thread writes them.
inline constexpr std::size_t kPendingBytesMax = 1024 * 1024;
/// Appended lines wait this long at most.
inline constexpr std::chrono::milliseconds kFlushInterval{200};
/// What one event counts beside its text, as CloudWatch Logs counts it.
inline constexpr std::int64_t kEventOverheadBytes = 26;

struct LogGroup {
  std::string name;
  base::SystemTime created_at{};
  std::optional<int> retention_days;
  std::map<std::string, std::string> tags;
  std::string log_class = "STANDARD";
  std::int64_t stored_bytes = 0;
};

struct LogStream {
  std::string name;
  base::SystemTime created_at{};
  std::optional<base::SystemTime> first_event_at;
  std::optional<base::SystemTime> last_event_at;
  std::optional<base::SystemTime> last_ingestion_at;
};

struct LogEvent {
  std::int64_t id = 0;
  std::string stream;
  base::SystemTime time{};
  base::SystemTime ingested_at{};
  std::string message;
};

/// A place between two events, in the order of time and then of arrival.
struct Position {
  std::int64_t time_ms = 0;
  std::int64_t id = 0;
};

struct EventQuery {
  std::string group;
  /// Empty = all of the group; else these.
  std::vector<std::string> streams;
  std::string stream_prefix;
  std::optional<std::int64_t> start_ms;
  /// Not included.
  std::optional<std::int64_t> end_ms;
  /// Only events behind (or, `backward`, before) this place.
  std::optional<Position> from;
  /// Newest first.
  bool backward = false;
  std::size_t count_max = 10'000;
  std::size_t bytes_max = 1024 * 1024;
  const FilterPattern* filter = nullptr;
};

struct EventPage {
  std::vector<LogEvent> events;
  /// Last place that was looked at; set if the search stopped before the end.
  std::optional<Position> more;
};

/// Thread-safe.
class LogStore {
 public:
  [[nodiscard]] static base::Result<std::unique_ptr<LogStore>> open(Database& database,
                                                                    base::Clock& clock);
  /// Writes what is still pending.
  ~LogStore();

  /// Adds a line; the group and stream are made if missing. Returns at once: the line is written
  /// within kFlushInterval, and before any read. Lines of a failed write are dropped with a log
  /// line.
  void append(std::string_view group, std::string_view stream, base::SystemTime time,
              std::string_view message);
  /// Writes what was appended so far.
  void flush();

  /// Errors of all below: ResourceNotFoundException, ResourceAlreadyExistsException.
  [[nodiscard]] base::Status create_group(const LogGroup& group);
  [[nodiscard]] base::Status create_stream(const std::string& group, const std::string& stream);
  [[nodiscard]] base::Status delete_group(const std::string& group);
  [[nodiscard]] base::Status delete_stream(const std::string& group, const std::string& stream);
  [[nodiscard]] base::Status set_retention(const std::string& group, std::optional<int> days);
  [[nodiscard]] base::Status change_tags(const std::string& group,
                                         const std::map<std::string, std::string>& add,
                                         const std::vector<std::string>& remove);
  [[nodiscard]] base::Status put_events(const std::string& group, const std::string& stream,
                                        const std::vector<LogEvent>& events);
  [[nodiscard]] base::Result<LogGroup> group(const std::string& name);
  /// By name, behind `after`, with `prefix` and holding `contained`.
  [[nodiscard]] base::Result<std::vector<LogGroup>> groups(std::string_view prefix,
                                                           std::string_view contained,
                                                           std::string_view after,
                                                           std::size_t count_max);
  [[nodiscard]] base::Result<std::vector<LogStream>> streams(const std::string& group,
                                                             std::string_view prefix);
  [[nodiscard]] base::Result<EventPage> events(const EventQuery& query);

  /// Applies retention in days and in bytes now; otherwise it runs by itself about once an hour.
  [[nodiscard]] base::Status apply_retention(std::int64_t bytes_max = kStoredBytesMax);

 private:
  struct Pending {
    std::string group;
    std::string stream;
    base::SystemTime time;
    std::string message;
  };
  LogStore(Database& database, base::Clock& clock) : database_(database), clock_(clock) {}
  void run();
  base::Status write(const std::vector<Pending>& lines);

  Database& database_;
  base::Clock& clock_;
  std::mutex flush_mutex_;  // keeps the order of two flushes
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Pending> pending_;
  std::size_t pending_bytes_ = 0;
  bool stopping_ = false;
  std::thread flusher_;
};

}  // namespace imgproc::localcloud::logs
