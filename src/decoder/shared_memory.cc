#include "decoder/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010  // Linux 5.1
#endif

namespace imgproc::decoder {

SharedMemory::~SharedMemory() {
  unmap();
}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : fd_(std::move(other.fd_)), bytes_(std::exchange(other.bytes_, {})) {}

SharedMemory& SharedMemory::operator=(SharedMemory&& other) noexcept {
  if (this != &other) {
    unmap();
    fd_ = std::move(other.fd_);
    bytes_ = std::exchange(other.bytes_, {});
  }
  return *this;
}

void SharedMemory::unmap() {
  if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
  bytes_ = {};
}

base::Status SharedMemory::map_here(bool writable, std::optional<std::uint64_t> wanted) {
  struct stat info{};
  if (::fstat(fd_.get(), &info) != 0) return base::system_error("fstat of shared memory", errno);
  auto size = static_cast<std::size_t>(info.st_size);
  if (wanted && *wanted > size)
    return base::permanent("INVALID_SHARED_MEMORY", "the shared memory is smaller than announced");
  if (wanted) size = static_cast<std::size_t>(*wanted);
  if (size == 0) return {};
  void* at = ::mmap(nullptr, size, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED,
                    fd_.get(), 0);
  if (at == MAP_FAILED) return base::system_error("mmap of shared memory", errno);
  bytes_ = {static_cast<std::byte*>(at), size};
  return {};
}

base::Result<SharedMemory> SharedMemory::create(const char* name, std::size_t size) {
  SharedMemory memory;
  memory.fd_ = base::FileDescriptor(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory.fd_) return base::system_error("memfd_create", errno);
  if (::ftruncate(memory.fd_.get(), static_cast<off_t>(size)) != 0)
    return base::system_error("ftruncate of shared memory", errno);
  if (::fcntl(memory.fd_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0)
    return base::system_error("sealing of shared memory", errno);
  IMGPROC_CHECK(memory.map_here(true));
  return memory;
}

base::Result<SharedMemory> SharedMemory::map(base::FileDescriptor fd, Access access,
                                             std::optional<std::uint64_t> size) {
  SharedMemory memory;
  memory.fd_ = std::move(fd);
  const int seals = ::fcntl(memory.fd_.get(), F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0)
    return base::permanent("INVALID_SHARED_MEMORY", "the shared memory's size is not sealed");
  IMGPROC_CHECK(memory.map_here(access == Access::write, size));
  return memory;
}

base::Status SharedMemory::forbid_new_writers() {
  if (::fcntl(fd_.get(), F_ADD_SEALS, F_SEAL_FUTURE_WRITE) != 0)
    return base::system_error("sealing of shared memory", errno);
  return {};
}

base::Status SharedMemory::freeze() {
  unmap();
  if (::fcntl(fd_.get(), F_ADD_SEALS, F_SEAL_WRITE) != 0)
    return base::system_error("freezing of shared memory", errno);
  return map_here(false);
}

}  // namespace imgproc::decoder
