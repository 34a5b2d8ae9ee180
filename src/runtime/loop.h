#pragma once
#include <functional>

#include "base/clock.h"
#include "runtime/runtime_client.h"

namespace imgproc::runtime {

/// How often in a row the Runtime API may fail before the process gives up; Lambda then starts a
/// fresh environment.
inline constexpr int kFailuresInRowMax = 5;
/// The wait after a failure, doubled each time.
inline constexpr std::chrono::milliseconds kFailureWait{50};

/// Takes one event after the other until `stopping()` says so or the environment goes. Each gets
/// exactly one answer: the handler's text, or its error. An answer that cannot be delivered is
/// tried again as above. Returns the exit code of the process: 0 after stopping() and when Lambda
/// ends the environment, 1 when the Runtime API cannot be reached or makes no sense.
[[nodiscard]] int run(RuntimeClient& client, const Handler& handler, base::Clock& clock,
                      const std::function<bool()>& stopping);

}  // namespace imgproc::runtime
