#pragma once
// What `imgproc local` creates by itself: what the guide's Terraform root makes of a pipeline's
// core (buckets, table with its indexes, role, function, notification), under plain names and
// without dead-letter queue, alarms and dashboard.

#include <filesystem>
#include <string>

#include "base/error.h"
#include "http/exchange.h"

namespace imgproc::app {

inline constexpr const char* kSourceBucket = "serverless-img-proc-source";
inline constexpr const char* kDestinationBucket = "serverless-img-proc-dest";
inline constexpr const char* kMetadataTable = "serverless-img-proc-metadata";
inline constexpr const char* kFunctionName = "serverless-img-proc";

struct StandardStackOptions {
  /// Folder with `bootstrap` and `decoder`.
  std::filesystem::path program_directory;
  /// Text of imgproc.json for IMGPROC_CONFIG; empty = the function's own default.
  std::string config;
  std::string region = "us-east-1";
};

/// Creates what is missing and brings the function up to date, by requests to the services' public
/// API. Safe to repeat. Errors name the resource and the service's answer.
[[nodiscard]] base::Status create_standard_stack(http::Exchange& cloud,
                                                 const StandardStackOptions& options);

}  // namespace imgproc::app
