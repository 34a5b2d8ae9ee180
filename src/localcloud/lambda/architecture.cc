#include "localcloud/lambda/architecture.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/file_descriptor.h"

namespace imgproc::localcloud::lambda {
namespace {

#if defined(__aarch64__)
constexpr std::string_view kMachine = "arm64";
#else
constexpr std::string_view kMachine = "x86_64";
#endif

/// The try ends by itself at once; this bounds what a broken interpreter may take.
constexpr int kTryTimeoutMs = 5'000;
constexpr Elf64_Addr kLoadAddress = 0x400000;

/// A program that calls exit(0) and does nothing else.
std::string exit_program(std::string_view architecture) {
  using namespace std::string_view_literals;
  const bool arm64 = architecture == "arm64";
  // mov x0, #0; mov x8, #93; svc #0 | xor edi, edi; mov eax, 60; syscall
  const std::string_view code = arm64 ? "\x00\x00\x80\xd2\xa8\x0b\x80\xd2\x01\x00\x00\xd4"sv
                                      : "\x31\xff\xb8\x3c\x00\x00\x00\x0f\x05"sv;
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = arm64 ? EM_AARCH64 : EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_entry = kLoadAddress + sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
  header.e_phoff = sizeof(Elf64_Ehdr);
  header.e_ehsize = sizeof(Elf64_Ehdr);
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  Elf64_Phdr segment{};
  segment.p_type = PT_LOAD;
  segment.p_flags = PF_R | PF_X;
  segment.p_vaddr = segment.p_paddr = kLoadAddress;
  segment.p_filesz = segment.p_memsz = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr) + code.size();
  segment.p_align = 0x10000;  // arm64 may have pages of 64 KB
  std::string program(reinterpret_cast<const char*>(&header), sizeof header);
  program.append(reinterpret_cast<const char*>(&segment), sizeof segment);
  return program.append(code);
}

/// True if the program runs and ends with status 0.
bool runs(std::string_view program) {
  base::FileDescriptor file(::memfd_create("architecture", MFD_CLOEXEC));
  if (!file ||
      ::write(file.get(), program.data(), program.size()) != static_cast<ssize_t>(program.size()))
    return false;
  const std::string path = fmt::format("/proc/self/fd/{}", file.get());
  char* arguments[] = {const_cast<char*>(path.c_str()), nullptr};
  char* environment[] = {nullptr};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  // Onto itself: keeps it open in the child, where an interpreter opens the path again.
  ::posix_spawn_file_actions_adddup2(&actions, file.get(), file.get());
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, path.c_str(), &actions, nullptr, arguments, environment);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return false;
  base::FileDescriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)));
  pollfd ended{process.get(), POLLIN, 0};
  int ready = 0;
  while ((ready = ::poll(&ended, 1, kTryTimeoutMs)) < 0 && errno == EINTR) {
  }
  if (!process || ready != 1) ::kill(pid, SIGKILL);
  int status = -1;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

std::string_view machine_architecture() {
  return kMachine;
}

bool can_run(std::string_view architecture) {
  return architecture == kMachine || runs_exit_program(architecture);
}

bool runs_exit_program(std::string_view architecture) {
  return runs(exit_program(architecture));
}

std::string_view program_architecture(const std::filesystem::path& path) {
  base::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  Elf64_Ehdr header{};
  if (!file || ::read(file.get(), &header, sizeof header) != sizeof header ||
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return {};
  if (header.e_machine == EM_X86_64) return "x86_64";
  if (header.e_machine == EM_AARCH64) return "arm64";
  return {};
}

}  // namespace imgproc::localcloud::lambda
