#pragma once
namespace imgproc::bootstrap {

/// From now on SIGTERM and SIGINT end the process with code 0: at once while it waits for an event,
/// else when the event under way has its answer.
void stop_on_signals();
/// To be told around each event. No signal ends the process between the two.
void begin_event();
void end_event();
/// A signal came while an event was under way.
[[nodiscard]] bool stopping();

}  // namespace imgproc::bootstrap
