// The command line: one subcommand, one file.

#include "app/imgproc/commands.h"

namespace {

/// Whatever is wrong with the arguments; CLI11 has a code of its own for each.
constexpr int kExitUsage = 2;

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Serverless image pipeline: run the whole cloud on this machine, and work on images and "
      "configurations."};
  app.name("imgproc");
  app.set_version_flag("--version", "imgproc " IMGPROC_VERSION);
  app.require_subcommand(1);
  int exit_code = 0;
  imgproc::app::add_process_command(app, exit_code);
  imgproc::app::add_inspect_command(app, exit_code);
  imgproc::app::add_lint_command(app, exit_code);
  imgproc::app::add_doctor_command(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  return exit_code;
}
