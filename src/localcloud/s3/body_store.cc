#include "localcloud/s3/body_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/log.h"
#include "base/random.h"

namespace imgproc::localcloud::s3 {
namespace {

constexpr std::size_t kFileNameBytes = 16;

base::Status write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return base::system_error("cannot write a body file", errno);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

/// Makes the names in a folder durable.
base::Status sync_folder(const std::filesystem::path& path) {
  base::FileDescriptor folder(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0)
    return base::system_error("cannot sync the folder of a body file", errno);
  return {};
}

base::Result<std::size_t> read_at(int fd, std::span<char> into, std::uint64_t offset) {
  for (;;) {
    ssize_t count = ::pread(fd, into.data(), into.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return base::system_error("cannot read a body file", errno);
    if (count == 0)
      return base::permanent("BODY_FILE_TRUNCATED", "a body file is shorter than its row says");
    return static_cast<std::size_t>(count);
  }
}

class FileReader final : public http::BodyReader {
 public:
  FileReader(base::FileDescriptor fd, std::uint64_t offset, std::uint64_t count)
      : fd_(std::move(fd)), at_(offset), left_(count) {}
  base::Result<std::size_t> read(std::span<char> into) override {
    auto want = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), left_));
    if (want == 0) return 0;
    IMGPROC_TRY(std::size_t got, read_at(fd_.get(), into.first(want), at_));
    at_ += got;
    left_ -= got;
    return got;
  }

 private:
  base::FileDescriptor fd_;
  std::uint64_t at_;
  std::uint64_t left_;
};

/// Reads across pieces; one file is open at a time.
class PiecesReader final : public http::BodyReader {
 public:
  PiecesReader(const BodyStore& store, std::unique_ptr<BodyPin> pin, std::vector<BodyPiece> pieces,
               std::uint64_t offset, std::uint64_t count)
      : store_(store),
        pin_(std::move(pin)),
        pieces_(std::move(pieces)),
        at_(offset),
        left_(count) {}
  base::Result<std::size_t> read(std::span<char> into) override {
    if (left_ == 0 || into.empty()) return 0;
    while (index_ < pieces_.size() && at_ >= pieces_[index_].bytes) {
      at_ -= pieces_[index_++].bytes;
      fd_.reset();
    }
    if (index_ == pieces_.size())
      return base::permanent("BODY_FILE_TRUNCATED", "the parts are shorter than their row says");
    const BodyPiece& piece = pieces_[index_];
    if (!fd_) {
      IMGPROC_TRY(fd_, store_.open_file(piece.file));
    }
    auto want = static_cast<std::size_t>(
        std::min({static_cast<std::uint64_t>(into.size()), left_, piece.bytes - at_}));
    IMGPROC_TRY(std::size_t got, read_at(fd_.get(), into.first(want), at_));
    at_ += got;
    left_ -= got;
    return got;
  }

 private:
  const BodyStore& store_;
  std::unique_ptr<BodyPin> pin_;
  std::vector<BodyPiece> pieces_;
  std::size_t index_ = 0;
  base::FileDescriptor fd_;
  std::uint64_t at_;
  std::uint64_t left_;
};

}  // namespace

NewBody::NewBody(NewBody&& other) noexcept
    : bytes(other.bytes),
      text(std::move(other.text)),
      file(std::move(other.file)),
      store_(std::exchange(other.store_, nullptr)) {}

NewBody& NewBody::operator=(NewBody&& other) noexcept {
  std::swap(bytes, other.bytes);
  std::swap(text, other.text);
  std::swap(file, other.file);
  std::swap(store_, other.store_);
  return *this;
}

NewBody::~NewBody() {
  if (store_ != nullptr && !file.empty()) store_->remove({file});
}

BodyWriter::BodyWriter(BodyStore& store, bool inline_allowed)
    : store_(store), inline_allowed_(inline_allowed) {}

BodyWriter::~BodyWriter() {
  if (fd_) ::unlink(store_.temporary_path(name_).c_str());
}

base::Status BodyWriter::spill() {
  name_ = base::random_hex(kFileNameBytes);
  std::filesystem::path path = store_.temporary_path(name_);
  fd_ = base::FileDescriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd_) return base::system_error("cannot create a body file", errno);
  IMGPROC_CHECK(write_all(fd_.get(), text_));
  text_ = {};
  return {};
}

base::Status BodyWriter::write(std::string_view bytes) {
  bytes_ += bytes.size();
  if (!fd_) {
    if (inline_allowed_ && bytes_ <= kInlineBytesMax) {
      text_ += bytes;
      return {};
    }
    IMGPROC_CHECK(spill());
  }
  return write_all(fd_.get(), bytes);
}

base::Result<NewBody> BodyWriter::finish() {
  if (!fd_ && !inline_allowed_) IMGPROC_CHECK(spill());
  NewBody body;
  body.bytes = bytes_;
  if (!fd_) {
    body.text = std::move(text_);
    return body;
  }
  if (store_.durability_ == Durability::power && ::fdatasync(fd_.get()) != 0)
    return base::system_error("cannot sync a body file", errno);
  std::filesystem::path path = store_.body_path(name_);
  std::filesystem::path temporary = store_.temporary_path(name_);
  int failed = ::rename(temporary.c_str(), path.c_str());
  if (failed != 0 && errno == ENOENT) {
    // The first body of its folder.
    ::mkdir(path.parent_path().c_str(), 0700);
    if (store_.durability_ == Durability::power)
      IMGPROC_CHECK(sync_folder(path.parent_path().parent_path()));
    failed = ::rename(temporary.c_str(), path.c_str());
  }
  if (failed != 0) return base::system_error("cannot rename a body file", errno);
  fd_.reset();
  body.file = name_;
  body.store_ = &store_;
  if (store_.durability_ == Durability::power) IMGPROC_CHECK(sync_folder(path.parent_path()));
  return body;
}

BodyPin::BodyPin(BodyStore& store, std::string group) : store_(store), group_(std::move(group)) {
  std::lock_guard guard(store_.mutex_);
  ++store_.pins_[group_].readers;
}

BodyPin::~BodyPin() {
  std::vector<std::string> doomed;
  {
    std::lock_guard guard(store_.mutex_);
    auto found = store_.pins_.find(group_);
    if (--found->second.readers > 0) return;
    doomed = std::move(found->second.doomed);
    store_.pins_.erase(found);
  }
  store_.remove(doomed);
}

base::Result<std::unique_ptr<BodyStore>> BodyStore::open(std::filesystem::path root,
                                                         Durability durability) {
  std::error_code error;
  std::filesystem::remove_all(root / "tmp", error);
  std::filesystem::create_directories(root / "tmp", error);
  if (!error) std::filesystem::create_directories(root / "bodies", error);
  if (error) return base::system_error("cannot create " + root.string(), error.value());
  return std::unique_ptr<BodyStore>(new BodyStore(std::move(root), durability));
}

std::filesystem::path BodyStore::body_path(std::string_view file) const {
  return root_ / "bodies" / file.substr(0, 2) / file;
}

std::filesystem::path BodyStore::temporary_path(std::string_view file) const {
  return root_ / "tmp" / file;
}

base::Status BodyStore::sweep(const std::unordered_set<std::string>& known) {
  std::error_code error;
  std::int64_t swept = 0;
  for (std::filesystem::recursive_directory_iterator at(root_ / "bodies", error), end;
       !error && at != end; at.increment(error)) {
    if (!at->is_regular_file(error) || known.contains(at->path().filename().string())) continue;
    std::filesystem::remove(at->path(), error);
    ++swept;
  }
  if (error) return base::system_error("cannot sweep " + root_.string(), error.value());
  if (swept > 0) base::log_info("swept body files that no object names", {{"files", swept}});
  return {};
}

base::Result<base::FileDescriptor> BodyStore::open_file(std::string_view file) const {
  base::FileDescriptor fd(::open(body_path(file).c_str(), O_RDONLY | O_CLOEXEC));
  if (fd) return fd;
  if (errno == ENOENT) return base::permanent("NO_BODY_FILE", "a body file is missing");
  return base::system_error("cannot open a body file", errno);
}

base::Result<http::Body> BodyStore::read_file(std::string_view file, std::uint64_t offset,
                                              std::uint64_t count) const {
  IMGPROC_TRY(base::FileDescriptor fd, open_file(file));
  return http::Body(std::make_unique<FileReader>(std::move(fd), offset, count), count);
}

base::Result<http::Body> BodyStore::read_pieces(std::string group, std::vector<BodyPiece> pieces,
                                                std::uint64_t offset, std::uint64_t count) {
  auto pin = std::make_unique<BodyPin>(*this, std::move(group));
  // remove_group() deletes the first piece while it holds the lock: if it can be opened now, after
  // the pin, then none of the others has been deleted.
  if (!pieces.empty()) {
    IMGPROC_TRY([[maybe_unused]] base::FileDescriptor first, open_file(pieces.front().file));
  }
  return http::Body(
      std::make_unique<PiecesReader>(*this, std::move(pin), std::move(pieces), offset, count),
      count);
}

void BodyStore::remove(const std::vector<std::string>& files) {
  for (const std::string& file : files) ::unlink(body_path(file).c_str());
}

void BodyStore::remove_group(const std::string& group, std::vector<std::string> files) {
  {
    std::lock_guard guard(mutex_);
    if (auto found = pins_.find(group); found != pins_.end()) {
      found->second.doomed = std::move(files);
      return;
    }
    if (!files.empty()) ::unlink(body_path(files.front()).c_str());
  }
  remove(files);
}

}  // namespace imgproc::localcloud::s3
