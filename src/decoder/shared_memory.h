#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/error.h"
#include "base/file_descriptor.h"

namespace imgproc::decoder {

/// Anonymous memory that two processes see (memfd_create), mapped here. Its size is sealed: nobody
/// can shrink it under us and turn a read into SIGBUS. Pages cost memory only once touched.
class SharedMemory {
 public:
  SharedMemory() = default;
  ~SharedMemory();
  SharedMemory(SharedMemory&& other) noexcept;
  SharedMemory& operator=(SharedMemory&& other) noexcept;

  /// New memory of `size` bytes (0 is allowed), writable here.
  [[nodiscard]] static base::Result<SharedMemory> create(const char* name, std::size_t size);
  enum class Access { read, write };
  /// Maps the first `size` bytes of what another process has created and sent; all of it without
  /// `size`. Errors if its own size is not sealed or smaller.
  [[nodiscard]] static base::Result<SharedMemory> map(base::FileDescriptor fd, Access access,
                                                      std::optional<std::uint64_t> size = {});

  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }
  [[nodiscard]] int fd() const { return fd_.get(); }

  /// From now on no process can map it for writing anew; this mapping stays writable.
  [[nodiscard]] base::Status forbid_new_writers();
  /// From now on the bytes never change. Needs that no process has it mapped for writing; this
  /// process's own mapping becomes read-only.
  [[nodiscard]] base::Status freeze();

 private:
  [[nodiscard]] base::Status map_here(bool writable, std::optional<std::uint64_t> size = {});
  void unmap();

  base::FileDescriptor fd_;
  std::span<std::byte> bytes_;
};

}  // namespace imgproc::decoder
