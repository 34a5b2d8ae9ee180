#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/file_descriptor.h"
#include "base/random.h"

namespace imgproc::base {

Result<std::string> read_file(const std::filesystem::path& path, std::size_t bytes_max) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return system_error("cannot open " + path.string(), errno);
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return system_error("cannot stat " + path.string(), errno);
  if (S_ISDIR(info.st_mode)) return system_error("cannot read " + path.string(), EISDIR);
  std::string content;
  content.resize(static_cast<std::size_t>(std::max<off_t>(info.st_size, 0)) + 1);
  std::size_t used = 0;
  for (;;) {
    if (used > bytes_max)
      return permanent("FILE_TOO_LARGE",
                       fmt::format("{} has more than {} bytes", path.string(), bytes_max));
    if (used == content.size()) content.resize(content.size() * 2);
    ssize_t got = ::read(file.get(), content.data() + used, content.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("cannot read " + path.string(), errno);
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
  }
  content.resize(used);
  return content;
}

Status write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  std::string temporary = path.string() + ".tmp-" + random_hex(6);
  FileDescriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file) return system_error("cannot create " + temporary, errno);
  while (!content.empty()) {
    ssize_t put = ::write(file.get(), content.data(), content.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      int error = errno;
      ::unlink(temporary.c_str());
      return system_error("cannot write " + temporary, error);
    }
    content.remove_prefix(static_cast<std::size_t>(put));
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    int error = errno;
    ::unlink(temporary.c_str());
    return system_error("cannot rename to " + path.string(), error);
  }
  return {};
}

}  // namespace imgproc::base
