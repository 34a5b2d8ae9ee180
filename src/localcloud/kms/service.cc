#include "localcloud/kms/service.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/random.h"
#include "localcloud/managed_key.h"

namespace imgproc::localcloud::kms {
namespace json = boost::json;
namespace {

std::unexpected<base::Error> not_found(std::string_view what) {
  return base::permanent("NotFoundException", fmt::format("Key or alias {} does not exist.", what));
}

std::string key_arn(std::string_view region, std::string_view id) {
  return fmt::format("arn:aws:kms:{}:{}:key/{}", region, kAccountId, id);
}

std::string alias_arn(std::string_view region, std::string_view alias) {
  return fmt::format("arn:aws:kms:{}:{}:{}", region, kAccountId, alias);
}

std::string default_policy() {
  return fmt::format(
      R"({{"Version":"2012-10-17","Id":"key-default-1","Statement":[{{"Sid":"Enable IAM User Permissions","Effect":"Allow",)"
      R"("Principal":{{"AWS":"arn:aws:iam::{}:root"}},"Action":"kms:*","Resource":"*"}}]}})",
      kAccountId);
}

}  // namespace

base::Result<std::unique_ptr<KmsService>> KmsService::create(Context& context) {
  IMGPROC_TRY(Documents documents, Documents::open(context.database, "kms"));
  return std::unique_ptr<KmsService>(new KmsService(context, std::move(documents)));
}

KmsService::KmsService(Context& context, Documents documents)
    : context_(context), documents_(std::move(documents)) {
  description_.target_prefix = "TrentService";
  description_.json_version = "1.1";
  register_operations();
}

void KmsService::register_operations() {
  auto& operations = description_.operations;
  operations["CreateKey"] = [this](const rpc::Call& call) { return create_key(call); };
  operations["DescribeKey"] = [this](const rpc::Call& call) { return describe_key(call); };
  operations["ScheduleKeyDeletion"] = [this](const rpc::Call& call) {
    return schedule_key_deletion(call);
  };
  operations["GetKeyPolicy"] = [this](const rpc::Call& call) { return get_key_policy(call); };
  operations["PutKeyPolicy"] = [this](const rpc::Call& call) { return put_key_policy(call); };
  operations["GetKeyRotationStatus"] = [this](const rpc::Call& call) {
    return get_key_rotation_status(call);
  };
  operations["EnableKeyRotation"] = [this](const rpc::Call& call) {
    return set_rotation(call, true);
  };
  operations["DisableKeyRotation"] = [this](const rpc::Call& call) {
    return set_rotation(call, false);
  };
  operations["ListResourceTags"] = [this](const rpc::Call& call) {
    return list_resource_tags(call);
  };
  operations["TagResource"] = [this](const rpc::Call& call) { return tag_resource(call); };
  operations["UntagResource"] = [this](const rpc::Call& call) { return untag_resource(call); };
  operations["CreateAlias"] = [this](const rpc::Call& call) { return create_alias(call); };
  operations["DeleteAlias"] = [this](const rpc::Call& call) { return delete_alias(call); };
  operations["ListAliases"] = [this](const rpc::Call& call) { return list_aliases(call); };
}

http::Response KmsService::handle(const Caller& caller, http::Request request) {
  return rpc::dispatch(description_, caller, std::move(request));
}

base::Result<json::object> KmsService::make_key(const rpc::Call& call, const std::string& id,
                                                bool aws_managed) {
  json::object metadata{{"AWSAccountId", kAccountId},
                        {"KeyId", id},
                        {"Arn", key_arn(call.caller.region, id)},
                        {"CreationDate", call.to_time(context_.clock.now())},
                        {"Enabled", true},
                        {"Description", call.text("Description")},
                        {"KeyUsage", "ENCRYPT_DECRYPT"},
                        {"KeyState", "Enabled"},
                        {"Origin", "AWS_KMS"},
                        {"KeyManager", aws_managed ? "AWS" : "CUSTOMER"},
                        {"CustomerMasterKeySpec", "SYMMETRIC_DEFAULT"},
                        {"KeySpec", "SYMMETRIC_DEFAULT"},
                        {"EncryptionAlgorithms", json::array{"SYMMETRIC_DEFAULT"}},
                        {"MultiRegion", false}};
  json::object tags;
  for (const json::value& tag : call.list("Tags"))
    if (const auto* object = tag.if_object())
      if (auto key = base::json_string(*object, "TagKey"))
        tags[*key] = base::json_string(*object, "TagValue").value_or("");
  json::object document{{"metadata", metadata},
                        {"policy", call.text("Policy", default_policy())},
                        {"rotation", false},
                        {"tags", tags}};
  IMGPROC_CHECK(documents_.put("key", id, document));
  return document;
}

base::Result<KmsService::Key> KmsService::find_key(const rpc::Call& call, std::string_view member) {
  IMGPROC_TRY(std::string name, call.require(member));
  if (auto at = name.find(":alias/"); at != std::string::npos) name = name.substr(at + 1);
  if (auto at = name.find(":key/"); at != std::string::npos) name = name.substr(at + 5);
  if (name.starts_with("alias/aws/")) {
    std::string id = managed_key_id(call.caller.region, std::string_view(name).substr(10));
    IMGPROC_TRY(auto document, documents_.get("key", id));
    if (document) return Key{id, std::move(*document)};
    rpc::Call bare{call.caller, call.host, {}, call.is_json};
    IMGPROC_TRY(json::object made, make_key(bare, id, true));
    return Key{id, std::move(made)};
  }
  if (name.starts_with("alias/")) {
    IMGPROC_TRY(auto alias, documents_.get("alias", name));
    if (!alias) return not_found(name);
    name = alias->at("target").get_string();
  }
  IMGPROC_TRY(auto document, documents_.get("key", name));
  if (!document) return not_found(name);
  return Key{name, std::move(*document)};
}

KmsService::Output KmsService::create_key(const rpc::Call& call) {
  std::string spec = call.text("KeySpec", call.text("CustomerMasterKeySpec", "SYMMETRIC_DEFAULT"));
  if (spec != "SYMMETRIC_DEFAULT")
    return base::permanent("UnsupportedOperationException",
                           fmt::format("KeySpec {} is not supported here.", spec));
  IMGPROC_TRY(json::object document, make_key(call, base::random_uuid(), false));
  return json::object{{"KeyMetadata", document.at("metadata")}};
}

KmsService::Output KmsService::describe_key(const rpc::Call& call) {
  IMGPROC_TRY(Key key, find_key(call));
  return json::object{{"KeyMetadata", key.document.at("metadata")}};
}

KmsService::Output KmsService::schedule_key_deletion(const rpc::Call& call) {
  IMGPROC_TRY(Key key, find_key(call));
  int days = static_cast<int>(call.number("PendingWindowInDays").value_or(30));
  if (days < 7 || days > 30)
    return base::permanent("ValidationException", "PendingWindowInDays must be from 7 to 30.");
  json::object& metadata = key.document.at("metadata").get_object();
  json::value when = call.to_time(context_.clock.now() + std::chrono::days{days});
  metadata["KeyState"] = "PendingDeletion";
  metadata["Enabled"] = false;
  metadata["DeletionDate"] = when;
  IMGPROC_CHECK(documents_.put("key", key.id, key.document));
  return json::object{{"KeyId", metadata.at("Arn")},
                      {"DeletionDate", when},
                      {"KeyState", "PendingDeletion"},
                      {"PendingWindowInDays", days}};
}

KmsService::Output KmsService::get_key_policy(const rpc::Call& call) {
  IMGPROC_TRY(Key key, find_key(call));
  return json::object{{"Policy", key.document.at("policy")}, {"PolicyName", "default"}};
}

KmsService::Output KmsService::put_key_policy(const rpc::Call& call) {
  IMGPROC_TRY(Key key, find_key(call));
  IMGPROC_TRY(std::string policy, call.require("Policy"));
  if (auto parsed = base::parse_json(policy); !parsed || !parsed->is_object())
    return base::permanent("MalformedPolicyDocumentException", "The policy is no JSON object.");
  key.document["policy"] = policy;
  IMGPROC_CHECK(documents_.put("key", key.id, key.document));
  return json::object{};
}

KmsService::Output KmsService::get_key_rotation_status(const rpc::Call& call) {
  IMGPROC_TRY(Key key, find_key(call));
  json::object output{{"KeyId", key.document.at("metadata").at("Arn")},
                      {"KeyRotationEnabled", key.document.at("rotation")}};
  if (key.document.at("rotation").get_bool())
    output["RotationPeriodInDays"] = key.document.at("rotation_days");
  return output;
}

KmsService::Output KmsService::set_rotation(const rpc::Call& call, bool enabled) {
  IMGPROC_TRY(Key key, find_key(call));
  key.document["rotation"] = enabled;
  key.document["rotation_days"] =
      static_cast<std::int64_t>(call.number("RotationPeriodInDays").value_or(365));
  IMGPROC_CHECK(documents_.put("key", key.id, key.document));
  return json::object{};
}

KmsService::Output KmsService::list_resource_tags(const rpc::Call& call) {
  IMGPROC_TRY(Key key, find_key(call));
  json::array tags;
  for (const auto& [name, value] : key.document.at("tags").get_object())
    tags.push_back(json::object{{"TagKey", name}, {"TagValue", value}});
  return json::object{{"Tags", tags}, {"Truncated", false}};
}

KmsService::Output KmsService::tag_resource(const rpc::Call& call) {
  IMGPROC_TRY(Key key, find_key(call));
  for (const json::value& tag : call.list("Tags"))
    if (const auto* object = tag.if_object())
      if (auto name = base::json_string(*object, "TagKey"))
        key.document.at("tags").get_object()[*name] =
            base::json_string(*object, "TagValue").value_or("");
  IMGPROC_CHECK(documents_.put("key", key.id, key.document));
  return json::object{};
}

KmsService::Output KmsService::untag_resource(const rpc::Call& call) {
  IMGPROC_TRY(Key key, find_key(call));
  for (const json::value& name : call.list("TagKeys"))
    if (name.is_string()) key.document.at("tags").get_object().erase(name.get_string());
  IMGPROC_CHECK(documents_.put("key", key.id, key.document));
  return json::object{};
}

KmsService::Output KmsService::create_alias(const rpc::Call& call) {
  IMGPROC_TRY(std::string alias, call.require("AliasName"));
  if (!alias.starts_with("alias/") || alias.starts_with("alias/aws/"))
    return base::permanent("InvalidAliasNameException",
                           "An alias begins with alias/ and not with alias/aws/.");
  IMGPROC_TRY(Key key, find_key(call, "TargetKeyId"));
  IMGPROC_CHECK(
      documents_.update("alias", alias, [&](std::optional<json::object>& existing) -> base::Status {
        if (existing)
          return base::permanent("AlreadyExistsException",
                                 fmt::format("An alias with the name {} already exists", alias));
        existing =
            json::object{{"target", key.id}, {"created", call.to_time(context_.clock.now())}};
        return {};
      }));
  return json::object{};
}

KmsService::Output KmsService::delete_alias(const rpc::Call& call) {
  IMGPROC_TRY(std::string alias, call.require("AliasName"));
  IMGPROC_TRY(bool removed, documents_.remove("alias", alias));
  if (!removed) return not_found(alias);
  return json::object{};
}

KmsService::Output KmsService::list_aliases(const rpc::Call& call) {
  std::string wanted;
  if (call.input.contains("KeyId")) {
    IMGPROC_TRY(Key key, find_key(call));
    wanted = key.id;
  }
  IMGPROC_TRY(auto aliases, documents_.list("alias"));
  json::array shown;
  for (const auto& [alias, document] : aliases) {
    std::string target(document.at("target").get_string());
    if (!wanted.empty() && target != wanted) continue;
    shown.push_back(json::object{{"AliasName", alias},
                                 {"AliasArn", alias_arn(call.caller.region, alias)},
                                 {"TargetKeyId", target},
                                 {"CreationDate", document.at("created")},
                                 {"LastUpdatedDate", document.at("created")}});
  }
  return json::object{{"Aliases", shown}, {"Truncated", false}};
}

}  // namespace imgproc::localcloud::kms
