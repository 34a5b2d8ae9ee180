#pragma once
#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/file_descriptor.h"
#include "decoder/control_socket.h"

namespace imgproc::decoder {

struct DecoderCommand {
  std::filesystem::path program;
  std::vector<std::string> arguments;
};

/// One running decoder. It has an empty environment, /dev/null as its standard files, the control
/// socket and nothing else, and a process group of its own. Movable; killed and reaped with this
/// object. Not thread-safe.
class DecoderProcess {
 public:
  /// Starts the program and returns at once: it loads its libraries while the caller goes on. The
  /// calling thread must live as long as the process (PR_SET_PDEATHSIG counts from it).
  [[nodiscard]] static base::Result<DecoderProcess> start(const DecoderCommand& command);

  ~DecoderProcess();
  DecoderProcess(DecoderProcess&&) noexcept;
  DecoderProcess& operator=(DecoderProcess&&) noexcept;

  /// Waits, once, until it has said that it is ready.
  [[nodiscard]] base::Status await_ready(base::SteadyTime deadline);
  /// Sends an order and waits for the answer. Errors: CONTROL_CLOSED (it is dead or dying),
  /// CONTROL_TIMED_OUT, MESSAGE_TOO_LONG; the process is then good for nothing but end().
  [[nodiscard]] base::Status send(std::string_view text, std::span<const int> descriptors);
  [[nodiscard]] base::Result<Message> receive(base::SteadyTime deadline);

  struct End {
    /// It ran out of memory: by its own word, or killed by the system.
    bool out_of_memory = false;
    /// It used up its processor time.
    bool out_of_time = false;
    /// "exit status 3", "signal 11 (Segmentation fault)".
    std::string description;
  };
  /// Ends it if it still lives (after a moment to die by itself, so that the true cause shows) and
  /// says how it ended.
  [[nodiscard]] End end();

  /// Orders sent so far.
  [[nodiscard]] std::uint32_t orders() const { return orders_; }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  DecoderProcess(pid_t pid, base::FileDescriptor socket) : pid_(pid), socket_(std::move(socket)) {}
  int kill_and_reap();

  pid_t pid_ = -1;
  base::FileDescriptor socket_;
  bool ready_ = false;
  std::uint32_t orders_ = 0;
};

}  // namespace imgproc::decoder
