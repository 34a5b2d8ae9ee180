#include "localcloud/lambda/child_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <future>

#include "base/bytes.h"

namespace imgproc::localcloud::lambda {
namespace {

/// Read at once; a process that never stops writing must not keep its watcher from all else.
constexpr std::size_t kOutputBytesPerTurn = 1024 * 1024;

/// Open files of a Lambda execution environment.
constexpr rlim_t kOpenFilesMax = 1024;

std::string_view signal_text(int signal) {
  switch (signal) {
    case SIGKILL:
      return "killed";
    case SIGSEGV:
      return "segmentation fault";
    case SIGABRT:
      return "aborted";
    case SIGTERM:
      return "terminated";
    case SIGBUS:
      return "bus error";
    case SIGFPE:
      return "floating point exception";
    case SIGILL:
      return "illegal instruction";
    default:
      return "";
  }
}

/// As AWS words why a package cannot be run.
std::string start_failure_text(const std::string& program, int error) {
  if (error == ENOENT && ::access(program.c_str(), F_OK) != 0)
    return fmt::format("Couldn't find valid bootstrap(s): [{} /opt/bootstrap]", program);
  std::string why = std::strerror(error);
  if (!why.empty() && why[0] >= 'A' && why[0] <= 'Z') why[0] = static_cast<char>(why[0] + 32);
  return fmt::format("fork/exec {}: {}", program, why);
}

struct ProcessRow {
  int pid = 0;
  int parent = 0;
  int group = 0;
};

/// A small file of /proc, as far as it fits.
std::string_view read_proc(const char* path, std::span<char> buffer) {
  base::FileDescriptor file(::open(path, O_RDONLY | O_CLOEXEC));
  if (!file) return {};
  ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
  return got <= 0 ? std::string_view{}
                  : std::string_view(buffer.data(), static_cast<std::size_t>(got));
}

std::vector<ProcessRow> process_table() {
  std::vector<ProcessRow> rows;
  DIR* proc = ::opendir("/proc");
  if (proc == nullptr) return rows;
  char buffer[512];
  char path[64];
  while (dirent* entry = ::readdir(proc)) {
    auto pid = base::parse_unsigned(entry->d_name);
    if (!pid) continue;
    std::snprintf(path, sizeof path, "/proc/%llu/stat", *pid);
    std::string_view stat = read_proc(path, buffer);
    // "pid (any name) state ppid pgrp ...": the name may hold spaces and parentheses.
    std::size_t close = stat.rfind(')');
    if (close == std::string_view::npos) continue;
    std::string rest(stat.substr(close + 1));
    ProcessRow row;
    char state = 0;
    if (std::sscanf(rest.c_str(), " %c %d %d", &state, &row.parent, &row.group) != 3) continue;
    row.pid = static_cast<int>(*pid);
    rows.push_back(row);
  }
  ::closedir(proc);
  return rows;
}

struct Memory {
  std::uint64_t private_bytes = 0;
  std::uint64_t shared_bytes = 0;
};

Memory memory_of(int pid) {
  static const auto kPageBytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  char path[64];
  char buffer[128];
  std::snprintf(path, sizeof path, "/proc/%d/statm", pid);
  std::string text(read_proc(path, std::span(buffer)));
  unsigned long long size = 0;
  unsigned long long resident = 0;
  unsigned long long shared = 0;
  if (std::sscanf(text.c_str(), "%llu %llu %llu", &size, &resident, &shared) != 3) return {};
  return {(resident - std::min(shared, resident)) * kPageBytes, shared * kPageBytes};
}

}  // namespace

std::string ChildExit::describe() const {
  if (signal == 0) return fmt::format("exit status {}", status);
  std::string_view text = signal_text(signal);
  return text.empty() ? fmt::format("signal: {}", signal) : fmt::format("signal: {}", text);
}

ChildProcess::ChildProcess(ChildOptions options, LineHandler on_line, ExitHandler on_exit)
    : options_(std::move(options)), on_line_(std::move(on_line)), on_exit_(std::move(on_exit)) {}

base::Result<std::unique_ptr<ChildProcess>> ChildProcess::start(ChildOptions options,
                                                                LineHandler on_line,
                                                                ExitHandler on_exit) {
  std::unique_ptr<ChildProcess> child(
      new ChildProcess(std::move(options), std::move(on_line), std::move(on_exit)));
  child->wake_fd_ = base::FileDescriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!child->wake_fd_) return base::system_error("cannot create an eventfd", errno);
  std::promise<base::Status> started;
  auto result = started.get_future();
  child->thread_ = std::thread([&started, process = child.get()] {
    process->run([&started](base::Status status) { started.set_value(std::move(status)); });
  });
  if (auto status = result.get(); !status) {
    child->thread_.join();
    return std::unexpected(std::move(status).error());
  }
  return child;
}

ChildProcess::~ChildProcess() {
  if (!thread_.joinable()) return;
  kill();
  thread_.join();
}

base::Status ChildProcess::spawn() {
  int out[2];
  int failure[2];
  if (::pipe2(out, O_CLOEXEC) != 0) return base::system_error("cannot create a pipe", errno);
  base::FileDescriptor out_read(out[0]);
  base::FileDescriptor out_write(out[1]);
  if (::pipe2(failure, O_CLOEXEC) != 0) return base::system_error("cannot create a pipe", errno);
  base::FileDescriptor failure_read(failure[0]);
  base::FileDescriptor failure_write(failure[1]);

  // Everything the child needs is made before fork: afterwards it may call only what is safe in a
  // signal handler.
  std::string program = options_.executable.string();
  std::string directory = options_.working_directory.string();
  char* arguments[] = {program.data(), nullptr};
  std::vector<char*> environment;
  for (std::string& variable : options_.environment) environment.push_back(variable.data());
  environment.push_back(nullptr);
  pid_t parent = ::getpid();

  pid_t pid = ::fork();
  if (pid < 0) return base::system_error("cannot fork", errno);
  if (pid == 0) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);  // the parent died before the line above
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    ::signal(SIGINT, SIG_DFL);
    ::signal(SIGTERM, SIG_DFL);
    int null = ::open("/dev/null", O_RDONLY);
    int error = 0;
    if (null < 0 || ::dup2(null, 0) < 0 || ::dup2(out_write.get(), 1) < 0 ||
        ::dup2(out_write.get(), 2) < 0)
      error = errno;
    rlimit files{kOpenFilesMax, kOpenFilesMax};
    ::setrlimit(RLIMIT_NOFILE, &files);
    rlimit core{0, 0};
    ::setrlimit(RLIMIT_CORE, &core);
    if (error == 0 && ::chdir(directory.c_str()) != 0) error = errno;
    if (error == 0) {
      // The failure pipe closes by itself when exec succeeds.
      ::syscall(SYS_close_range, 3U, ~0U, static_cast<unsigned>(CLOSE_RANGE_CLOEXEC));
      ::execve(program.c_str(), arguments, environment.data());
      error = errno;
    }
    [[maybe_unused]] auto written = ::write(failure_write.get(), &error, sizeof error);
    ::_exit(127);
  }
  // Both sides set the group, so that it exists before either goes on.
  ::setpgid(pid, pid);
  out_write.reset();
  failure_write.reset();
  int error = 0;
  ssize_t got = 0;
  while ((got = ::read(failure_read.get(), &error, sizeof error)) < 0 && errno == EINTR) {
  }
  if (got == sizeof error) {
    ::waitpid(pid, nullptr, 0);
    return base::permanent(
        "CHILD_START_FAILED", start_failure_text(program, error),
        "the function's code needs an executable file `bootstrap` for this machine");
  }
  pid_ = pid;
  pidfd_ = base::FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)));
  if (!pidfd_) {
    int cause = errno;
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return base::system_error("cannot watch the function's process", cause);
  }
  ::fcntl(out_read.get(), F_SETFL, O_NONBLOCK);
  output_ = std::move(out_read);
  members_ = {pid};
  return {};
}

void ChildProcess::run(std::function<void(base::Status)> started) {
  base::Status status = spawn();
  bool running = status.has_value();
  started(std::move(status));
  if (!running) return;
  for (;;) {
    bool watch = false;
    {
      std::lock_guard guard(mutex_);
      watch = watching_memory_;
    }
    pollfd fds[3] = {
        {wake_fd_.get(), POLLIN, 0}, {output_.get(), POLLIN, 0}, {pidfd_.get(), POLLIN, 0}};
    int timeout_ms = watch ? static_cast<int>(kMemorySampleInterval.count()) : -1;
    int ready = ::poll(fds, 3, timeout_ms);
    if (ready < 0 && errno != EINTR) break;
    std::uint64_t wanted = 0;
    if ((fds[0].revents & POLLIN) != 0) {
      std::uint64_t count = 0;
      [[maybe_unused]] auto got = ::read(wake_fd_.get(), &count, sizeof count);
    }
    {
      std::lock_guard guard(mutex_);
      wanted = drains_wanted_;
      watch = watching_memory_;
    }
    read_output(wanted != drains_done_);
    if (wanted != drains_done_) {
      sample_memory(true);
      std::lock_guard guard(mutex_);
      drains_done_ = wanted;
      changed_.notify_all();
    }
    // An invocation begins with a wake-up: it must not compete with a walk through /proc.
    if (watch) sample_memory(ready == 0);
    if ((fds[2].revents & POLLIN) != 0) break;
  }
  reap();
}

void ChildProcess::reap() {
  // The group's number stays taken until the leader is reaped, so nobody else is hit.
  kill();
  read_output(true);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  ChildExit exit;
  if (WIFSIGNALED(status)) {
    exit.signal = WTERMSIG(status);
  } else {
    exit.status = WEXITSTATUS(status);
  }
  {
    std::lock_guard guard(mutex_);
    exit.out_of_memory = out_of_memory_;
    exited_ = true;
  }
  on_exit_(exit);
  std::lock_guard guard(mutex_);
  drains_done_ = drains_wanted_;
  changed_.notify_all();
}

void ChildProcess::read_output(bool to_the_end_of_line) {
  char buffer[16 * 1024];
  for (std::size_t bytes = 0; bytes < kOutputBytesPerTurn;) {
    ssize_t got = ::read(output_.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    bytes += static_cast<std::size_t>(got);
    std::string_view text(buffer, static_cast<std::size_t>(got));
    for (;;) {
      std::size_t newline = text.find('\n');
      partial_line_.append(text.substr(0, newline));
      while (partial_line_.size() > kOutputLineBytesMax) {
        on_line_(std::string_view(partial_line_).substr(0, kOutputLineBytesMax));
        partial_line_.erase(0, kOutputLineBytesMax);
      }
      if (newline == std::string_view::npos) break;
      on_line_(partial_line_);
      partial_line_.clear();
      text.remove_prefix(newline + 1);
    }
  }
  if (to_the_end_of_line && !partial_line_.empty()) {
    on_line_(partial_line_);
    partial_line_.clear();
  }
}

void ChildProcess::find_members() {
  std::vector<int> members = {pid_};
  auto table = process_table();
  // The group, and all descendants, whichever group they moved to. Parents may stand after their
  // children in the table: repeat until nothing is added.
  for (bool grown = true; grown;) {
    grown = false;
    for (const ProcessRow& row : table) {
      if (std::find(members.begin(), members.end(), row.pid) != members.end()) continue;
      bool ours = row.group == pid_ ||
                  std::find(members.begin(), members.end(), row.parent) != members.end();
      if (!ours) continue;
      members.push_back(row.pid);
      grown = true;
    }
  }
  std::lock_guard guard(mutex_);
  members_ = std::move(members);
}

void ChildProcess::sample_memory(bool may_scan) {
  auto now = std::chrono::steady_clock::now();
  if (may_scan && now - scanned_at_ >= kProcessScanInterval) {
    find_members();
    scanned_at_ = now;
  }
  std::vector<int> members;
  {
    std::lock_guard guard(mutex_);
    members = members_;
  }
  std::uint64_t total = 0;
  std::uint64_t shared = 0;
  for (int pid : members) {
    Memory memory = memory_of(pid);
    total += memory.private_bytes;
    shared = std::max(shared, memory.shared_bytes);
  }
  total += shared;
  bool too_much = options_.memory_bytes_max != 0 && total > options_.memory_bytes_max;
  {
    std::lock_guard guard(mutex_);
    memory_peak_ = std::max(memory_peak_, total);
    if (too_much) out_of_memory_ = true;
  }
  if (too_much) kill();
}

void ChildProcess::wake() {
  std::uint64_t one = 1;
  [[maybe_unused]] auto written = ::write(wake_fd_.get(), &one, sizeof one);
}

bool ChildProcess::alive() const {
  std::lock_guard guard(mutex_);
  return !exited_;
}

void ChildProcess::watch_memory(bool on) {
  {
    std::lock_guard guard(mutex_);
    watching_memory_ = on;
    if (on) memory_peak_ = 0;
  }
  wake();
}

std::uint64_t ChildProcess::memory_bytes_peak() const {
  std::lock_guard guard(mutex_);
  return memory_peak_;
}

void ChildProcess::drain() {
  std::unique_lock lock(mutex_);
  if (exited_) return;
  std::uint64_t mine = ++drains_wanted_;
  wake();
  changed_.wait(lock, [&] { return drains_done_ >= mine || exited_; });
}

void ChildProcess::terminate() {
  std::lock_guard guard(mutex_);
  if (!exited_) ::kill(-pid_, SIGTERM);
}

void ChildProcess::kill() {
  {
    std::lock_guard guard(mutex_);
    if (exited_) return;
  }
  // What moved to another group is found before its parent goes.
  find_members();
  std::lock_guard guard(mutex_);
  if (exited_) return;
  ::kill(-pid_, SIGKILL);
  for (int pid : members_)
    if (pid != pid_) ::kill(pid, SIGKILL);
}

bool ChildProcess::wait_exit(std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, wait, [&] { return exited_; });
}

}  // namespace imgproc::localcloud::lambda
