#pragma once
// The subcommands of `imgproc`, one file each. Every function adds its command to `app` and sets
// `exit_code` when the command runs.

#include <CLI/CLI.hpp>

namespace imgproc::app {

/// `imgproc local`: the whole cloud in one process (local.cc).
void add_local_command(CLI::App& app, int& exit_code);
/// `imgproc process`: the function's pipeline over files of this machine (process.cc).
void add_process_command(CLI::App& app, int& exit_code);
/// `imgproc inspect`: what image files are (inspect.cc).
void add_inspect_command(CLI::App& app, int& exit_code);
/// `imgproc lint`: explains a configuration, or its faults (lint.cc).
void add_lint_command(CLI::App& app, int& exit_code);
/// `imgproc doctor`: what is missing on this machine (doctor.cc).
void add_doctor_command(CLI::App& app, int& exit_code);

}  // namespace imgproc::app
