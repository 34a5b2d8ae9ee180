#pragma once
#include <cstdlib>

/// What must hold of every input: else libFuzzer takes it for a finding.
inline void require(bool holds) {
  if (!holds) std::abort();
}
