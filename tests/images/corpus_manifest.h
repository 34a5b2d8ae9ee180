#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"

namespace imgproc::images {

/// What a file must come to; the words of the manifest.
enum class Expectation { ok, reject, policy, any_safe };

struct CorpusFile {
  std::string path;
  Expectation expectation = Expectation::any_safe;
  /// Type by content as the manifest names it.
  std::string type;
  /// As displayed; 0 x 0 where the manifest does not say.
  std::uint32_t width = 0;
  std::uint32_t height = 0;
};

/// Reads MANIFEST.tsv of `folder` (tab-separated, a heading line; columns are found by name).
[[nodiscard]] base::Result<std::vector<CorpusFile>> read_manifest(
    const std::filesystem::path& folder);

}  // namespace imgproc::images
