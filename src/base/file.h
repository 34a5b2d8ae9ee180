#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"

namespace imgproc::base {

/// The whole file, refused with FILE_TOO_LARGE beyond `bytes_max`.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path,
                                            std::size_t bytes_max = std::size_t{1} << 30);
/// Writes to a temporary name beside `path` and renames it, so that nobody ever sees half a file.
[[nodiscard]] Status write_file_atomically(const std::filesystem::path& path,
                                           std::string_view content);

}  // namespace imgproc::base
