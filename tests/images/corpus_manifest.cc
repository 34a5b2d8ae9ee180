#include "corpus_manifest.h"

#include <map>

#include "base/bytes.h"
#include "base/file.h"

namespace imgproc::images {
namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const auto at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::optional<Expectation> expectation_of(std::string_view word) {
  if (word == "ok") return Expectation::ok;
  if (word == "reject") return Expectation::reject;
  if (word == "policy") return Expectation::policy;
  if (word == "any-safe") return Expectation::any_safe;
  return std::nullopt;
}

}  // namespace

base::Result<std::vector<CorpusFile>> read_manifest(const std::filesystem::path& folder) {
  IMGPROC_TRY(const std::string text, base::read_file(folder / "MANIFEST.tsv"));
  std::map<std::string, std::size_t> columns;
  std::vector<CorpusFile> files;
  for (const std::string& line : split(text, '\n')) {
    if (line.empty()) continue;
    const std::vector<std::string> cells = split(line, '\t');
    if (columns.empty()) {
      for (std::size_t i = 0; i < cells.size(); ++i) columns[cells[i]] = i;
      continue;
    }
    const auto cell = [&](const std::string& name) -> std::string {
      const auto column = columns.find(name);
      return column != columns.end() && column->second < cells.size() ? cells[column->second] : "";
    };
    const auto expectation = expectation_of(cell("expect"));
    if (!expectation)
      return base::permanent("INVALID_MANIFEST", "unknown expectation in line: " + line);
    CorpusFile file{cell("path"), *expectation, cell("type"), 0, 0};
    const std::vector<std::string> size = split(cell("display_size"), 'x');
    if (size.size() == 2) {
      file.width = static_cast<std::uint32_t>(base::parse_unsigned(size[0]).value_or(0));
      file.height = static_cast<std::uint32_t>(base::parse_unsigned(size[1]).value_or(0));
    }
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace imgproc::images
