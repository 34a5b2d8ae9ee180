#pragma once
// One function process with everything it starts: its own process group, watched for output,
// memory and death.

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/file_descriptor.h"

namespace imgproc::localcloud::lambda {

/// A longer line is cut into several (CloudWatch Logs' own bound of one event).
inline constexpr std::size_t kOutputLineBytesMax = 256 * 1024;
/// How often memory is looked at while an invocation runs: what a process can exceed its limit for.
inline constexpr std::chrono::milliseconds kMemorySampleInterval{50};
/// How often the process table is searched for new members of the group.
inline constexpr std::chrono::milliseconds kProcessScanInterval{250};

struct ChildOptions {
  std::filesystem::path executable;
  /// NAME=value; the child gets these and nothing else.
  std::vector<std::string> environment;
  std::filesystem::path working_directory;
  /// The group is killed beyond this; 0 = no limit.
  std::uint64_t memory_bytes_max = 0;
};

/// How a process ended.
struct ChildExit {
  /// Exit status, or -1 if a signal ended it.
  int status = -1;
  int signal = 0;
  bool out_of_memory = false;

  /// As AWS words it: "exit status 3", "signal: killed".
  [[nodiscard]] std::string describe() const;
};

/// Starts the process from a thread that lives as long as it does, so that PR_SET_PDEATHSIG kills
/// it when this program dies. The destructor kills what is left of the group.
class ChildProcess {
 public:
  /// Called on the watching thread, line by line, without the newline.
  using LineHandler = std::function<void(std::string_view)>;
  /// Called once, on the watching thread, after the last line.
  using ExitHandler = std::function<void(const ChildExit&)>;

  /// Error CHILD_START_FAILED with the cause if `executable` cannot be run.
  [[nodiscard]] static base::Result<std::unique_ptr<ChildProcess>> start(ChildOptions options,
                                                                         LineHandler on_line,
                                                                         ExitHandler on_exit);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] int pid() const { return pid_; }
  [[nodiscard]] bool alive() const;
  /// Memory is sampled only between true and false; starting resets memory_bytes_peak().
  void watch_memory(bool on);
  /// Highest sum over the group: private memory of each process plus what they share, once.
  [[nodiscard]] std::uint64_t memory_bytes_peak() const;
  /// Returns when everything written so far was handed to the line handler.
  void drain();
  /// SIGTERM to the group; does not wait.
  void terminate();
  /// SIGKILL to the group and to what left it.
  void kill();
  /// True if the process ended within `wait` (real time).
  [[nodiscard]] bool wait_exit(std::chrono::milliseconds wait);

 private:
  ChildProcess(ChildOptions options, LineHandler on_line, ExitHandler on_exit);
  void run(std::function<void(base::Status)> started);
  base::Status spawn();
  void read_output(bool to_the_end_of_line);
  void sample_memory(bool may_scan);
  void find_members();
  void reap();
  void wake();

  ChildOptions options_;
  LineHandler on_line_;
  ExitHandler on_exit_;
  base::FileDescriptor output_;
  base::FileDescriptor pidfd_;
  base::FileDescriptor wake_fd_;
  int pid_ = -1;
  std::string partial_line_;
  std::vector<int> members_;
  std::chrono::steady_clock::time_point scanned_at_{};

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool watching_memory_ = false;
  bool exited_ = false;
  bool out_of_memory_ = false;
  std::uint64_t drains_wanted_ = 0;
  std::uint64_t drains_done_ = 0;
  std::uint64_t memory_peak_ = 0;
  std::thread thread_;
};

}  // namespace imgproc::localcloud::lambda
