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

/// Host names are looked up in /etc/hosts and by DNS only, whatever the host's nsswitch.conf says:
/// the packaged program is linked statically, and must not load name service modules of a foreign C
/// library.
void resolve_names_plainly();

}  // namespace imgproc::bootstrap
