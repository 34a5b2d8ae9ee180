// imgproc lint: explains a configuration and every fault in it.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "app/imgproc/commands.h"
#include "app/imgproc/files.h"
#include "base/file.h"
#include "pipeline/config.h"
#include "pipeline/plan.h"

namespace imgproc::app {
namespace {

struct LintSettings {
  std::string file;
  std::string source_bucket;
  std::string destination_bucket;
  bool schema = false;
  bool reference = false;
};

std::string size_of(const ports::RenditionSpec& spec) {
  if (spec.width == 0 && spec.height == 0) return "the source's size";
  if (spec.height == 0) return fmt::format("{} pixels wide", spec.width);
  if (spec.width == 0) return fmt::format("{} pixels high", spec.height);
  return fmt::format("{} x {} ({})", spec.width, spec.height, ports::to_string(spec.fit));
}

std::string format_of(const ports::RenditionSpec& spec) {
  if (spec.format == ports::OutputFormat::automatic) return "WebP or JPEG";
  return std::string(ports::to_string(spec.format));
}

std::string explain(const pipeline::Config& config) {
  std::string text;
  for (std::size_t i = 0; i < config.recipes.size(); ++i) {
    const auto& [match, renditions] = config.recipes[i];
    text += fmt::format("recipe {}: ", i);
    std::vector<std::string> conditions;
    if (!match.prefix.empty())
      conditions.push_back(fmt::format("keys that start with '{}'", match.prefix));
    if (!match.suffix.empty())
      conditions.push_back(fmt::format("keys that end with '{}'", match.suffix));
    if (!match.types.empty())
      conditions.push_back(fmt::format("objects of type {}", fmt::join(match.types, " or ")));
    text += conditions.empty() ? "every object" : fmt::format("{}", fmt::join(conditions, ", "));
    const std::string example =
        match.prefix + "photo" + (match.suffix.empty() ? ".jpg" : match.suffix);
    text += fmt::format(", for example {}\n", example);
    for (const auto& spec : renditions)
      for (const auto format : pipeline::possible_formats(spec.format)) {
        const auto key =
            config.destination.key.expand("BUCKET", example, spec.name, ports::extension(format));
        text += fmt::format("  {}: {}, {} -> {}\n", spec.name, size_of(spec), format_of(spec),
                            key ? *key : key.error().message);
      }
  }
  const auto& last = config.recipes.back().match;
  if (!last.prefix.empty() || !last.suffix.empty() || !last.types.empty())
    text += "objects that match no recipe are recorded as SKIPPED\n";
  return text;
}

base::Result<std::string> read(const std::string& file) {
  if (file != "-") return base::read_file(file, pipeline::kConfigBytesMax);
  std::string text;
  char buffer[4096];
  while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, stdin)) {
    text.append(buffer, count);
    if (text.size() > pipeline::kConfigBytesMax) break;
  }
  return text;
}

int run(const LintSettings& settings) {
  if (settings.schema) {
    std::fputs(pipeline::config_schema().c_str(), stdout);
    return kExitOk;
  }
  if (settings.reference) {
    std::fputs(pipeline::config_reference().c_str(), stdout);
    return kExitOk;
  }
  if (settings.file.empty()) {
    print_error(
        {.code = "USAGE", .message = "which configuration? Give a file, or - for standard input"});
    return kExitUsage;
  }
  const auto text = read(settings.file);
  if (!text) {
    print_error(text.error());
    return kExitUsage;
  }
  const auto config = pipeline::parse_config(*text);
  if (!config) {
    for (const auto& problem : config.error())
      std::fputs(fmt::format("{}: {}\n", settings.file, problem.describe()).c_str(), stderr);
    return kExitSomeFailed;
  }
  std::fputs(explain(*config).c_str(), stdout);
  std::vector<std::string> sources;
  if (!settings.source_bucket.empty()) sources.push_back(settings.source_bucket);
  if (const auto status = pipeline::check_no_loop(*config, sources, settings.destination_bucket);
      !status) {
    print_error(status.error());
    return kExitSomeFailed;
  }
  return kExitOk;
}

}  // namespace

void add_lint_command(CLI::App& app, int& exit_code) {
  auto settings = std::make_shared<LintSettings>();
  auto* command =
      app.add_subcommand("lint", "Explain a configuration, or say all that is wrong with it");
  command->add_option("config", settings->file, "The configuration; - is standard input")
      ->type_name("FILE");
  command->add_option("--source", settings->source_bucket,
                      "Source bucket, to prove that no rendition starts the function again");
  command->add_option("--destination", settings->destination_bucket,
                      "Destination bucket, likewise");
  auto* schema =
      command->add_flag("--schema", settings->schema, "Print the JSON Schema, for editors");
  command->add_flag("--reference", settings->reference, "Print the reference page (Markdown)")
      ->excludes(schema);
  command->footer(
      "Every fault is told with its line and its JSON pointer.\n"
      "Exit status: 0 the configuration is good, 1 it is not, 2 wrong use.\n\n"
      "Examples:\n"
      "  imgproc lint imgproc.json\n"
      "  imgproc lint imgproc.json --source pictures --destination pictures\n"
      "  imgproc lint --schema > imgproc.schema.json");
  command->callback([settings, &exit_code] { exit_code = run(*settings); });
}

}  // namespace imgproc::app
