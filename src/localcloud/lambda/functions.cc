// Functions and their versions: create, read, change, publish, delete.

#include <fmt/format.h>

#include "base/bytes.h"
#include "localcloud/lambda/architecture.h"
#include "localcloud/lambda/code_store.h"
#include "localcloud/lambda/service.h"

namespace imgproc::localcloud::lambda {

namespace json = base::json;

namespace {

constexpr std::size_t kListDefault = 50;
constexpr std::size_t kListMax = 10'000;
constexpr std::size_t kTagsMax = 50;

base::Result<std::map<std::string, std::string>> read_tags(const json::object& input) {
  std::map<std::string, std::string> tags;
  if (const auto* given = base::json_object(input, "Tags"))
    for (const auto& [key, value] : *given) {
      if (!value.is_string()) return invalid_parameter("Tags must be text");
      tags[std::string(key)] = std::string(value.get_string());
    }
  if (tags.size() > kTagsMax) return invalid_parameter(fmt::format("more than {} tags", kTagsMax));
  return tags;
}

/// Which slice of `count` items a list answer holds: Marker is the index of its first.
struct Slice {
  std::size_t from = 0;
  std::size_t to = 0;
};
base::Result<Slice> slice(const http::QueryParams& query, std::size_t count) {
  Slice out;
  if (auto marker = query.get("Marker"); marker && !marker->empty()) {
    auto from = base::parse_unsigned(*marker);
    if (!from || *from > count) return invalid_parameter("Marker is not one that an answer gave");
    out.from = *from;
  }
  std::size_t items_max = kListDefault;
  if (auto given = query.get("MaxItems")) {
    auto number = base::parse_unsigned(*given);
    if (!number || *number < 1 || *number > kListMax)
      return invalid_parameter(fmt::format("MaxItems must be from 1 to {}", kListMax));
    items_max = *number;
  }
  out.to = std::min(count, out.from + items_max);
  return out;
}

}  // namespace

base::Status LambdaService::check_architecture(const FunctionSettings& settings) const {
  if (options_.can_run(settings.architecture)) return {};
  return invalid_parameter(fmt::format(
      "This machine cannot run functions for {0}: install qemu-user-static, which registers itself "
      "with the kernel (binfmt_misc), or set the function's architecture to {1}.",
      settings.architecture, machine_architecture()));
}

base::Result<FunctionCode> LambdaService::read_code(const json::object& code) {
  if (auto zip = base::json_string(code, "ZipFile")) {
    auto bytes = base::from_base64(*zip);
    if (!bytes) return invalid_parameter("ZipFile is not base64");
    return code_->unpack(*bytes);
  }
  auto bucket = base::json_string(code, "S3Bucket");
  auto key = base::json_string(code, "S3Key");
  if (!bucket || !key) return invalid_parameter("Please provide a source for function code.");
  if (*bucket == kLocalDirectoryBucket) return use_local_directory(std::filesystem::path(*key));
  if (objects_ == nullptr)
    return lambda_error("NotImplemented", "code from S3 is not supported here", 501);
  http::Request request{
      "GET",
      fmt::format("/{}/{}", base::percent_encode(*bucket), base::percent_encode(*key, true)),
      {},
      {}};
  if (auto object_version = base::json_string(code, "S3ObjectVersion"))
    request.target += "?versionId=" + base::percent_encode(*object_version);
  IMGPROC_TRY(auto response, objects_->send(std::move(request)));
  if (response.status != 200)
    return invalid_parameter(
        fmt::format("Error occurred while GetObject. S3 answered {} for s3://{}/{}",
                    response.status, *bucket, *key));
  auto bytes = http::read_all(response.body, kPackageBytesMax);
  if (!bytes)
    return invalid_parameter("The package in S3 cannot be read: " + bytes.error().message);
  return code_->unpack(*bytes);
}

LambdaService::Answer LambdaService::create_function(Call& call) {
  IMGPROC_TRY(auto reference,
              FunctionReference::parse(base::json_string(call.input, "FunctionName").value_or("")));
  if (!reference.qualifier.empty())
    return invalid_parameter("FunctionName must not have a version");
  if (registry_->find(reference.name))
    return lambda_error("ResourceConflictException",
                        fmt::format("Function already exist: {}", reference.name), 409);
  FunctionVersion version;
  version.name = reference.name;
  version.region = call.caller.region.empty() ? context_.region : call.caller.region;
  IMGPROC_CHECK(apply_settings(call.input, version.settings));
  IMGPROC_CHECK(check_architecture(version.settings));
  if (!version.settings.role.starts_with("arn:aws:iam::"))
    return invalid_parameter("Role must be the ARN of a role: arn:aws:iam::ACCOUNT:role/NAME");
  if (options_.has_role && !options_.has_role(version.settings.role))
    return invalid_parameter("The role defined for the function cannot be assumed by Lambda.");
  IMGPROC_CHECK(check_settings(version));
  IMGPROC_TRY(auto tags, read_tags(call.input));
  const auto* code = base::json_object(call.input, "Code");
  if (code == nullptr) return invalid_parameter("Code is missing");
  IMGPROC_TRY(version.code, read_code(*code));
  IMGPROC_TRY(auto created, registry_->create(std::move(version), std::move(tags)));
  if (base::json_bool(call.input, "Publish").value_or(false)) {
    IMGPROC_TRY(auto published, registry_->publish(reference.name, ""));
    return json_response(201, to_configuration(*published));
  }
  return json_response(201, to_configuration(*created->latest));
}

LambdaService::Answer LambdaService::get_function(Call& call) {
  IMGPROC_TRY(auto function, registry_->get(call.function.name));
  IMGPROC_TRY(auto version, registry_->resolve(call.function));
  json::object answer{
      {"Configuration", to_configuration(*version)},
      {"Code", json::object{{"RepositoryType", "S3"},
                            {"Location", "file://" + version->code.directory.string()}}}};
  if (!function->tags.empty()) {
    json::object tags;
    for (const auto& [key, value] : function->tags) tags[key] = value;
    answer["Tags"] = std::move(tags);
  }
  if (function->reserved_concurrency)
    answer["Concurrency"] =
        json::object{{"ReservedConcurrentExecutions", *function->reserved_concurrency}};
  return json_response(200, answer);
}

LambdaService::Answer LambdaService::get_function_configuration(Call& call) {
  IMGPROC_TRY(auto version, registry_->resolve(call.function));
  return json_response(200, to_configuration(*version));
}

LambdaService::Answer LambdaService::list_functions(Call& call) {
  auto functions = registry_->all();
  IMGPROC_TRY(auto part, slice(call.query, functions.size()));
  json::array list;
  for (std::size_t i = part.from; i < part.to; ++i)
    list.push_back(to_configuration(*functions[i]->latest));
  json::object answer{{"Functions", std::move(list)}};
  if (part.to < functions.size()) answer["NextMarker"] = std::to_string(part.to);
  return json_response(200, answer);
}

LambdaService::Answer LambdaService::delete_function(Call& call) {
  if (!call.function.qualifier.empty() && call.function.qualifier != kLatest)
    return lambda_error("NotImplemented",
                        "deleting one version is not supported by the local cloud", 501);
  IMGPROC_CHECK(registry_->remove(call.function.name, [&](Connection& connection) {
    return queue_->bury_all(connection, call.function.name, "FunctionNotFound",
                            {"ResourceNotFoundException", "the function was deleted", ""});
  }));
  pool_->retire(call.function.name);
  code_->remove_unused();
  return empty_response(204);
}

LambdaService::Answer LambdaService::update_function_code(Call& call) {
  IMGPROC_TRY([[maybe_unused]] auto function, registry_->get(call.function.name));
  // Code stands at the top level here, not in "Code".
  IMGPROC_TRY(auto code, read_code(call.input));
  auto revision = base::json_string(call.input, "RevisionId");
  if (base::json_bool(call.input, "DryRun").value_or(false))
    return json_response(200, to_configuration(*function->latest));
  function.reset();  // it holds the code of before
  IMGPROC_TRY(
      auto updated,
      registry_->update_latest(call.function.name, [&](FunctionVersion& version) -> base::Status {
        if (revision && *revision != version.revision_id)
          return lambda_error("PreconditionFailedException",
                              "The RevisionId provided does not match the latest one", 412);
        version.code = code;
        if (call.input.contains("Architectures")) {
          json::object architectures{{"Architectures", call.input.at("Architectures")}};
          IMGPROC_CHECK(apply_settings(architectures, version.settings));
        }
        return check_architecture(version.settings);
      }));
  pool_->retire(call.function.name);
  code_->remove_unused();
  dispatcher_->wake();
  if (base::json_bool(call.input, "Publish").value_or(false)) {
    IMGPROC_TRY(auto published, registry_->publish(call.function.name, ""));
    return json_response(200, to_configuration(*published));
  }
  return json_response(200, to_configuration(*updated->latest));
}

LambdaService::Answer LambdaService::update_function_configuration(Call& call) {
  auto revision = base::json_string(call.input, "RevisionId");
  IMGPROC_TRY(
      auto updated,
      registry_->update_latest(call.function.name, [&](FunctionVersion& version) -> base::Status {
        if (revision && *revision != version.revision_id)
          return lambda_error("PreconditionFailedException",
                              "The RevisionId provided does not match the latest one", 412);
        IMGPROC_CHECK(apply_settings(call.input, version.settings));
        return check_settings(version);
      }));
  pool_->retire(call.function.name);
  dispatcher_->wake();
  return json_response(200, to_configuration(*updated->latest));
}

LambdaService::Answer LambdaService::publish_version(Call& call) {
  IMGPROC_TRY(auto function, registry_->get(call.function.name));
  if (auto sha = base::json_string(call.input, "CodeSha256");
      sha && !sha->empty() && *sha != function->latest->code.sha256)
    return invalid_parameter(
        fmt::format("CodeSHA256 ({}) is different from current CodeSHA256 in $LATEST ({}). Please "
                    "try again with the CodeSHA256 in $LATEST.",
                    *sha, function->latest->code.sha256));
  IMGPROC_TRY(auto version,
              registry_->publish(call.function.name,
                                 base::json_string(call.input, "Description").value_or("")));
  return json_response(201, to_configuration(*version));
}

LambdaService::Answer LambdaService::list_versions(Call& call) {
  IMGPROC_TRY(auto function, registry_->get(call.function.name));
  auto versions = registry_->versions(call.function.name);
  versions.insert(versions.begin(), function->latest);
  IMGPROC_TRY(auto part, slice(call.query, versions.size()));
  json::array list;
  for (std::size_t i = part.from; i < part.to; ++i)
    list.push_back(to_configuration(*versions[i], true));
  json::object answer{{"Versions", std::move(list)}};
  if (part.to < versions.size()) answer["NextMarker"] = std::to_string(part.to);
  return json_response(200, answer);
}

}  // namespace imgproc::localcloud::lambda
