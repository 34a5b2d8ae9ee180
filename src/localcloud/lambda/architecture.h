#pragma once
// Which processor a function is for, and whether this machine runs it.

#include <filesystem>
#include <string_view>

namespace imgproc::localcloud::lambda {

/// This machine's processor in Lambda's words: "x86_64" or "arm64".
[[nodiscard]] std::string_view machine_architecture();

/// Whether programs for `architecture` ("x86_64", "arm64") run here: of themselves, or because the
/// kernel hands them to qemu-user (binfmt_misc). Another one than the machine's own is tried with a
/// program of a few bytes, which takes some milliseconds.
[[nodiscard]] bool can_run(std::string_view architecture);

/// The try of can_run(), for this machine's own processor too: whether the program of a few bytes
/// runs and ends as it should.
[[nodiscard]] bool runs_exit_program(std::string_view architecture);

/// What the ELF program at `path` is for, in Lambda's words; empty if it is a script, for another
/// processor, or cannot be read.
[[nodiscard]] std::string_view program_architecture(const std::filesystem::path& path);

}  // namespace imgproc::localcloud::lambda
