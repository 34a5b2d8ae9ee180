#include "localcloud/lambda/function.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/time.h"
#include "localcloud/context.h"

namespace imgproc::localcloud::lambda {

using base::json_int;
using base::json_object;
using base::json_string;
namespace json = base::json;

std::unexpected<base::Error> lambda_error(std::string code, std::string message, int http_status) {
  base::Error error;
  error.code = std::move(code);
  error.message = std::move(message);
  error.http_status = http_status;
  return std::unexpected(std::move(error));
}

std::unexpected<base::Error> invalid_parameter(std::string message) {
  return lambda_error("InvalidParameterValueException", std::move(message), 400);
}

namespace {

std::unexpected<base::Error> not_implemented(std::string_view what) {
  return lambda_error("NotImplemented", fmt::format("{} is not supported by the local cloud", what),
                      501);
}

/// Names a function may not set: the service sets them.
constexpr std::array kReservedVariables = {"_HANDLER",
                                           "_X_AMZN_TRACE_ID",
                                           "AWS_DEFAULT_REGION",
                                           "AWS_REGION",
                                           "AWS_EXECUTION_ENV",
                                           "AWS_LAMBDA_FUNCTION_NAME",
                                           "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                                           "AWS_LAMBDA_FUNCTION_VERSION",
                                           "AWS_LAMBDA_INITIALIZATION_TYPE",
                                           "AWS_LAMBDA_LOG_GROUP_NAME",
                                           "AWS_LAMBDA_LOG_STREAM_NAME",
                                           "AWS_ACCESS_KEY",
                                           "AWS_ACCESS_KEY_ID",
                                           "AWS_SECRET_ACCESS_KEY",
                                           "AWS_SESSION_TOKEN",
                                           "AWS_LAMBDA_RUNTIME_API",
                                           "LAMBDA_TASK_ROOT",
                                           "LAMBDA_RUNTIME_DIR"};

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

bool is_variable_name(std::string_view name) {
  auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && is_letter(name[0]) &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

base::Status read_int(const json::object& input, std::string_view name, int least, int most,
                      int& into) {
  if (!input.contains(name)) return {};
  auto value = json_int(input, name);
  if (!value || *value < least || *value > most)
    return invalid_parameter(
        fmt::format("{} must be a whole number from {} to {}", name, least, most));
  into = static_cast<int>(*value);
  return {};
}

base::Status read_string(const json::object& input, std::string_view name, std::size_t length_max,
                         std::string& into) {
  if (!input.contains(name)) return {};
  auto value = json_string(input, name);
  if (!value || value->size() > length_max)
    return invalid_parameter(
        fmt::format("{} must be text of at most {} characters", name, length_max));
  into = *value;
  return {};
}

base::Status read_environment(const json::object& input, FunctionSettings& settings) {
  const auto* environment = json_object(input, "Environment");
  if (environment == nullptr) return {};
  std::map<std::string, std::string> variables;
  std::size_t bytes = 0;
  if (const auto* given = json_object(*environment, "Variables")) {
    for (const auto& [key, value] : *given) {
      std::string name(key);
      if (!is_variable_name(name))
        return invalid_parameter(fmt::format(
            "environment variable name `{}` does not match [a-zA-Z_][a-zA-Z0-9_]*", name));
      if (!value.is_string())
        return invalid_parameter(fmt::format("environment variable {} must be text", name));
      if (std::ranges::find(kReservedVariables, name) != kReservedVariables.end())
        return invalid_parameter(fmt::format(
            "Lambda was unable to configure your environment variables because the environment "
            "variables you have provided contains reserved keys that are currently not supported "
            "for modification. Reserved keys used in this request: {}",
            name));
      std::string text(value.get_string());
      if (text.find('\0') != std::string::npos)
        return invalid_parameter(fmt::format("environment variable {} holds a zero byte", name));
      bytes += name.size() + text.size();
      variables.emplace(std::move(name), std::move(text));
    }
  }
  if (bytes > kEnvironmentBytesMax)
    return invalid_parameter(fmt::format(
        "Lambda was unable to configure your environment variables because the environment "
        "variables you have provided exceeded the {} bytes limit",
        kEnvironmentBytesMax));
  settings.has_environment = !variables.empty();
  settings.variables = std::move(variables);
  return {};
}

base::Status read_logging(const json::object& input, FunctionSettings& settings) {
  const auto* logging = json_object(input, "LoggingConfig");
  if (logging == nullptr) return {};
  IMGPROC_CHECK(read_string(*logging, "LogFormat", 16, settings.log_format));
  if (settings.log_format != "JSON" && settings.log_format != "Text")
    return invalid_parameter("LoggingConfig.LogFormat must be JSON or Text");
  IMGPROC_CHECK(read_string(*logging, "LogGroup", 512, settings.log_group));
  IMGPROC_CHECK(read_string(*logging, "ApplicationLogLevel", 16, settings.application_log_level));
  return read_string(*logging, "SystemLogLevel", 16, settings.system_log_level);
}

/// Members that would change what runs, and cannot be had here.
base::Status refuse_unsupported(const json::object& input) {
  auto has_items = [&](const json::object& object, std::string_view name) {
    const auto* array = base::json_array(object, name);
    return array != nullptr && !array->empty();
  };
  if (json_string(input, "PackageType").value_or("Zip") != "Zip")
    return not_implemented("PackageType Image");
  if (has_items(input, "Layers")) return not_implemented("Layers");
  if (has_items(input, "FileSystemConfigs")) return not_implemented("FileSystemConfigs");
  if (const auto* vpc = json_object(input, "VpcConfig");
      vpc != nullptr && (has_items(*vpc, "SubnetIds") || has_items(*vpc, "SecurityGroupIds")))
    return not_implemented("VpcConfig");
  if (const auto* snap = json_object(input, "SnapStart");
      snap != nullptr && json_string(*snap, "ApplyOn").value_or("None") != "None")
    return not_implemented("SnapStart");
  for (std::string_view name :
       {"CodeSigningConfigArn", "CapacityProviderConfig", "DurableConfig", "TenancyConfig"})
    if (const auto* value = input.if_contains(name); value != nullptr && !value->is_null())
      return not_implemented(name);
  return {};
}

std::string modified_text(base::SystemTime time) {
  // Lambda writes the zone as +0000.
  std::string text = base::to_iso8601(time);
  if (!text.empty() && text.back() == 'Z') text.pop_back();
  return text + "+0000";
}

json::object to_settings_json(const FunctionSettings& settings, std::string_view log_group) {
  json::object out{{"Role", settings.role},
                   {"Runtime", settings.runtime},
                   {"Handler", settings.handler},
                   {"Description", settings.description},
                   {"Timeout", settings.timeout_s},
                   {"MemorySize", settings.memory_mb},
                   {"PackageType", "Zip"},
                   {"Architectures", json::array{settings.architecture}},
                   {"EphemeralStorage", json::object{{"Size", settings.ephemeral_mb}}},
                   {"TracingConfig", json::object{{"Mode", settings.tracing_mode}}}};
  if (settings.has_environment) {
    json::object variables;
    for (const auto& [name, value] : settings.variables) variables[name] = value;
    out["Environment"] = json::object{{"Variables", std::move(variables)}};
  }
  if (!settings.dead_letter_target.empty())
    out["DeadLetterConfig"] = json::object{{"TargetArn", settings.dead_letter_target}};
  if (!settings.kms_key_arn.empty()) out["KMSKeyArn"] = settings.kms_key_arn;
  json::object logging{{"LogFormat", settings.log_format}, {"LogGroup", log_group}};
  if (settings.log_format == "JSON") {
    logging["ApplicationLogLevel"] =
        settings.application_log_level.empty() ? "INFO" : settings.application_log_level;
    logging["SystemLogLevel"] =
        settings.system_log_level.empty() ? "INFO" : settings.system_log_level;
  }
  out["LoggingConfig"] = std::move(logging);
  return out;
}

}  // namespace

std::string FunctionVersion::arn() const {
  std::string text = fmt::format("arn:aws:lambda:{}:{}:function:{}", region, kAccountId, name);
  return version == kLatest ? text : text + ":" + version;
}

std::string FunctionVersion::log_group() const {
  return settings.log_group.empty() ? "/aws/lambda/" + name : settings.log_group;
}

RetryPolicy EventInvokeConfig::policy() const {
  RetryPolicy policy;
  if (retry_attempts_max) policy.retry_attempts_max = *retry_attempts_max;
  if (event_age_seconds_max) policy.event_age_max = std::chrono::seconds(*event_age_seconds_max);
  return policy;
}

base::Result<FunctionReference> FunctionReference::parse(std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with("arn:")) {
    // arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]
    for (int field = 0; field < 4; ++field) {
      std::size_t colon = rest.find(':');
      if (colon == std::string_view::npos)
        return invalid_parameter(fmt::format("`{}` is not a function's ARN", text));
      rest.remove_prefix(colon + 1);
    }
  }
  if (std::size_t at = rest.find(":function:"); at != std::string_view::npos) {
    rest.remove_prefix(at + std::string_view(":function:").size());
  } else if (rest.starts_with("function:")) {
    rest.remove_prefix(std::string_view("function:").size());
  } else if (text.starts_with("arn:")) {
    return invalid_parameter(fmt::format("`{}` is not a function's ARN", text));
  }
  FunctionReference reference;
  std::size_t colon = rest.find(':');
  reference.name = rest.substr(0, colon);
  if (colon != std::string_view::npos) reference.qualifier = rest.substr(colon + 1);
  bool valid = !reference.name.empty() && reference.name.size() <= kFunctionNameLengthMax &&
               std::ranges::all_of(reference.name, is_name_char);
  bool valid_qualifier =
      reference.qualifier.size() <= 128 &&
      (reference.qualifier == kLatest || std::ranges::all_of(reference.qualifier, is_name_char));
  if (!valid || !valid_qualifier)
    return invalid_parameter(
        fmt::format("`{}` is not a function's name: 1 to {} of a-z A-Z 0-9 - _, or an ARN", text,
                    kFunctionNameLengthMax));
  return reference;
}

base::Status apply_settings(const json::object& input, FunctionSettings& settings) {
  IMGPROC_CHECK(refuse_unsupported(input));
  IMGPROC_CHECK(read_string(input, "Runtime", 64, settings.runtime));
  if (!settings.runtime.starts_with("provided"))
    return not_implemented(
        fmt::format("runtime {} (only provided.al2023 and provided.al2 are)", settings.runtime));
  IMGPROC_CHECK(read_string(input, "Role", 2048, settings.role));
  IMGPROC_CHECK(read_string(input, "Handler", 128, settings.handler));
  IMGPROC_CHECK(read_string(input, "Description", 256, settings.description));
  IMGPROC_CHECK(read_string(input, "KMSKeyArn", 2048, settings.kms_key_arn));
  IMGPROC_CHECK(read_int(input, "Timeout", 1, kTimeoutSecondsMax, settings.timeout_s));
  IMGPROC_CHECK(read_int(input, "MemorySize", kMemoryMbMin, kMemoryMbMax, settings.memory_mb));
  if (const auto* storage = json_object(input, "EphemeralStorage"))
    IMGPROC_CHECK(
        read_int(*storage, "Size", kEphemeralMbMin, kEphemeralMbMax, settings.ephemeral_mb));
  if (const auto* tracing = json_object(input, "TracingConfig")) {
    IMGPROC_CHECK(read_string(*tracing, "Mode", 16, settings.tracing_mode));
    if (settings.tracing_mode != "Active" && settings.tracing_mode != "PassThrough")
      return invalid_parameter("TracingConfig.Mode must be Active or PassThrough");
  }
  if (const auto* dead_letter = json_object(input, "DeadLetterConfig"))
    IMGPROC_CHECK(read_string(*dead_letter, "TargetArn", 2048, settings.dead_letter_target));
  if (const auto* architectures = base::json_array(input, "Architectures");
      architectures != nullptr) {
    if (architectures->size() != 1 || !architectures->at(0).is_string())
      return invalid_parameter("Architectures must hold one of x86_64 and arm64");
    settings.architecture = std::string(architectures->at(0).get_string());
    if (settings.architecture != "x86_64" && settings.architecture != "arm64")
      return invalid_parameter("Architectures must hold one of x86_64 and arm64");
  }
  IMGPROC_CHECK(read_environment(input, settings));
  return read_logging(input, settings);
}

json::object to_configuration(const FunctionVersion& version, bool qualified_arn) {
  json::object out = to_settings_json(version.settings, version.log_group());
  out["FunctionName"] = version.name;
  out["FunctionArn"] =
      version.version == kLatest && qualified_arn ? version.arn() + ":$LATEST" : version.arn();
  out["CodeSize"] = version.code.bytes;
  out["CodeSha256"] = version.code.sha256;
  out["Version"] = version.version;
  out["LastModified"] = modified_text(version.modified_at);
  out["RevisionId"] = version.revision_id;
  out["State"] = "Active";
  out["LastUpdateStatus"] = "Successful";
  out["SnapStart"] = json::object{{"ApplyOn", "None"}, {"OptimizationStatus", "Off"}};
  return out;
}

std::string serialize(const FunctionVersion& version) {
  json::object out = to_settings_json(version.settings, version.settings.log_group);
  out["Name"] = version.name;
  out["Region"] = version.region;
  out["Version"] = version.version;
  out["CodeDirectory"] = version.code.directory.string();
  out["CodeSha256"] = version.code.sha256;
  out["CodeSize"] = version.code.bytes;
  out["RevisionId"] = version.revision_id;
  out["ModifiedMs"] = version.modified_at.time_since_epoch().count();
  return json::serialize(out);
}

base::Result<std::shared_ptr<FunctionVersion>> parse_version(std::string_view text) {
  IMGPROC_TRY(auto document, base::parse_json(text));
  if (!document.is_object())
    return base::permanent("STORE_ERROR", "a stored function is not an object");
  const json::object& in = document.get_object();
  auto version = std::make_shared<FunctionVersion>();
  IMGPROC_CHECK(apply_settings(in, version->settings));
  version->name = json_string(in, "Name").value_or("");
  version->region = json_string(in, "Region").value_or("");
  version->version = json_string(in, "Version").value_or(kLatest);
  version->code.directory = std::string(json_string(in, "CodeDirectory").value_or(""));
  version->code.sha256 = json_string(in, "CodeSha256").value_or("");
  version->code.bytes = static_cast<std::uint64_t>(json_int(in, "CodeSize").value_or(0));
  version->revision_id = json_string(in, "RevisionId").value_or("");
  version->modified_at =
      base::SystemTime{std::chrono::milliseconds{json_int(in, "ModifiedMs").value_or(0)}};
  return version;
}

std::string serialize_attributes(const Function& function) {
  json::object out;
  json::object tags;
  for (const auto& [key, value] : function.tags) tags[key] = value;
  out["Tags"] = std::move(tags);
  out["Policy"] = function.policy_statements;
  out["PolicyRevisionId"] = function.policy_revision_id;
  if (function.reserved_concurrency) out["ReservedConcurrency"] = *function.reserved_concurrency;
  if (const auto& config = function.event_invoke) {
    json::object event;
    if (config->retry_attempts_max) event["Retries"] = *config->retry_attempts_max;
    if (config->event_age_seconds_max) event["Age"] = *config->event_age_seconds_max;
    event["OnSuccess"] = config->on_success;
    event["OnFailure"] = config->on_failure;
    event["ModifiedMs"] = config->modified_at.time_since_epoch().count();
    out["EventInvoke"] = std::move(event);
  }
  return json::serialize(out);
}

base::Status parse_attributes(std::string_view text, Function& function) {
  IMGPROC_TRY(auto document, base::parse_json(text));
  if (!document.is_object())
    return base::permanent("STORE_ERROR", "a function's attributes are not an object");
  const json::object& in = document.get_object();
  if (const auto* tags = json_object(in, "Tags"))
    for (const auto& [key, value] : *tags)
      if (value.is_string()) function.tags[std::string(key)] = std::string(value.get_string());
  if (const auto* policy = json_object(in, "Policy")) function.policy_statements = *policy;
  function.policy_revision_id = json_string(in, "PolicyRevisionId").value_or("");
  if (auto reserved = json_int(in, "ReservedConcurrency"))
    function.reserved_concurrency = static_cast<int>(*reserved);
  if (const auto* event = json_object(in, "EventInvoke")) {
    EventInvokeConfig config;
    if (auto retries = json_int(*event, "Retries"))
      config.retry_attempts_max = static_cast<int>(*retries);
    if (auto age = json_int(*event, "Age")) config.event_age_seconds_max = static_cast<int>(*age);
    config.on_success = json_string(*event, "OnSuccess").value_or("");
    config.on_failure = json_string(*event, "OnFailure").value_or("");
    config.modified_at =
        base::SystemTime{std::chrono::milliseconds{json_int(*event, "ModifiedMs").value_or(0)}};
    function.event_invoke = std::move(config);
  }
  return {};
}

}  // namespace imgproc::localcloud::lambda
