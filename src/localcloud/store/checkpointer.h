#pragma once
// Moves what SQLite's write-ahead log has gathered into the database, beside the writers.

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

struct sqlite3;

namespace imgproc::localcloud {

/// A checkpoint waits for the disk. SQLite's own one runs within a commit, in which case all who
/// write wait too, some tens of milliseconds every few hundred commits. This one has a thread and a
/// connection of its own; a commit copies only the pages that came while the thread worked, after
/// which the log begins anew.
class Checkpointer {
 public:
  /// `writer` is the one connection that writes, borrowed; its own checkpoints are turned off.
  Checkpointer(std::filesystem::path file, sqlite3* writer);
  /// Waits for a checkpoint under way. Before the writer is closed.
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

 private:
  enum class State { idle, due, working, copied };
  /// Called by the writer's thread after a commit, with the number of pages in the log.
  void committed(int pages);
  void run();
  bool open();
  void copy_log();

  std::filesystem::path file_;
  sqlite3* writer_;
  sqlite3* handle_ = nullptr;
  std::atomic<int> log_pages_{0};
  /// Of the writer's thread alone: the log's pages at which a checkpoint is due.
  int due_pages_;
  std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::idle;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace imgproc::localcloud
