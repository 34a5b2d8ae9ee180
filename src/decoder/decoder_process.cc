#include "decoder/decoder_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "decoder/protocol.h"
#include "decoder/serve.h"

namespace imgproc::decoder {
namespace {

/// A process whose socket is closed is dying; this long it may take before it is killed.
constexpr int kDyingMsMax = 1000;
/// Descriptors below this are the child's to have.
constexpr int kFirstFreeFd = kControlFd + 1;

/// posix_spawn's two objects, released together.
struct SpawnSettings {
  SpawnSettings() {
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};
};

int prepare(SpawnSettings& settings, int control_fd) {
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  int failed = 0;
  const auto check = [&](int status) { failed = failed != 0 ? failed : status; };
  check(::posix_spawn_file_actions_addopen(&settings.files, 0, "/dev/null", O_RDONLY, 0));
  check(::posix_spawn_file_actions_addopen(&settings.files, 1, "/dev/null", O_WRONLY, 0));
  check(::posix_spawn_file_actions_addopen(&settings.files, 2, "/dev/null", O_WRONLY, 0));
  check(::posix_spawn_file_actions_adddup2(&settings.files, control_fd, kControlFd));
  check(::posix_spawn_file_actions_addclosefrom_np(&settings.files, kFirstFreeFd));
  check(::posix_spawnattr_setpgroup(&settings.attributes, 0));
  check(::posix_spawnattr_setsigmask(&settings.attributes, &none));
  check(::posix_spawnattr_setsigdefault(&settings.attributes, &all));
  check(::posix_spawnattr_setflags(&settings.attributes, POSIX_SPAWN_SETPGROUP |
                                                             POSIX_SPAWN_SETSIGMASK |
                                                             POSIX_SPAWN_SETSIGDEF));
  return failed;
}

bool wait_until_dead(pid_t pid) {
  const base::FileDescriptor handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!handle) return false;
  pollfd wanted{handle.get(), POLLIN, 0};
  return ::poll(&wanted, 1, kDyingMsMax) > 0;
}

}  // namespace

base::Result<DecoderProcess> DecoderProcess::start(const DecoderCommand& command) {
  IMGPROC_TRY(auto ends, control_pair());
  // Out of the way of the descriptors that the child's standard files will take.
  const base::FileDescriptor child_end(::fcntl(ends.second.get(), F_DUPFD_CLOEXEC, kFirstFreeFd));
  if (!child_end) return base::system_error("duplicating the control socket", errno);

  SpawnSettings settings;
  if (const int failed = prepare(settings, child_end.get()); failed != 0)
    return base::system_error("preparing the decoder's start", failed);
  std::string program = command.program.string();
  std::vector<std::string> arguments = command.arguments;
  std::vector<char*> argv{program.data()};
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  char* empty_environment[] = {nullptr};

  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid, program.c_str(), &settings.files, &settings.attributes,
                                   argv.data(), empty_environment);
  if (failed != 0) {
    auto error = base::system_error("starting " + program, failed);
    return error;
  }
  return DecoderProcess(pid, std::move(ends.first));
}

DecoderProcess::DecoderProcess(DecoderProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      socket_(std::move(other.socket_)),
      ready_(other.ready_),
      orders_(other.orders_) {}

DecoderProcess& DecoderProcess::operator=(DecoderProcess&& other) noexcept {
  if (this != &other) {
    kill_and_reap();
    pid_ = std::exchange(other.pid_, -1);
    socket_ = std::move(other.socket_);
    ready_ = other.ready_;
    orders_ = other.orders_;
  }
  return *this;
}

DecoderProcess::~DecoderProcess() {
  kill_and_reap();
}

int DecoderProcess::kill_and_reap() {
  if (pid_ < 0) return 0;
  // The group too: a decoder that was taken over may have started others.
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  socket_.reset();
  return status;
}

base::Status DecoderProcess::await_ready(base::SteadyTime deadline) {
  if (ready_) return {};
  IMGPROC_TRY(const Message message, receive_message(socket_.get(), deadline));
  ready_ = true;
  return {};
}

base::Status DecoderProcess::send(std::string_view text, std::span<const int> descriptors) {
  ++orders_;
  return send_message(socket_.get(), text, descriptors);
}

base::Result<Message> DecoderProcess::receive(base::SteadyTime deadline) {
  return receive_message(socket_.get(), deadline);
}

DecoderProcess::End DecoderProcess::end() {
  if (pid_ < 0) return {};
  const bool by_itself = wait_until_dead(pid_);
  const int status = kill_and_reap();
  End end;
  if (!by_itself) {
    end.description = "it closed its socket but did not end";
  } else if (WIFEXITED(status)) {
    end.out_of_memory = WEXITSTATUS(status) == kExitOutOfMemory;
    end.description = fmt::format("exit status {}", WEXITSTATUS(status));
  } else if (WIFSIGNALED(status)) {
    // Nobody but the system kills a decoder, and it does so when memory is short.
    end.out_of_memory = WTERMSIG(status) == SIGKILL;
    end.out_of_time = WTERMSIG(status) == SIGXCPU;
    end.description =
        fmt::format("signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)));
  }
  return end;
}

}  // namespace imgproc::decoder
