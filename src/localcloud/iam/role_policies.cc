#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/json.h"
#include "localcloud/iam/service.h"

namespace imgproc::localcloud::iam {
namespace json = boost::json;

void IamService::register_role_policy_operations() {
  auto& operations = description_.operations;
  operations["PutRolePolicy"] = [this](const rpc::Call& call) { return put_role_policy(call); };
  operations["GetRolePolicy"] = [this](const rpc::Call& call) { return get_role_policy(call); };
  operations["ListRolePolicies"] = [this](const rpc::Call& call) {
    return list_role_policies(call);
  };
  operations["DeleteRolePolicy"] = [this](const rpc::Call& call) {
    return delete_role_policy(call);
  };
  operations["AttachRolePolicy"] = [this](const rpc::Call& call) {
    return attach_role_policy(call);
  };
  operations["DetachRolePolicy"] = [this](const rpc::Call& call) {
    return detach_role_policy(call);
  };
  operations["ListAttachedRolePolicies"] = [this](const rpc::Call& call) {
    return list_attached_role_policies(call);
  };
}

IamService::Output IamService::put_role_policy(const rpc::Call& call) {
  IMGPROC_TRY(std::string policy_name, call.require("PolicyName"));
  IMGPROC_TRY(std::string text, call.require("PolicyDocument"));
  IMGPROC_TRY(Policy parsed, parse_policy(text));
  static_cast<void>(parsed);
  IMGPROC_CHECK(change_role(call, [&](json::object& role) -> base::Status {
    role.at("inline").get_object()[policy_name] = text;
    return {};
  }));
  return json::object{};
}

IamService::Output IamService::get_role_policy(const rpc::Call& call) {
  IMGPROC_TRY(std::string name, call.require("RoleName"));
  IMGPROC_TRY(std::string policy_name, call.require("PolicyName"));
  IMGPROC_TRY(json::object role, load_role(name));
  const json::value* text = role.at("inline").get_object().if_contains(policy_name);
  if (text == nullptr)
    return no_such_entity(
        fmt::format("The role policy with name {} cannot be found.", policy_name));
  return json::object{{"RoleName", name},
                      {"PolicyName", policy_name},
                      {"PolicyDocument", base::percent_encode(text->get_string())}};
}

IamService::Output IamService::list_role_policies(const rpc::Call& call) {
  IMGPROC_TRY(std::string name, call.require("RoleName"));
  IMGPROC_TRY(json::object role, load_role(name));
  json::array names;
  for (const auto& [policy_name, text] : role.at("inline").get_object())
    names.push_back(json::string(policy_name));
  return json::object{{"PolicyNames", names}, {"IsTruncated", false}};
}

IamService::Output IamService::delete_role_policy(const rpc::Call& call) {
  IMGPROC_TRY(std::string policy_name, call.require("PolicyName"));
  IMGPROC_CHECK(change_role(call, [&](json::object& role) -> base::Status {
    if (role.at("inline").get_object().erase(policy_name) == 0)
      return no_such_entity(
          fmt::format("The role policy with name {} cannot be found.", policy_name));
    return {};
  }));
  return json::object{};
}

IamService::Output IamService::attach_role_policy(const rpc::Call& call) {
  IMGPROC_TRY(std::string arn, call.require("PolicyArn"));
  IMGPROC_TRY(std::string text, managed_policy_text(arn));
  IMGPROC_CHECK(change_role(call, [&](json::object& role) -> base::Status {
    json::array& attached = role.at("attached").get_array();
    if (std::ranges::find(attached, json::value(arn)) == attached.end())
      attached.push_back(json::string(arn));
    return {};
  }));
  return json::object{};
}

IamService::Output IamService::detach_role_policy(const rpc::Call& call) {
  IMGPROC_TRY(std::string arn, call.require("PolicyArn"));
  IMGPROC_CHECK(change_role(call, [&](json::object& role) -> base::Status {
    json::array& attached = role.at("attached").get_array();
    auto found = std::ranges::find(attached, json::value(arn));
    if (found == attached.end())
      return no_such_entity(fmt::format("Policy {} was not found.", arn));
    attached.erase(found);
    return {};
  }));
  return json::object{};
}

IamService::Output IamService::list_attached_role_policies(const rpc::Call& call) {
  IMGPROC_TRY(std::string name, call.require("RoleName"));
  IMGPROC_TRY(json::object role, load_role(name));
  json::array shown;
  for (const json::value& value : role.at("attached").get_array()) {
    std::string arn(value.get_string());
    shown.push_back(
        json::object{{"PolicyName", arn.substr(arn.rfind('/') + 1)}, {"PolicyArn", arn}});
  }
  return json::object{{"AttachedPolicies", shown}, {"IsTruncated", false}};
}

}  // namespace imgproc::localcloud::iam
