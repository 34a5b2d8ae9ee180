#pragma once
#include <string>
#include <vector>

#include "aws/endpoint.h"
#include "pipeline/config.h"

namespace imgproc::bootstrap {

/// The environment of the function, checked.
struct Settings {
  /// SOURCE_BUCKET, separated by commas: whose events are accepted; empty = all.
  std::vector<std::string> source_buckets;
  std::string destination_bucket;
  std::string table_name;
  /// IMGPROC_CONFIG, else imgproc.json in LAMBDA_TASK_ROOT, else the default.
  pipeline::Config config;
  /// Which of the three it was, for the log.
  std::string config_source;
  std::string region;
  protocol::Credentials credentials;
  aws::Endpoint s3;
  aws::Endpoint dynamodb;
  std::string ca_bundle;
};

/// The variable's value. Error MISSING_SETTING if it is absent or empty; `what` says what it is.
[[nodiscard]] base::Result<std::string> required(const aws::Environment& environment,
                                                 const char* name, const char* what);

/// Errors, all permanent: MISSING_SETTING, INVALID_CONFIG (with every problem of the document),
/// LOOP_POSSIBLE, NO_CREDENTIALS, NO_REGION, INVALID_URL, and those of reading imgproc.json.
[[nodiscard]] base::Result<Settings> read_settings(const aws::Environment& environment);

}  // namespace imgproc::bootstrap
