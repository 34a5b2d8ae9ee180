#pragma once
// Uploaded packages, unpacked once per content: data_dir/lambda/code/<sha256>/.

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/error.h"
#include "localcloud/lambda/function.h"

namespace imgproc::localcloud::lambda {

/// Lambda's own limits of a package: zipped in a request, unpacked on disk.
inline constexpr std::size_t kPackageBytesMax = 50 * 1024 * 1024;
inline constexpr std::uint64_t kUnpackedBytesMax = 250ULL * 1024 * 1024;
inline constexpr std::size_t kPackageFilesMax = 20'000;
inline constexpr std::size_t kPackagePathBytesMax = 1024;

/// Unpacks a zip below `root`; the same content again costs a hash. Names that leave the folder,
/// links and whatever exceeds the limits are refused with InvalidParameterValueException, and
/// nothing is left behind. Executable bits are kept.
[[nodiscard]] base::Result<FunctionCode> unpack_code(std::string_view zip,
                                                     const std::filesystem::path& root);

/// The unpacked packages of one folder, each kept as long as somebody holds it: a version that
/// exists, an environment that runs from it, an invocation that is about to. Thread-safe.
class CodeStore {
 public:
  /// Finds what an earlier process unpacked, and removes what it left half-done.
  explicit CodeStore(std::filesystem::path root);

  /// As unpack_code(), and holds the folder.
  [[nodiscard]] base::Result<FunctionCode> unpack(std::string_view zip);
  /// Holds the folder of code that was read from the database; does nothing if it is not here.
  void hold(FunctionCode& code);
  /// Removes every folder that nobody holds.
  void remove_unused();

 private:
  void hold_locked(FunctionCode& code);

  const std::filesystem::path root_;
  std::mutex mutex_;
  /// By the folder's name.
  std::map<std::string, std::weak_ptr<const std::filesystem::path>> folders_;
};

/// A folder of this machine that holds `bootstrap`, used where it is. Error
/// InvalidParameterValueException.
[[nodiscard]] base::Result<FunctionCode> use_local_directory(
    const std::filesystem::path& directory);

}  // namespace imgproc::localcloud::lambda
