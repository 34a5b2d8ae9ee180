// The command line: one subcommand, one file.

#include <malloc.h>

#include <cstdio>

#include "app/imgproc/commands.h"

namespace {

/// Whatever is wrong with the arguments; CLI11 has a code of its own for each.
constexpr int kExitUsage = 2;

/// glibc keeps a heap for each thread that ever allocated; two are enough for what runs here, and
/// large blocks go back to the kernel at once.
void keep_memory_small() {
  ::mallopt(M_ARENA_MAX, 2);
  ::mallopt(M_TRIM_THRESHOLD, 256 * 1024);
  ::mallopt(M_MMAP_THRESHOLD, 256 * 1024);
}

}  // namespace

int main(int argc, char** argv) {
  keep_memory_small();
  CLI::App app{
      "Serverless image pipeline: run the whole cloud on this machine, and work on images and "
      "configurations."};
  app.name("imgproc");
  app.set_version_flag("--version", "imgproc " IMGPROC_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Examples:\n"
      "  imgproc local                     the standard stack on http://127.0.0.1:4566\n"
      "  imgproc local --port 0 --empty    a bare cloud on a free port, for Terraform\n"
      "  imgproc COMMAND --help            all options of a command");
  int exit_code = 0;
  imgproc::app::add_local_command(app, exit_code);
  imgproc::app::add_process_command(app, exit_code);
  imgproc::app::add_inspect_command(app, exit_code);
  imgproc::app::add_lint_command(app, exit_code);
  imgproc::app::add_doctor_command(app, exit_code);
  auto* version = app.add_subcommand("version", "Print the version");
  version->footer("Example:\n  imgproc version");
  version->callback([] { std::puts("imgproc " IMGPROC_VERSION); });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  return exit_code;
}
