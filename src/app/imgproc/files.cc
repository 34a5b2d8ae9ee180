#include "app/imgproc/files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <mutex>
#include <thread>

#include "base/file.h"

namespace imgproc::app {
namespace {

namespace fs = std::filesystem;

/// From so many files on, progress is shown.
constexpr std::size_t kProgressFilesMin = 10;

std::string key_of(const fs::path& path) {
  const fs::path normal = path.lexically_normal();
  if (normal.is_absolute() || normal.begin() == normal.end() || *normal.begin() == "..")
    return path.filename().string();
  return normal.generic_string();
}

base::Status add(FilesByKey& files, const std::string& key, const fs::path& path) {
  const auto [found, fresh] = files.try_emplace(key, path);
  if (!fresh && found->second != path)
    return base::permanent("SAME_KEY",
                           fmt::format("{} and {} would both be called {}", found->second.string(),
                                       path.string(), key),
                           "start from a folder above both, and give relative paths");
  return {};
}

}  // namespace

base::Result<FilesByKey> find_files(const std::vector<std::string>& arguments) {
  FilesByKey files;
  for (const auto& argument : arguments) {
    const fs::path path(argument);
    std::error_code error;
    if (fs::is_directory(path, error)) {
      const bool inside = key_of(path / "x") != "x" || path == "." || path == "./";
      auto entry = fs::recursive_directory_iterator(
          path, fs::directory_options::skip_permission_denied, error);
      for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
        if (!entry->is_regular_file(error)) continue;
        // A folder elsewhere gives keys from its own name on.
        const auto key = inside ? key_of(entry->path())
                                : entry->path().lexically_relative(path).generic_string();
        IMGPROC_CHECK(add(files, key, entry->path()));
      }
      if (error) return base::system_error(path.string(), error.value());
    } else if (fs::is_regular_file(path, error)) {
      IMGPROC_CHECK(add(files, key_of(path), path));
    } else {
      return base::permanent("NO_SUCH_FILE", fmt::format("{} is no file and no folder", argument));
    }
  }
  return files;
}

fs::path program_directory() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

base::Result<decoder::DecoderOptions> decoder_options(std::size_t processes) {
  const fs::path program = program_directory() / "decoder";
  if (::access(program.c_str(), X_OK) != 0)
    return base::permanent("DECODER_MISSING",
                           fmt::format("there is no program {}", program.string()),
                           "keep imgproc and decoder in one folder; `imgproc doctor` tells more");
  return decoder::DecoderOptions{.program = program, .processes = processes, .arguments = {}};
}

base::Result<pipeline::Config> load_config(const std::string& file) {
  if (file.empty()) return pipeline::default_config();
  IMGPROC_TRY(const std::string text, base::read_file(file, pipeline::kConfigBytesMax));
  auto config = pipeline::parse_config(text);
  if (!config) return std::unexpected(pipeline::config_error(config.error()));
  return std::move(*config);
}

base::Result<FileWork> prepare_work(const std::vector<std::string>& arguments,
                                    const std::string& config_file, std::size_t workers) {
  FileWork work;
  IMGPROC_TRY(work.config, load_config(config_file));
  IMGPROC_TRY(work.files, find_files(arguments));
  work.workers = workers > 0 ? workers : std::max(1U, std::thread::hardware_concurrency());
  IMGPROC_TRY(work.decoders,
              decoder_options(std::min(work.workers, std::max<std::size_t>(1, work.files.size()))));
  return work;
}

std::size_t for_each_file(
    const FilesByKey& files, std::size_t workers,
    const std::function<FileReport(const std::string& key, const fs::path& path)>& report) {
  const std::vector<std::pair<std::string, fs::path>> list(files.begin(), files.end());
  const bool show = list.size() >= kProgressFilesMin && ::isatty(STDERR_FILENO) != 0;
  std::atomic<std::size_t> next = 0;
  std::mutex output;
  std::size_t done = 0;
  std::size_t failed = 0;
  const auto print = [&](const FileReport& made) {
    const std::lock_guard lock(output);
    if (!made.succeeded) ++failed;
    ++done;
    // The line of progress makes room first: both may be on one terminal.
    if (show) std::fputs("\r\x1b[K", stderr);
    std::FILE* const into = made.is_error ? stderr : stdout;
    std::fputs((made.text + "\n").c_str(), into);
    if (!show) return;
    std::fflush(into);
    if (done < list.size()) std::fputs(fmt::format("{} of {}", done, list.size()).c_str(), stderr);
  };
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < std::min(workers, list.size()); ++i)
    threads.emplace_back([&] {
      for (std::size_t at = next++; at < list.size(); at = next++)
        print(report(list[at].first, list[at].second));
    });
  threads.clear();
  return failed;
}

std::string error_line(const base::Error& error) {
  return "imgproc: " + error.describe();
}

void print_error(const base::Error& error) {
  std::fputs((error_line(error) + "\n").c_str(), stderr);
}

}  // namespace imgproc::app
