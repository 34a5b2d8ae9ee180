#pragma once
#include "aws/credentials.h"

namespace imgproc::bootstrap {

/// Every NAME=value of the process's environment block (`environ`), copied.
[[nodiscard]] aws::Environment read_environment(char* const* block);

/// Overwrites the secrets in the environment block itself, so that neither /proc/PID/environ nor a
/// child shows them. The names stay, with empty values.
void wipe_secrets(char* const* block);

/// Makes /proc/PID/mem and its like unreadable for other processes of the same user, as far as the
/// kernel lets us.
void forbid_inspection();

}  // namespace imgproc::bootstrap
