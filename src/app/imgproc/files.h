#pragma once
// What the commands share: exit codes, finding our own programs, the configuration; and for
// `process` and `inspect`, naming files and working on them side by side.

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "decoder/decoder_pool.h"
#include "pipeline/config.h"

namespace imgproc::app {

/// Exit codes of the commands that work on files.
inline constexpr int kExitOk = 0;
inline constexpr int kExitSomeFailed = 1;
inline constexpr int kExitUsage = 2;

/// Files by the key they get: their path as given where it stays below the working folder, else
/// their name. Folders are walked. Code "NO_SUCH_FILE", "SAME_KEY" (two files would get one key).
using FilesByKey = std::map<std::string, std::filesystem::path, std::less<>>;
[[nodiscard]] base::Result<FilesByKey> find_files(const std::vector<std::string>& arguments);

/// The folder this program stands in, symbolic links followed.
[[nodiscard]] std::filesystem::path program_directory();

/// Options for decoders from the program beside ours; code "DECODER_MISSING".
[[nodiscard]] base::Result<decoder::DecoderOptions> decoder_options(std::size_t processes);

/// The configuration in `file`, or the default if `file` is empty.
[[nodiscard]] base::Result<pipeline::Config> load_config(const std::string& file);

/// What a command over files works with, `workers` decoders of its own included.
struct FileWork {
  pipeline::Config config;
  FilesByKey files;
  std::size_t workers = 1;
  decoder::DecoderOptions decoders;
};
/// `config_file` as for load_config(); `workers` 0 = one for each processor.
[[nodiscard]] base::Result<FileWork> prepare_work(const std::vector<std::string>& arguments,
                                                  const std::string& config_file,
                                                  std::size_t workers);

/// What became of one file.
struct FileReport {
  /// Printed as a line, on standard error if `is_error`.
  std::string text;
  bool succeeded = true;
  bool is_error = false;
};

/// Calls `report` for every file from `workers` threads and prints what it returns, with a line of
/// progress below on standard error if that is a terminal and there are many files. `report` must
/// be thread-safe. Returns how many files did not succeed.
std::size_t for_each_file(
    const FilesByKey& files, std::size_t workers,
    const std::function<FileReport(const std::string& key, const std::filesystem::path& path)>&
        report);

/// "imgproc: …"
[[nodiscard]] std::string error_line(const base::Error& error);
/// Prints it on standard error.
void print_error(const base::Error& error);

}  // namespace imgproc::app
