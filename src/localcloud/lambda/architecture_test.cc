#include "localcloud/lambda/architecture.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "localcloud/lambda/testing.h"

namespace imgproc::localcloud::lambda {
namespace {

TEST(ArchitectureTest, OwnProgramsRun) {
  EXPECT_TRUE(can_run(machine_architecture()));
  EXPECT_EQ(program_architecture("/proc/self/exe"), machine_architecture());
}

TEST(ArchitectureTest, TheTriedProgramRunsWhereItIsAtHome) {
  EXPECT_TRUE(runs_exit_program(machine_architecture()));
}

TEST(ArchitectureTest, ScriptsAndWhatIsMissingAreForNoProcessor) {
  TempDirectory directory;
  const auto script = directory.path() / "bootstrap";
  ASSERT_TRUE(base::write_file_atomically(script, "#!/bin/sh\n"));
  EXPECT_EQ(program_architecture(script), "");
  EXPECT_EQ(program_architecture(directory.path() / "none"), "");
}

}  // namespace
}  // namespace imgproc::localcloud::lambda
