#include "app/bootstrap/shutdown.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

namespace imgproc::bootstrap {
namespace {

// A signal handler can reach nothing but globals.
std::atomic<bool> is_busy = false;
std::atomic<bool> is_stopping = false;
static_assert(std::atomic<bool>::is_always_lock_free);

void on_signal(int) {
  is_stopping = true;
  // Waiting for an event: nothing is half done, and the decoders die with us.
  if (!is_busy) ::_exit(0);
}

}  // namespace

void stop_on_signals() {
  struct sigaction action{};
  action.sa_handler = on_signal;
  sigfillset(&action.sa_mask);
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  // A closed connection is an error of the write, not of the process.
  ::signal(SIGPIPE, SIG_IGN);
}

void begin_event() {
  is_busy = true;
}
void end_event() {
  is_busy = false;
}
bool stopping() {
  return is_stopping;
}

}  // namespace imgproc::bootstrap
