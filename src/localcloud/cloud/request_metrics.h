#pragma once
// Counts requests by service, operation and status.

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

namespace imgproc::localcloud {

/// Different names that are counted; operations beyond count as "other", since clients choose them.
inline constexpr std::size_t kRequestSeriesMax = 1000;

/// Thread-safe.
class RequestMetrics {
 public:
  using Key = std::tuple<std::string, std::string, int>;

  void count(const std::string& service, const std::string& operation, int status) {
    std::lock_guard guard(mutex_);
    Key key{service, operation, status};
    auto found = counts_.find(key);
    if (found == counts_.end() && counts_.size() >= kRequestSeriesMax)
      key = {"other", "other", status};
    ++counts_[key];
  }
  [[nodiscard]] std::map<Key, std::uint64_t> counts() const {
    std::lock_guard guard(mutex_);
    return counts_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<Key, std::uint64_t> counts_;
};

}  // namespace imgproc::localcloud
