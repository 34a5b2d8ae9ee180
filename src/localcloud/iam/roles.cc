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

constexpr std::size_t kRoleNameBytesMax = 64;

base::Status check_name(std::string_view name) {
  bool good = name.size() <= kRoleNameBytesMax && std::ranges::all_of(name, [](char c) {
                return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       std::string_view("+=,.@-_").find(c) != std::string_view::npos;
              });
  if (good) return {};
  return base::permanent(
      "ValidationError",
      "The specified value for roleName is invalid. It must contain only alphanumeric characters "
      "and/or the following: +=,.@_- and at most 64 of them");
}

/// A role as answers show it: the trust policy URL-encoded, our own members left out.
json::object describe(const json::object& role) {
  json::object shown = role.at("role").get_object();
  shown["AssumeRolePolicyDocument"] =
      base::percent_encode(shown.at("AssumeRolePolicyDocument").get_string());
  json::object tags = role.at("tags").get_object();
  if (!tags.empty()) shown["Tags"] = rpc::map_to_tags(tags);
  shown["RoleLastUsed"] = json::object{};
  return shown;
}

std::string random_id(std::string_view prefix) {
  std::string id = std::string(prefix) + base::random_hex(9);
  std::ranges::transform(
      id, id.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return id.substr(0, 21);
}

}  // namespace

void IamService::register_role_operations() {
  auto& operations = description_.operations;
  operations["CreateRole"] = [this](const rpc::Call& call) { return create_role(call); };
  operations["GetRole"] = [this](const rpc::Call& call) { return get_role(call); };
  operations["ListRoles"] = [this](const rpc::Call& call) { return list_roles(call); };
  operations["DeleteRole"] = [this](const rpc::Call& call) { return delete_role(call); };
  operations["UpdateRole"] = [this](const rpc::Call& call) { return update_role(call); };
  operations["UpdateAssumeRolePolicy"] = [this](const rpc::Call& call) {
    return update_assume_role_policy(call);
  };
  operations["TagRole"] = [this](const rpc::Call& call) { return tag_role(call); };
  operations["UntagRole"] = [this](const rpc::Call& call) { return untag_role(call); };
  operations["ListRoleTags"] = [this](const rpc::Call& call) { return list_role_tags(call); };
  operations["ListInstanceProfilesForRole"] = [this](const rpc::Call& call) {
    return list_instance_profiles_for_role(call);
  };
}

base::Status IamService::change_role(const rpc::Call& call,
                                     const std::function<base::Status(json::object&)>& change) {
  IMGPROC_TRY(std::string name, call.require("RoleName"));
  return documents_.update("role", name, [&](std::optional<json::object>& role) -> base::Status {
    if (!role) return no_such_entity(fmt::format("The role with name {} cannot be found.", name));
    return change(*role);
  });
}

IamService::Output IamService::create_role(const rpc::Call& call) {
  IMGPROC_TRY(std::string name, call.require("RoleName"));
  IMGPROC_CHECK(check_name(name));
  IMGPROC_TRY(std::string trust, call.require("AssumeRolePolicyDocument"));
  IMGPROC_TRY(Policy parsed, parse_policy(trust, false));
  static_cast<void>(parsed);
  std::string path = call.text("Path", "/");
  json::object role{{"Path", path},
                    {"RoleName", name},
                    {"RoleId", random_id("AROA")},
                    {"Arn", fmt::format("arn:aws:iam::{}:role{}{}", kAccountId, path, name)},
                    {"CreateDate", base::to_iso8601(context_.clock.now())},
                    {"AssumeRolePolicyDocument", trust},
                    {"MaxSessionDuration",
                     static_cast<std::int64_t>(call.number("MaxSessionDuration").value_or(3600))}};
  if (std::string description = call.text("Description"); !description.empty())
    role["Description"] = description;
  json::object document{{"role", role},
                        {"tags", rpc::tags_to_map(call.list("Tags"))},
                        {"inline", json::object{}},
                        {"attached", json::array{}}};
  IMGPROC_CHECK(
      documents_.update("role", name, [&](std::optional<json::object>& existing) -> base::Status {
        if (existing)
          return std::unexpected(
              base::Error{.code = "EntityAlreadyExists",
                          .message = fmt::format("Role with name {} already exists.", name),
                          .http_status = 409});
        existing = document;
        return {};
      }));
  return json::object{{"Role", describe(document)}};
}

IamService::Output IamService::get_role(const rpc::Call& call) {
  IMGPROC_TRY(std::string name, call.require("RoleName"));
  IMGPROC_TRY(json::object role, load_role(name));
  return json::object{{"Role", describe(role)}};
}

IamService::Output IamService::list_roles(const rpc::Call& call) {
  std::string prefix = call.text("PathPrefix", "/");
  IMGPROC_TRY(auto roles, documents_.list("role"));
  json::array shown;
  for (const auto& [name, role] : roles)
    if (std::string_view(role.at("role").at("Path").get_string()).starts_with(prefix))
      shown.push_back(describe(role));
  return json::object{{"Roles", shown}, {"IsTruncated", false}};
}

IamService::Output IamService::delete_role(const rpc::Call& call) {
  IMGPROC_TRY(std::string name, call.require("RoleName"));
  IMGPROC_CHECK(
      documents_.update("role", name, [&](std::optional<json::object>& role) -> base::Status {
        if (!role)
          return no_such_entity(fmt::format("The role with name {} cannot be found.", name));
        if (!role->at("inline").get_object().empty() || !role->at("attached").get_array().empty())
          return std::unexpected(
              base::Error{.code = "DeleteConflict",
                          .message = "Cannot delete entity, must detach all policies first.",
                          .http_status = 409});
        role.reset();
        return {};
      }));
  return json::object{};
}

IamService::Output IamService::update_role(const rpc::Call& call) {
  IMGPROC_CHECK(change_role(call, [&](json::object& role) -> base::Status {
    json::object& shown = role.at("role").get_object();
    if (call.input.contains("Description")) shown["Description"] = call.text("Description");
    if (auto duration = call.number("MaxSessionDuration"))
      shown["MaxSessionDuration"] = static_cast<std::int64_t>(*duration);
    return {};
  }));
  return json::object{};
}

IamService::Output IamService::update_assume_role_policy(const rpc::Call& call) {
  IMGPROC_TRY(std::string trust, call.require("PolicyDocument"));
  IMGPROC_TRY(Policy parsed, parse_policy(trust, false));
  static_cast<void>(parsed);
  IMGPROC_CHECK(change_role(call, [&](json::object& role) -> base::Status {
    role.at("role").get_object()["AssumeRolePolicyDocument"] = trust;
    return {};
  }));
  return json::object{};
}

IamService::Output IamService::tag_role(const rpc::Call& call) {
  IMGPROC_CHECK(change_role(call, [&](json::object& role) -> base::Status {
    for (const auto& [key, value] : rpc::tags_to_map(call.list("Tags")))
      role.at("tags").get_object()[key] = value;
    return {};
  }));
  return json::object{};
}

IamService::Output IamService::untag_role(const rpc::Call& call) {
  IMGPROC_CHECK(change_role(call, [&](json::object& role) -> base::Status {
    for (const json::value& key : call.list("TagKeys"))
      if (key.is_string()) role.at("tags").get_object().erase(key.get_string());
    return {};
  }));
  return json::object{};
}

IamService::Output IamService::list_role_tags(const rpc::Call& call) {
  IMGPROC_TRY(std::string name, call.require("RoleName"));
  IMGPROC_TRY(json::object role, load_role(name));
  return json::object{{"Tags", rpc::map_to_tags(role.at("tags").get_object())},
                      {"IsTruncated", false}};
}

IamService::Output IamService::list_instance_profiles_for_role(const rpc::Call& call) {
  IMGPROC_TRY(std::string name, call.require("RoleName"));
  IMGPROC_TRY(json::object role, load_role(name));
  return json::object{{"InstanceProfiles", json::array{}}, {"IsTruncated", false}};
}

}  // namespace imgproc::localcloud::iam
