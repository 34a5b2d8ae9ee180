#include "ports/memory_record_store.h"

namespace imgproc::ports {

void MemoryRecordStore::set_hooks(CallHook before, CallHook after) {
  before_ = std::move(before);
  after_ = std::move(after);
}

base::Result<std::optional<Record>> MemoryRecordStore::get(std::string_view path) {
  if (before_) IMGPROC_CHECK(before_("get_record", path));
  std::optional<Record> record;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = records_.find(path); found != records_.end()) record = found->second;
  }
  if (after_) IMGPROC_CHECK(after_("get_record", path));
  return record;
}

base::Result<PutOutcome> MemoryRecordStore::put_if_not_older(const Record& record) {
  IMGPROC_TRY(const Replacement replacement, replace_if_not_older(record));
  return replacement.outcome;
}

base::Result<Replacement> MemoryRecordStore::replace_if_not_older(const Record& record) {
  if (before_) IMGPROC_CHECK(before_("put_record", record.path));
  Replacement replacement;
  {
    const std::lock_guard lock(mutex_);
    const auto [found, inserted] = records_.try_emplace(record.path, record);
    if (!inserted) {
      replacement.before = found->second;
      if (found->second.sequencer > record.sequencer)
        replacement.outcome = PutOutcome::superseded;
      else
        found->second = record;
    }
  }
  if (after_) IMGPROC_CHECK(after_("put_record", record.path));
  return replacement;
}

std::vector<Record> MemoryRecordStore::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<Record> records;
  for (const auto& [path, record] : records_) records.push_back(record);
  return records;
}

}  // namespace imgproc::ports
