#include "localcloud/sts/sts_service.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/time.h"

namespace imgproc::localcloud::sts {

namespace json = boost::json;

namespace {

constexpr double kSessionSecondsDefault = 3600;
constexpr double kSessionSecondsMin = 900;
constexpr double kSessionSecondsMax = 43'200;

/// AROA… of a role: the same for the same name.
std::string role_id(std::string_view role_name) {
  std::string digest = base::sha256_hex(role_name).substr(0, 17);
  std::ranges::transform(digest, digest.begin(),
                         [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
  return "AROA" + digest;
}

std::string assumed_role_arn(const Session& session) {
  return fmt::format("arn:aws:sts::{}:assumed-role/{}/{}", kAccountId, session.role_name,
                     session.session_name);
}

std::unexpected<base::Error> error(std::string code, std::string message, int http_status) {
  base::Error out{std::move(code), std::move(message)};
  out.http_status = http_status;
  return std::unexpected(std::move(out));
}

bool is_session_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_=,.@-").find(c) != std::string_view::npos;
}

}  // namespace

StsService::StsService(Sessions sessions) : sessions_(std::move(sessions)) {
  description_.xmlns = kXmlNamespace;
  description_.operations.emplace(
      "GetCallerIdentity", [this](const rpc::Call& call) { return get_caller_identity(call); });
  description_.operations.emplace("AssumeRole",
                                  [this](const rpc::Call& call) { return assume_role(call); });
}

http::Response StsService::handle(const Caller& caller, http::Request request) {
  return rpc::dispatch(description_, caller, std::move(request));
}

StsService::Output StsService::get_caller_identity(const rpc::Call& call) {
  std::string user_id = kAccountId;
  std::string arn = fmt::format("arn:aws:iam::{}:root", kAccountId);
  if (call.caller.access_key_id.starts_with("ASIA")) {
    IMGPROC_TRY(auto session, sessions_.find(call.caller.access_key_id));
    if (session) {
      user_id = role_id(session->role_name) + ":" + session->session_name;
      arn = assumed_role_arn(*session);
    }
  }
  return json::object{{"UserId", user_id}, {"Account", kAccountId}, {"Arn", arn}};
}

StsService::Output StsService::assume_role(const rpc::Call& call) {
  std::string role = call.text("RoleArn");
  std::string session = call.text("RoleSessionName");
  if (role.size() > 2048 || !role.starts_with("arn:aws:iam::") ||
      role.find(":role/") == std::string::npos)
    return error("ValidationError",
                 "RoleArn must be the ARN of a role: arn:aws:iam::ACCOUNT:role/NAME", 400);
  if (session.size() < 2 || session.size() > 64 || !std::ranges::all_of(session, is_session_char))
    return error("ValidationError", "RoleSessionName must be 2 to 64 of a-z A-Z 0-9 _ = , . @ -",
                 400);
  double seconds = call.number("DurationSeconds").value_or(kSessionSecondsDefault);
  if (seconds < kSessionSecondsMin || seconds > kSessionSecondsMax)
    return error("ValidationError",
                 fmt::format("DurationSeconds must be from {} to {}", kSessionSecondsMin,
                             kSessionSecondsMax),
                 400);
  auto issued =
      sessions_.open(role, session, std::chrono::seconds(static_cast<std::int64_t>(seconds)));
  if (!issued) {
    // AWS does not tell a missing role from a forbidden one.
    if (issued.error().code != "NoSuchEntity") return std::unexpected(std::move(issued).error());
    return error("AccessDenied",
                 fmt::format("not authorized to perform: sts:AssumeRole on resource: {}", role),
                 403);
  }
  return json::object{
      {"Credentials", json::object{{"AccessKeyId", issued->access_key_id},
                                   {"SecretAccessKey", issued->secret_access_key},
                                   {"SessionToken", issued->session_token},
                                   {"Expiration", base::to_iso8601(issued->expires_at)}}},
      {"AssumedRoleUser",
       json::object{{"AssumedRoleId", role_id(issued->role_name) + ":" + session},
                    {"Arn", assumed_role_arn(*issued)}}},
      {"PackedPolicySize", 0}};
}

}  // namespace imgproc::localcloud::sts
