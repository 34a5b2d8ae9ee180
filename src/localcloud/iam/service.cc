#include "localcloud/iam/service.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/random.h"
#include "base/time.h"

namespace imgproc::localcloud::iam {
namespace json = boost::json;

std::unexpected<base::Error> no_such_entity(std::string message) {
  return std::unexpected(
      base::Error{.code = "NoSuchEntity", .message = std::move(message), .http_status = 404});
}

std::string Session::arn() const {
  return fmt::format("arn:aws:sts::{}:assumed-role/{}/{}", kAccountId, role_name, session_name);
}

base::Result<std::unique_ptr<IamService>> IamService::create(Context& context) {
  IMGPROC_TRY(Documents documents, Documents::open(context.database, "iam"));
  return std::unique_ptr<IamService>(new IamService(context, std::move(documents)));
}

IamService::IamService(Context& context, Documents documents)
    : context_(context), documents_(std::move(documents)) {
  description_.xmlns = "https://iam.amazonaws.com/doc/2010-05-08/";
  register_role_operations();
  register_role_policy_operations();
  register_managed_policy_operations();
}

http::Response IamService::handle(const Caller& caller, http::Request request) {
  return rpc::dispatch(description_, caller, std::move(request));
}

base::Result<json::object> IamService::load_role(std::string_view name) const {
  IMGPROC_TRY(auto role, documents_.get("role", name));
  if (!role) return no_such_entity(fmt::format("The role with name {} cannot be found.", name));
  return std::move(*role);
}

base::Result<Session> IamService::open_session(std::string_view role_arn,
                                               std::string_view session_name,
                                               std::chrono::seconds duration) {
  std::string name(role_arn.substr(role_arn.rfind('/') + 1));
  IMGPROC_TRY(json::object role, load_role(name));
  Session session{.access_key_id = "ASIA" + base::random_hex(8),
                  .secret_access_key = base::random_hex(20),
                  .session_token = base::random_hex(32),
                  .role_name = name,
                  .session_name = std::string(session_name),
                  .expires_at = context_.clock.now() + duration};
  for (char& c : session.access_key_id)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  IMGPROC_CHECK(documents_.put("session", session.access_key_id,
                               {{"secret", session.secret_access_key},
                                {"token", session.session_token},
                                {"role", name},
                                {"name", session.session_name},
                                {"expires_ms", session.expires_at.time_since_epoch().count()}}));
  return session;
}

base::Result<std::optional<Session>> IamService::find_session(
    std::string_view access_key_id) const {
  IMGPROC_TRY(auto document, documents_.get("session", access_key_id));
  if (!document) return std::nullopt;
  auto text = [&](std::string_view name) {
    return std::string(base::json_string(*document, name).value_or(""));
  };
  Session session{.access_key_id = std::string(access_key_id),
                  .secret_access_key = text("secret"),
                  .session_token = text("token"),
                  .role_name = text("role"),
                  .session_name = text("name"),
                  .expires_at = base::SystemTime{std::chrono::milliseconds{
                      base::json_int(*document, "expires_ms").value_or(0)}}};
  if (session.expires_at <= context_.clock.now())
    return base::permanent("ExpiredToken", "The security token included in the request is expired");
  return session;
}

base::Status IamService::sweep_sessions() const {
  IMGPROC_TRY(auto sessions, documents_.list("session"));
  for (const auto& [key, document] : sessions) {
    base::SystemTime expired{
        std::chrono::milliseconds{base::json_int(document, "expires_ms").value_or(0)}};
    if (expired + kExpiredSessionsKept > context_.clock.now()) continue;
    IMGPROC_TRY(bool removed, documents_.remove("session", key));
    static_cast<void>(removed);
  }
  return {};
}

base::Result<std::vector<Policy>> IamService::policies_of(std::string_view role_name) const {
  IMGPROC_TRY(json::object role, load_role(role_name));
  std::vector<Policy> policies;
  for (const auto& [name, text] : role.at("inline").get_object()) {
    IMGPROC_TRY(Policy policy, parse_policy(text.get_string()));
    policies.push_back(std::move(policy));
  }
  for (const auto& arn : role.at("attached").get_array()) {
    IMGPROC_TRY(std::string text, managed_policy_text(arn.get_string()));
    IMGPROC_TRY(Policy policy, parse_policy(text));
    policies.push_back(std::move(policy));
  }
  return policies;
}

base::Status IamService::authorize(const Session& session, const AccessRequest& request) const {
  IMGPROC_TRY(std::vector<Policy> policies, policies_of(session.role_name));
  Decision decision = evaluate(policies, request);
  if (decision == Decision::allowed) return {};
  std::string why =
      decision == Decision::explicitly_denied
          ? "with an explicit deny in an identity-based policy"
          : fmt::format("because no identity-based policy allows the {} action", request.action);
  return std::unexpected(base::Error{
      .code = "AccessDenied",
      .message = fmt::format("User: {} is not authorized to perform: {} on resource: {} {}",
                             session.arn(), request.action, request.resource, why),
      .http_status = 403});
}

}  // namespace imgproc::localcloud::iam
