#include "localcloud/store/checkpointer.h"

#include <sqlite3.h>

#include <chrono>

#include "base/log.h"

namespace imgproc::localcloud {
namespace {

/// A checkpoint is due when the log has so many pages, 16 MB; and if a reader's snapshot keeps the
/// log from beginning anew, after so many more each time.
constexpr int kLogPagesMax = 4000;
/// With so many, who writes waits for the checkpoint under way: the disk cannot keep up.
constexpr int kLogPagesHardMax = 3 * kLogPagesMax;
constexpr std::chrono::seconds kWriterWaitMax{10};
/// Copied while writers go on, one after another: each time less is left.
constexpr int kPassesMax = 3;
/// So few pages are left to the commit that comes next.
constexpr int kPagesLeftMax = 200;
/// A look at least this often, should a wake-up ever be missed.
constexpr std::chrono::seconds kLookInterval{60};

/// Copies what no reader's snapshot keeps; false if the disk refused, and the log keeps it.
bool copy_pages(sqlite3* handle) {
  int code =
      sqlite3_wal_checkpoint_v2(handle, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  if (code == SQLITE_OK) return true;
  base::log_error("the database's log cannot be copied into it",
                  {{"error", sqlite3_errmsg(handle)}});
  return false;
}

}  // namespace

Checkpointer::Checkpointer(std::filesystem::path file, sqlite3* writer)
    : file_(std::move(file)), writer_(writer), due_pages_(kLogPagesMax) {
  // This also replaces the hook by which SQLite checkpoints within commits.
  sqlite3_wal_hook(
      writer_,
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<Checkpointer*>(self)->committed(pages);
        return SQLITE_OK;
      },
      this);
  thread_ = std::thread([this] { run(); });
}

Checkpointer::~Checkpointer() {
  {
    std::lock_guard guard(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
  sqlite3_wal_hook(writer_, nullptr, nullptr);
  sqlite3_close(handle_);
}

void Checkpointer::committed(int pages) {
  // The log began anew.
  if (pages < log_pages_) due_pages_ = kLogPagesMax;
  log_pages_ = pages;
  // Far from a checkpoint there is none to be finished either.
  if (pages < kLogPagesMax) return;
  std::unique_lock lock(mutex_);
  if (state_ == State::idle && pages >= due_pages_) {
    due_pages_ = pages + kLogPagesMax;
    state_ = State::due;
    changed_.notify_all();
  }
  if (pages >= kLogPagesHardMax)
    changed_.wait_for(lock, kWriterWaitMax,
                      [&] { return state_ == State::idle || state_ == State::copied; });
  if (state_ != State::copied) return;
  state_ = State::idle;
  lock.unlock();
  // With nothing left to copy, the next commit begins the log anew.
  copy_pages(writer_);
}

void Checkpointer::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    changed_.wait_for(lock, kLookInterval, [&] { return stopping_ || state_ == State::due; });
    if (stopping_ || state_ != State::due) continue;
    state_ = State::working;
    lock.unlock();
    if (handle_ != nullptr || open()) copy_log();
    lock.lock();
    state_ = State::copied;
    changed_.notify_all();
  }
}

bool Checkpointer::open() {
  int code = sqlite3_open_v2(file_.c_str(), &handle_, SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE,
                             nullptr);
  // The first read tells the connection that there is a log.
  if (code == SQLITE_OK)
    code = sqlite3_exec(handle_, "SELECT 1 FROM sqlite_schema LIMIT 1", nullptr, nullptr, nullptr);
  if (code == SQLITE_OK) return true;
  base::log_error("the database cannot be opened for a checkpoint",
                  {{"error", sqlite3_errmsg(handle_)}});
  sqlite3_close(handle_);
  handle_ = nullptr;
  return false;
}

void Checkpointer::copy_log() {
  for (int pass = 0; pass < kPassesMax; ++pass) {
    int before = log_pages_;
    if (!copy_pages(handle_) || log_pages_ - before <= kPagesLeftMax) return;
  }
}

}  // namespace imgproc::localcloud
