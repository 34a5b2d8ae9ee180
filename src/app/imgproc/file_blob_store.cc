#include "app/imgproc/file_blob_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/bytes.h"
#include "base/file.h"
#include "base/file_descriptor.h"

namespace imgproc::app {
namespace {

namespace fs = std::filesystem;
using ports::BlobInfo;

constexpr std::size_t kPieceBytes = 256 * 1024;

std::unexpected<base::Error> no_such_file(const fs::path& path) {
  return base::permanent(ports::kNoSuchKey, fmt::format("there is no file {}", path.string()));
}

std::unexpected<base::Error> precondition_failed(const fs::path& path) {
  return base::permanent(ports::kPreconditionFailed,
                         fmt::format("{} is not as it was expected", path.string()));
}

base::Result<BlobInfo> info_of(const fs::path& path, const struct stat& facts) {
  if (!S_ISREG(facts.st_mode)) return no_such_file(path);
  const auto changed =
      std::chrono::seconds{facts.st_mtim.tv_sec} + std::chrono::nanoseconds{facts.st_mtim.tv_nsec};
  BlobInfo info;
  info.size = static_cast<std::uint64_t>(facts.st_size);
  info.etag = fmt::format("{}-{}-{}", facts.st_size, changed.count(), facts.st_ino);
  info.last_modified =
      base::SystemTime{std::chrono::duration_cast<std::chrono::milliseconds>(changed)};
  return info;
}

base::Result<BlobInfo> look(const fs::path& path) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return no_such_file(path);
    return base::system_error(path.string(), errno);
  }
  return info_of(path, facts);
}

}  // namespace

FileBlobStore::Resolve FileBlobStore::below(fs::path root) {
  return [root = std::move(root)](std::string_view key) -> base::Result<fs::path> {
    const fs::path relative(key);
    bool leaves = key.empty() || key.ends_with('/') || relative.is_absolute() ||
                  key.find('\0') != std::string_view::npos;
    for (const auto& part : relative) leaves = leaves || part == "..";
    if (leaves)
      return base::permanent("INVALID_KEY",
                             fmt::format("'{}' is no path below {}", key, root.string()));
    return root / relative;
  };
}

FileBlobStore::Resolve FileBlobStore::among(std::map<std::string, fs::path, std::less<>> files) {
  return [files = std::move(files)](std::string_view key) -> base::Result<fs::path> {
    const auto found = files.find(key);
    if (found == files.end()) return no_such_file(fs::path(key));
    return found->second;
  };
}

base::Result<BlobInfo> FileBlobStore::get(std::string_view, std::string_view key,
                                          const ports::GetOptions& options,
                                          const ports::BlobSink& sink) {
  IMGPROC_TRY(const fs::path path, resolve_(key));
  // A pipe must not keep us waiting.
  const base::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) {
    if (errno == ENOENT || errno == ENOTDIR) return no_such_file(path);
    return base::system_error(path.string(), errno);
  }
  struct stat facts{};
  if (::fstat(file.get(), &facts) != 0) return base::system_error(path.string(), errno);
  IMGPROC_TRY(BlobInfo info, info_of(path, facts));
  if (!options.if_match.empty() && options.if_match != info.etag) return precondition_failed(path);
  if (sink.begin) IMGPROC_CHECK(sink.begin(info));
  std::vector<std::byte> piece(kPieceBytes);
  for (;;) {
    const ssize_t count = ::read(file.get(), piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return base::system_error(path.string(), errno);
    if (count == 0) return info;
    IMGPROC_CHECK(sink.write(std::span(piece).first(static_cast<std::size_t>(count))));
  }
}

base::Result<BlobInfo> FileBlobStore::head(std::string_view, std::string_view key) {
  IMGPROC_TRY(const fs::path path, resolve_(key));
  return look(path);
}

base::Result<BlobInfo> FileBlobStore::put(std::string_view, std::string_view key,
                                          std::span<const std::byte> bytes,
                                          const ports::PutOptions& options) {
  IMGPROC_TRY(const fs::path path, resolve_(key));
  if (options.if_none_match || !options.if_match.empty()) {
    const auto standing = look(path);
    if (standing ? options.if_none_match || standing->etag != options.if_match
                 : !options.if_match.empty())
      return precondition_failed(path);
  }
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) return base::system_error(path.parent_path().string(), error.value());
  IMGPROC_CHECK(base::write_file_atomically(path, base::as_text(bytes)));
  return look(path);
}

base::Status FileBlobStore::remove(std::string_view, std::string_view key,
                                   const std::string& if_match) {
  IMGPROC_TRY(const fs::path path, resolve_(key));
  const auto standing = look(path);
  if (!standing) return {};
  if (!if_match.empty() && standing->etag != if_match) return precondition_failed(path);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return base::system_error(path.string(), errno);
  return {};
}

}  // namespace imgproc::app
