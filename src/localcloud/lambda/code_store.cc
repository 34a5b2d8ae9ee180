#include "localcloud/lambda/code_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <minizip/unzip.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "base/file_descriptor.h"
#include "base/hash.h"
#include "base/random.h"

namespace imgproc::localcloud::lambda {
namespace {

namespace fs = std::filesystem;

std::unexpected<base::Error> bad_zip(std::string_view why) {
  return invalid_parameter(fmt::format(
      "Could not unzip uploaded file. Please check your file, then try to upload again. ({})",
      why));
}

/// Relative, without "..", empty or "." parts, backslashes and control characters.
bool is_safe_path(std::string_view path) {
  if (path.empty() || path.front() == '/' || path.size() > kPackagePathBytesMax) return false;
  for (char c : path)
    if (static_cast<unsigned char>(c) < 0x20 || c == '\\') return false;
  if (path.back() == '/') path.remove_suffix(1);
  while (true) {
    std::size_t slash = path.find('/');
    std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

struct CloseZip {
  void operator()(void* zip) const { unzClose(zip); }
};

/// Removes a half-made folder unless it was moved to its place.
struct Cleanup {
  fs::path path;
  ~Cleanup() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

base::Status extract_file(void* zip, const fs::path& target, mode_t mode,
                          std::uint64_t& unpacked_bytes) {
  base::FileDescriptor file(
      ::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file) return bad_zip("two entries of one name");
  if (unzOpenCurrentFile(zip) != UNZ_OK) return bad_zip("an entry's compression is not supported");
  std::vector<char> buffer(64 * 1024);
  for (;;) {
    int got = unzReadCurrentFile(zip, buffer.data(), static_cast<unsigned>(buffer.size()));
    if (got < 0) return bad_zip("damaged data");
    if (got == 0) break;
    unpacked_bytes += static_cast<std::uint64_t>(got);
    // Counted as it comes: what the directory of the zip says may be a lie.
    if (unpacked_bytes > kUnpackedBytesMax)
      return invalid_parameter(
          fmt::format("Unzipped size must be smaller than {} bytes", kUnpackedBytesMax));
    std::string_view rest(buffer.data(), static_cast<std::size_t>(got));
    while (!rest.empty()) {
      ssize_t put = ::write(file.get(), rest.data(), rest.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return base::system_error("cannot write " + target.string(), errno);
      rest.remove_prefix(static_cast<std::size_t>(put));
    }
  }
  if (unzCloseCurrentFile(zip) != UNZ_OK) return bad_zip("a checksum does not match");
  return {};
}

base::Status extract(const fs::path& archive, const fs::path& target) {
  std::unique_ptr<void, CloseZip> zip(unzOpen64(archive.c_str()));
  if (!zip) return bad_zip("not a zip file");
  unz_global_info64 all{};
  if (unzGetGlobalInfo64(zip.get(), &all) != UNZ_OK) return bad_zip("no directory");
  if (all.number_entry > kPackageFilesMax)
    return invalid_parameter(fmt::format("more than {} files", kPackageFilesMax));
  std::uint64_t unpacked_bytes = 0;
  for (int step = unzGoToFirstFile(zip.get()); step != UNZ_END_OF_LIST_OF_FILE;
       step = unzGoToNextFile(zip.get())) {
    if (step != UNZ_OK) return bad_zip("damaged directory");
    unz_file_info64 info{};
    std::string name(kPackagePathBytesMax + 2, '\0');
    if (unzGetCurrentFileInfo64(zip.get(), &info, name.data(), name.size() - 1, nullptr, 0, nullptr,
                                0) != UNZ_OK)
      return bad_zip("damaged entry");
    if (info.size_filename > kPackagePathBytesMax) return bad_zip("a name is too long");
    name.resize(info.size_filename);
    if (!is_safe_path(name))
      return bad_zip("a name leaves the package: " + base::percent_encode(name, true));
    if ((info.flag & 1U) != 0) return bad_zip("encrypted");
    auto unix_mode = static_cast<mode_t>(info.external_fa >> 16U);
    if (S_ISLNK(unix_mode)) return bad_zip("symbolic links are not supported");
    std::error_code error;
    if (name.back() == '/') {
      fs::create_directories(target / name, error);
      if (error) return bad_zip("a folder and a file of one name");
      continue;
    }
    fs::create_directories((target / name).parent_path(), error);
    if (error) return bad_zip("a folder and a file of one name");
    mode_t mode = (unix_mode & 0111U) != 0 ? 0755 : 0644;
    IMGPROC_CHECK(extract_file(zip.get(), target / name, mode, unpacked_bytes));
  }
  return {};
}

}  // namespace

base::Result<FunctionCode> unpack_code(std::string_view zip, const fs::path& root) {
  if (zip.empty()) return bad_zip("empty");
  if (zip.size() > kPackageBytesMax)
    return lambda_error(
        "RequestEntityTooLargeException",
        fmt::format("Request must be smaller than {} bytes for the CreateFunction operation",
                    kPackageBytesMax),
        413);
  std::string digest = base::hash(base::HashAlgorithm::sha256, zip);
  FunctionCode code;
  code.directory = fs::absolute(root) / base::to_hex(digest);
  code.sha256 = base::to_base64(digest);
  code.bytes = zip.size();
  std::error_code error;
  if (fs::is_directory(code.directory, error)) return code;
  fs::create_directories(root, error);
  if (error) return base::system_error("cannot create " + root.string(), error.value());

  Cleanup work{root / (".unpacking-" + base::random_hex(8))};
  fs::create_directories(work.path / "code", error);
  if (error) return base::system_error("cannot create " + work.path.string(), error.value());
  IMGPROC_CHECK(base::write_file_atomically(work.path / "package.zip", zip));
  IMGPROC_CHECK(extract(work.path / "package.zip", work.path / "code"));
  fs::rename(work.path / "code", code.directory, error);
  // Another upload of the same content may have been first; then its folder is as good.
  if (error && !fs::is_directory(code.directory))
    return base::system_error("cannot move " + code.directory.string(), error.value());
  return code;
}

CodeStore::CodeStore(fs::path root) : root_(fs::absolute(root)) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(root_, ignored)) {
    std::string name = entry.path().filename().string();
    if (name.starts_with('.')) {
      fs::remove_all(entry.path(), ignored);
    } else {
      folders_[name];
    }
  }
}

base::Result<FunctionCode> CodeStore::unpack(std::string_view zip) {
  // Not between two lines of remove_unused(), which could take the folder away again.
  std::lock_guard guard(mutex_);
  IMGPROC_TRY(auto code, unpack_code(zip, root_));
  hold_locked(code);
  return code;
}

void CodeStore::hold(FunctionCode& code) {
  std::lock_guard guard(mutex_);
  if (code.directory.parent_path() == root_) hold_locked(code);
}

void CodeStore::hold_locked(FunctionCode& code) {
  auto& folder = folders_[code.directory.filename().string()];
  code.hold = folder.lock();
  if (code.hold) return;
  code.hold = std::make_shared<const fs::path>(code.directory);
  folder = code.hold;
}

void CodeStore::remove_unused() {
  std::lock_guard guard(mutex_);
  for (auto folder = folders_.begin(); folder != folders_.end();) {
    if (!folder->second.expired()) {
      ++folder;
      continue;
    }
    // Renamed first: half a folder under its own name would pass for the whole one.
    const fs::path removed = root_ / (".removed-" + base::random_hex(8));
    std::error_code ignored;
    fs::rename(root_ / folder->first, removed, ignored);
    fs::remove_all(removed, ignored);
    folder = folders_.erase(folder);
  }
}

base::Result<FunctionCode> use_local_directory(const fs::path& directory) {
  fs::path program = directory / "bootstrap";
  struct stat info{};
  if (!directory.is_absolute() || ::stat(program.c_str(), &info) != 0 || !S_ISREG(info.st_mode) ||
      ::access(program.c_str(), X_OK) != 0)
    return invalid_parameter(fmt::format("{} is not an executable file", program.string()));
  FunctionCode code;
  code.directory = directory;
  code.bytes = static_cast<std::uint64_t>(info.st_size);
  // Tells one build from another without reading it: a program's time and size change with it.
  code.sha256 = base::to_base64(base::hash(
      base::HashAlgorithm::sha256, fmt::format("{}:{}:{}.{}", program.string(), info.st_size,
                                               info.st_mtim.tv_sec, info.st_mtim.tv_nsec)));
  return code;
}

}  // namespace imgproc::localcloud::lambda
