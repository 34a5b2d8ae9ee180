#pragma once
// A function as the registry knows it: typed once at the edge, and back to AWS's JSON.
// Source of members, defaults and limits: the Lambda API reference (2015-03-31) and its quotas
// page.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "localcloud/lambda/invocation_queue.h"

namespace imgproc::localcloud::lambda {

inline constexpr int kTimeoutSecondsMax = 900;
inline constexpr int kMemoryMbMin = 128;
inline constexpr int kMemoryMbMax = 10'240;
inline constexpr int kEphemeralMbMin = 512;
inline constexpr int kEphemeralMbMax = 10'240;
inline constexpr std::size_t kEnvironmentBytesMax = 4096;
inline constexpr std::size_t kFunctionNameLengthMax = 64;
inline constexpr std::string_view kLatest = "$LATEST";

/// What CreateFunction sets and UpdateFunctionConfiguration changes.
struct FunctionSettings {
  std::string runtime = "provided.al2023";
  std::string role;
  std::string handler = "bootstrap";
  std::string description;
  int timeout_s = 3;
  int memory_mb = 128;
  int ephemeral_mb = 512;
  bool has_environment = false;
  std::map<std::string, std::string> variables;
  std::string architecture = "x86_64";
  std::string tracing_mode = "PassThrough";
  std::string dead_letter_target;
  std::string kms_key_arn;
  std::string log_format = "Text";
  /// Empty = /aws/lambda/NAME.
  std::string log_group;
  std::string application_log_level;
  std::string system_log_level;
};

/// An unpacked package, or the folder in which `bootstrap` stands.
struct FunctionCode {
  std::filesystem::path directory;
  /// While a copy of this exists, the code store keeps the folder; empty where it is not its own.
  std::shared_ptr<const std::filesystem::path> hold;
  /// Base64 of the SHA-256, as AWS answers it.
  std::string sha256;
  std::uint64_t bytes = 0;
};

/// One immutable state of a function: $LATEST between two updates, or a published version.
struct FunctionVersion {
  std::string name;
  std::string region;
  std::string version{kLatest};
  FunctionSettings settings;
  FunctionCode code;
  std::string revision_id;
  base::SystemTime modified_at{};

  /// Without a version for $LATEST.
  [[nodiscard]] std::string arn() const;
  [[nodiscard]] std::string log_group() const;
};

/// What an event invoke configuration says; nothing set = the service's own rules.
struct EventInvokeConfig {
  std::optional<int> retry_attempts_max;
  std::optional<int> event_age_seconds_max;
  std::string on_success;
  std::string on_failure;
  base::SystemTime modified_at{};
  [[nodiscard]] RetryPolicy policy() const;
};

/// A function with all that hangs on its name rather than on a version.
struct Function {
  std::shared_ptr<const FunctionVersion> latest;
  std::map<std::string, std::string> tags;
  /// Statements of the resource policy, each as AWS's JSON object, by Sid.
  base::json::object policy_statements;
  std::string policy_revision_id;
  std::optional<int> reserved_concurrency;
  std::optional<EventInvokeConfig> event_invoke;
};

/// "name", "name:qualifier", "ACCOUNT:function:name[:qualifier]" or a whole ARN.
struct FunctionReference {
  std::string name;
  std::string qualifier;
  /// Error InvalidParameterValueException.
  [[nodiscard]] static base::Result<FunctionReference> parse(std::string_view text);
};

/// Reads the members that `input` has into `settings`, for create and update alike. Errors:
/// InvalidParameterValueException with the member's name; NotImplemented for what cannot be run
/// here.
[[nodiscard]] base::Status apply_settings(const base::json::object& input,
                                          FunctionSettings& settings);

/// FunctionConfiguration as AWS answers it. `qualified_arn` as ListVersionsByFunction writes it.
[[nodiscard]] base::json::object to_configuration(const FunctionVersion& version,
                                                  bool qualified_arn = false);

/// The stored forms (one JSON document each).
[[nodiscard]] std::string serialize(const FunctionVersion& version);
[[nodiscard]] base::Result<std::shared_ptr<FunctionVersion>> parse_version(std::string_view text);
[[nodiscard]] std::string serialize_attributes(const Function& function);
[[nodiscard]] base::Status parse_attributes(std::string_view text, Function& function);

/// An error of this service with its status.
[[nodiscard]] std::unexpected<base::Error> lambda_error(std::string code, std::string message,
                                                        int http_status);
[[nodiscard]] std::unexpected<base::Error> invalid_parameter(std::string message);

}  // namespace imgproc::localcloud::lambda
