#pragma once
// The bytes of objects: small ones travel in the index row, others are files with random names.
// A file appears under its name only when it is whole; a file that no row names is an orphan and is
// swept at the next start.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/error.h"
#include "base/file_descriptor.h"
#include "http/message.h"
#include "localcloud/store/database.h"

namespace imgproc::localcloud::s3 {

/// Bodies up to this size are kept in the index, beyond it in a file.
inline constexpr std::size_t kInlineBytesMax = 16 * 1024;

class BodyStore;

/// A body that is written but not yet named by a row: its file is deleted with this object unless
/// keep() was called after the commit.
class NewBody {
 public:
  NewBody() = default;
  NewBody(NewBody&& other) noexcept;
  NewBody& operator=(NewBody&& other) noexcept;
  ~NewBody();
  void keep() { store_ = nullptr; }

  std::uint64_t bytes = 0;
  /// The content, if `file` is empty.
  std::string text;
  std::string file;

 private:
  friend class BodyWriter;
  BodyStore* store_ = nullptr;
};

/// Takes one body, piece by piece. What was written is gone if finish() is not reached.
class BodyWriter {
 public:
  /// `inline_allowed`: small bodies stay in memory (parts of uploads are always files).
  BodyWriter(BodyStore& store, bool inline_allowed);
  ~BodyWriter();
  BodyWriter(const BodyWriter&) = delete;
  BodyWriter& operator=(const BodyWriter&) = delete;

  [[nodiscard]] base::Status write(std::string_view bytes);
  [[nodiscard]] base::Result<NewBody> finish();

 private:
  [[nodiscard]] base::Status spill();

  BodyStore& store_;
  bool inline_allowed_;
  std::uint64_t bytes_ = 0;
  std::string text_;
  std::string name_;
  base::FileDescriptor fd_;
};

/// Keeps the files of one body of many parts from being deleted while it is read.
class BodyPin {
 public:
  BodyPin(BodyStore& store, std::string group);
  ~BodyPin();
  BodyPin(const BodyPin&) = delete;
  BodyPin& operator=(const BodyPin&) = delete;

 private:
  BodyStore& store_;
  std::string group_;
};

/// A file with its length, as a piece of a body.
struct BodyPiece {
  std::string file;
  std::uint64_t bytes = 0;
};

/// Thread-safe. Must outlive its writers, pins and readers.
class BodyStore {
 public:
  /// Creates the folders below `root` and empties the one of unfinished files.
  [[nodiscard]] static base::Result<std::unique_ptr<BodyStore>> open(std::filesystem::path root,
                                                                     Durability durability);

  /// Deletes every body file that is not in `known`; to be called before the first request.
  [[nodiscard]] base::Status sweep(const std::unordered_set<std::string>& known);

  /// Opens a body file for reading. Error NO_BODY_FILE if it is not (or no longer) there.
  [[nodiscard]] base::Result<base::FileDescriptor> open_file(std::string_view file) const;
  /// `count` bytes from `offset`, from an open file that later deletes do not disturb.
  [[nodiscard]] base::Result<http::Body> read_file(std::string_view file, std::uint64_t offset,
                                                   std::uint64_t count) const;
  /// The same over pieces in a row, which are kept from deletion under the name `group`.
  [[nodiscard]] base::Result<http::Body> read_pieces(std::string group,
                                                     std::vector<BodyPiece> pieces,
                                                     std::uint64_t offset, std::uint64_t count);

  /// Deletes files that no row names any more. Failures leave orphans for the sweep.
  void remove(const std::vector<std::string>& files);
  /// The same for the files of a body of many parts, once nobody reads them.
  void remove_group(const std::string& group, std::vector<std::string> files);

 private:
  friend class BodyWriter;
  friend class BodyPin;
  BodyStore(std::filesystem::path root, Durability durability)
      : root_(std::move(root)), durability_(durability) {}
  [[nodiscard]] std::filesystem::path body_path(std::string_view file) const;
  [[nodiscard]] std::filesystem::path temporary_path(std::string_view file) const;

  std::filesystem::path root_;
  Durability durability_;
  std::mutex mutex_;
  struct Pins {
    int readers = 0;
    std::vector<std::string> doomed;
  };
  std::unordered_map<std::string, Pins> pins_;
};

}  // namespace imgproc::localcloud::s3
