#include "app/bootstrap/settings.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/bytes.h"
#include "base/file.h"

namespace imgproc::bootstrap {
namespace {

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    auto cut = std::min(text.find(','), text.size());
    if (auto part = base::trim(text.substr(0, cut)); !part.empty()) parts.emplace_back(part);
    text.remove_prefix(std::min(text.size(), cut + 1));
  }
  return parts;
}

struct ConfigText {
  std::string text;
  std::string source;
};

base::Result<ConfigText> config_text(const aws::Environment& environment) {
  ConfigText found;
  found.text = aws::value_of(environment, "IMGPROC_CONFIG");
  found.source = "IMGPROC_CONFIG";
  if (!found.text.empty()) return found;
  std::filesystem::path root = aws::value_of(environment, "LAMBDA_TASK_ROOT");
  std::error_code ignored;
  if (auto file = root / "imgproc.json"; !root.empty() && std::filesystem::exists(file, ignored)) {
    IMGPROC_TRY(found.text, base::read_file(file, pipeline::kConfigBytesMax));
    found.source = "imgproc.json";
    return found;
  }
  found.text = pipeline::default_config_text();
  found.source = "default";
  return found;
}

}  // namespace

base::Result<std::string> required(const aws::Environment& environment, const char* name,
                                   const char* what) {
  std::string value = aws::value_of(environment, name);
  if (value.empty())
    return base::permanent("MISSING_SETTING", fmt::format("{} is not set", name),
                           fmt::format("set it to {}", what));
  return value;
}

base::Result<Settings> read_settings(const aws::Environment& environment) {
  Settings settings;
  settings.source_buckets = split_list(aws::value_of(environment, "SOURCE_BUCKET"));
  IMGPROC_TRY(settings.destination_bucket,
              required(environment, "DESTINATION_BUCKET", "the bucket for renditions"));
  IMGPROC_TRY(settings.table_name,
              required(environment, "TABLE_NAME", "the DynamoDB table of the records"));
  IMGPROC_TRY(ConfigText text, config_text(environment));
  settings.config_source = text.source;
  auto config = pipeline::parse_config(text.text);
  if (!config) return std::unexpected(pipeline::config_error(config.error()));
  settings.config = *std::move(config);
  IMGPROC_CHECK(pipeline::check_no_loop(settings.config, settings.source_buckets,
                                        settings.destination_bucket));
  IMGPROC_TRY(settings.region, aws::region_from(environment));
  IMGPROC_TRY(settings.credentials, aws::credentials_from(environment));
  IMGPROC_TRY(settings.s3, aws::endpoint_of("s3", settings.region, environment));
  IMGPROC_TRY(settings.dynamodb, aws::endpoint_of("dynamodb", settings.region, environment));
  settings.ca_bundle = aws::value_of(environment, "AWS_CA_BUNDLE");
  return settings;
}

}  // namespace imgproc::bootstrap
