#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/json.h"
#include "base/random.h"
#include "base/time.h"
#include "localcloud/iam/service.h"

namespace imgproc::localcloud::iam {
namespace json = boost::json;
namespace {

/// The policies of AWS's own that a Lambda role is usually given.
/// Source: "AWS managed policies for AWS Lambda", AWS documentation.
struct AwsManaged {
  std::string_view name;
  std::string_view actions;
};
constexpr std::string_view kLogs =
    R"("logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents")";
constexpr AwsManaged kAwsManaged[] = {
    {"AWSLambdaBasicExecutionRole", kLogs},
    {"AWSLambdaSQSQueueExecutionRole",
     R"("sqs:ReceiveMessage","sqs:DeleteMessage","sqs:GetQueueAttributes","logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents")"},
};
constexpr std::string_view kAwsManagedPrefix = "arn:aws:iam::aws:policy/service-role/";

json::object describe(const json::object& document) {
  json::object shown = document.at("policy").get_object();
  shown["DefaultVersionId"] = document.at("default");
  shown["AttachmentCount"] = 0;
  shown["IsAttachable"] = true;
  json::object tags = document.at("tags").get_object();
  if (!tags.empty()) shown["Tags"] = rpc::map_to_tags(tags);
  return shown;
}

}  // namespace

void IamService::register_managed_policy_operations() {
  auto& operations = description_.operations;
  operations["CreatePolicy"] = [this](const rpc::Call& call) { return create_policy(call); };
  operations["GetPolicy"] = [this](const rpc::Call& call) { return get_policy(call); };
  operations["GetPolicyVersion"] = [this](const rpc::Call& call) {
    return get_policy_version(call);
  };
  operations["ListPolicyVersions"] = [this](const rpc::Call& call) {
    return list_policy_versions(call);
  };
  operations["CreatePolicyVersion"] = [this](const rpc::Call& call) {
    return create_policy_version(call);
  };
  operations["DeletePolicyVersion"] = [this](const rpc::Call& call) {
    return delete_policy_version(call);
  };
  operations["DeletePolicy"] = [this](const rpc::Call& call) { return delete_policy(call); };
  operations["ListPolicies"] = [this](const rpc::Call& call) { return list_policies(call); };
  operations["TagPolicy"] = [this](const rpc::Call& call) { return tag_policy(call); };
}

base::Result<std::string> IamService::managed_policy_text(std::string_view arn) const {
  if (arn.starts_with(kAwsManagedPrefix)) {
    for (const AwsManaged& known : kAwsManaged)
      if (arn.substr(kAwsManagedPrefix.size()) == known.name)
        return fmt::format(
            R"({{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":[{}],"Resource":"*"}}]}})",
            known.actions);
  }
  IMGPROC_TRY(auto document, documents_.get("policy", arn));
  if (!document)
    return no_such_entity(fmt::format("Policy {} does not exist or is not attachable.", arn));
  std::string version(document->at("default").get_string());
  return std::string(document->at("versions").at(version).at("text").get_string());
}

IamService::Output IamService::create_policy(const rpc::Call& call) {
  IMGPROC_TRY(std::string name, call.require("PolicyName"));
  IMGPROC_TRY(std::string text, call.require("PolicyDocument"));
  IMGPROC_TRY(Policy parsed, parse_policy(text));
  static_cast<void>(parsed);
  std::string path = call.text("Path", "/");
  std::string arn = fmt::format("arn:aws:iam::{}:policy{}{}", kAccountId, path, name);
  std::string now = base::to_iso8601(context_.clock.now());
  json::object policy{{"PolicyName", name}, {"PolicyId", "ANPA" + base::random_hex(8)},
                      {"Arn", arn},         {"Path", path},
                      {"CreateDate", now},  {"UpdateDate", now}};
  if (std::string description = call.text("Description"); !description.empty())
    policy["Description"] = description;
  json::object document{{"policy", policy},
                        {"default", "v1"},
                        {"versions", {{"v1", {{"text", text}, {"created", now}}}}},
                        {"tags", rpc::tags_to_map(call.list("Tags"))}};
  IMGPROC_CHECK(
      documents_.update("policy", arn, [&](std::optional<json::object>& existing) -> base::Status {
        if (existing)
          return std::unexpected(
              base::Error{.code = "EntityAlreadyExists",
                          .message = fmt::format("A policy called {} already exists.", name),
                          .http_status = 409});
        existing = document;
        return {};
      }));
  return json::object{{"Policy", describe(document)}};
}

IamService::Output IamService::get_policy(const rpc::Call& call) {
  IMGPROC_TRY(std::string arn, call.require("PolicyArn"));
  IMGPROC_TRY(auto document, documents_.get("policy", arn));
  if (document) return json::object{{"Policy", describe(*document)}};
  IMGPROC_TRY(std::string text, managed_policy_text(arn));
  return json::object{{"Policy", json::object{{"PolicyName", arn.substr(arn.rfind('/') + 1)},
                                              {"Arn", arn},
                                              {"Path", "/service-role/"},
                                              {"DefaultVersionId", "v1"},
                                              {"IsAttachable", true}}}};
}

IamService::Output IamService::get_policy_version(const rpc::Call& call) {
  IMGPROC_TRY(std::string arn, call.require("PolicyArn"));
  IMGPROC_TRY(std::string version, call.require("VersionId"));
  IMGPROC_TRY(auto document, documents_.get("policy", arn));
  json::object shown{{"VersionId", version}};
  if (document) {
    const json::value* found = document->at("versions").get_object().if_contains(version);
    if (found == nullptr)
      return no_such_entity(fmt::format("Policy {} version {} does not exist.", arn, version));
    shown["Document"] = base::percent_encode(found->at("text").get_string());
    shown["IsDefaultVersion"] = document->at("default") == json::value(version);
    shown["CreateDate"] = found->at("created");
  } else {
    IMGPROC_TRY(std::string text, managed_policy_text(arn));
    shown["Document"] = base::percent_encode(text);
    shown["IsDefaultVersion"] = true;
  }
  return json::object{{"PolicyVersion", shown}};
}

IamService::Output IamService::list_policy_versions(const rpc::Call& call) {
  IMGPROC_TRY(std::string arn, call.require("PolicyArn"));
  IMGPROC_TRY(auto document, documents_.get("policy", arn));
  if (!document) return no_such_entity(fmt::format("Policy {} was not found.", arn));
  json::array shown;
  for (const auto& [version, value] : document->at("versions").get_object())
    shown.push_back(
        json::object{{"VersionId", version},
                     {"IsDefaultVersion", document->at("default") == json::value(version)},
                     {"CreateDate", value.at("created")}});
  return json::object{{"Versions", shown}, {"IsTruncated", false}};
}

IamService::Output IamService::create_policy_version(const rpc::Call& call) {
  constexpr std::size_t kVersionsMax = 5;
  IMGPROC_TRY(std::string arn, call.require("PolicyArn"));
  IMGPROC_TRY(std::string text, call.require("PolicyDocument"));
  IMGPROC_TRY(Policy parsed, parse_policy(text));
  static_cast<void>(parsed);
  std::string version;
  std::string now = base::to_iso8601(context_.clock.now());
  bool becomes_default = call.flag("SetAsDefault");
  IMGPROC_CHECK(
      documents_.update("policy", arn, [&](std::optional<json::object>& document) -> base::Status {
        if (!document) return no_such_entity(fmt::format("Policy {} was not found.", arn));
        json::object& versions = document->at("versions").get_object();
        if (versions.size() >= kVersionsMax)
          return std::unexpected(
              base::Error{.code = "LimitExceeded",
                          .message = "A managed policy can have up to 5 versions.",
                          .hint = "delete an old version first",
                          .http_status = 409});
        unsigned long long newest = 0;
        for (const auto& [name, value] : versions)
          newest =
              std::max(newest, base::parse_unsigned(std::string_view(name).substr(1)).value_or(0));
        version = fmt::format("v{}", newest + 1);
        versions[version] = json::object{{"text", text}, {"created", now}};
        if (becomes_default) document->at("default") = version;
        return {};
      }));
  return json::object{{"PolicyVersion", json::object{{"VersionId", version},
                                                     {"IsDefaultVersion", becomes_default},
                                                     {"CreateDate", now}}}};
}

IamService::Output IamService::delete_policy_version(const rpc::Call& call) {
  IMGPROC_TRY(std::string arn, call.require("PolicyArn"));
  IMGPROC_TRY(std::string version, call.require("VersionId"));
  IMGPROC_CHECK(
      documents_.update("policy", arn, [&](std::optional<json::object>& document) -> base::Status {
        if (!document || !document->at("versions").get_object().contains(version))
          return no_such_entity(fmt::format("Policy {} version {} does not exist.", arn, version));
        if (document->at("default") == json::value(version))
          return std::unexpected(
              base::Error{.code = "DeleteConflict",
                          .message = "Cannot delete the default version of a policy.",
                          .http_status = 409});
        document->at("versions").get_object().erase(version);
        return {};
      }));
  return json::object{};
}

IamService::Output IamService::delete_policy(const rpc::Call& call) {
  IMGPROC_TRY(std::string arn, call.require("PolicyArn"));
  IMGPROC_TRY(auto roles, documents_.list("role"));
  for (const auto& [name, role] : roles) {
    const json::array& attached = role.at("attached").get_array();
    if (std::ranges::find(attached, json::value(arn)) != attached.end())
      return std::unexpected(
          base::Error{.code = "DeleteConflict",
                      .message = fmt::format("Cannot delete a policy attached to role {}.", name),
                      .http_status = 409});
  }
  IMGPROC_TRY(bool removed, documents_.remove("policy", arn));
  if (!removed) return no_such_entity(fmt::format("Policy {} was not found.", arn));
  return json::object{};
}

IamService::Output IamService::list_policies(const rpc::Call&) {
  IMGPROC_TRY(auto policies, documents_.list("policy"));
  json::array shown;
  for (const auto& [arn, document] : policies) shown.push_back(describe(document));
  return json::object{{"Policies", shown}, {"IsTruncated", false}};
}

IamService::Output IamService::tag_policy(const rpc::Call& call) {
  IMGPROC_TRY(std::string arn, call.require("PolicyArn"));
  IMGPROC_CHECK(
      documents_.update("policy", arn, [&](std::optional<json::object>& document) -> base::Status {
        if (!document) return no_such_entity(fmt::format("Policy {} was not found.", arn));
        for (const auto& [key, value] : rpc::tags_to_map(call.list("Tags")))
          document->at("tags").get_object()[key] = value;
        return {};
      }));
  return json::object{};
}

}  // namespace imgproc::localcloud::iam
