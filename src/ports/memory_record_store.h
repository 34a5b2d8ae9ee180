#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "ports/record_store.h"

namespace imgproc::ports {

/// A RecordStore in memory, for tests and for runs that keep no table. Thread-safe.
class MemoryRecordStore final : public RecordStore {
 public:
  /// Runs around each call ("get_record", "put_record"; the path), like MemoryBlobStore's.
  using CallHook = std::function<base::Status(std::string_view operation, std::string_view path)>;

  [[nodiscard]] base::Result<std::optional<Record>> get(std::string_view path) override;
  [[nodiscard]] base::Result<PutOutcome> put_if_not_older(const Record& record) override;
  [[nodiscard]] base::Result<Replacement> replace_if_not_older(const Record& record) override;

  /// All records in the order of their paths.
  [[nodiscard]] std::vector<Record> all() const;
  /// Set before other threads use the store.
  void set_hooks(CallHook before, CallHook after = {});

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Record, std::less<>> records_;
  CallHook before_;
  CallHook after_;
};

}  // namespace imgproc::ports
