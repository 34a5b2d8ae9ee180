#pragma once
// Helpers of this module's tests.

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "localcloud/lambda/environment.h"

namespace imgproc::localcloud::lambda {

/// A fresh directory that goes with the test.
class TempDirectory {
 public:
  TempDirectory()
      : path_(std::filesystem::temp_directory_path() / ("imgproc-" + base::random_hex(8))) {
    std::filesystem::create_directories(path_);
  }
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Keeps the lines that environments log, and lets a test wait for one.
class LogCapture {
 public:
  LineSink sink() {
    return [this](std::string_view, std::string_view, base::SystemTime, std::string_view line) {
      std::lock_guard guard(mutex_);
      lines_.emplace_back(line);
      arrived_.notify_all();
    };
  }
  /// False if no line that holds `text` came within half a minute.
  bool wait_for(std::string_view text) {
    std::unique_lock lock(mutex_);
    return arrived_.wait_for(lock, std::chrono::seconds(30), [&] { return !find(text).empty(); });
  }
  std::string line_with(std::string_view text) {
    std::lock_guard guard(mutex_);
    return std::string(find(text));
  }
  std::vector<std::string> lines() {
    std::lock_guard guard(mutex_);
    return lines_;
  }

 private:
  std::string_view find(std::string_view text) const {
    for (const std::string& line : lines_)
      if (line.find(text) != std::string::npos) return line;
    return {};
  }
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<std::string> lines_;
};

/// A folder with the test function as its `bootstrap`.
inline std::filesystem::path make_function_directory(const std::filesystem::path& root) {
  auto directory = root / "function";
  std::filesystem::create_directories(directory);
  std::filesystem::create_symlink(LAMBDA_TEST_FUNCTION, directory / "bootstrap");
  return directory;
}

}  // namespace imgproc::localcloud::lambda
