#pragma once
// IAM roles and policies, and the check of every call that a role's credentials sign.

#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "localcloud/context.h"
#include "localcloud/iam/policy.h"
#include "localcloud/rpc/rpc.h"
#include "localcloud/store/documents.h"

namespace imgproc::localcloud::iam {

/// So long an expired key is told from one that never was.
inline constexpr std::chrono::hours kExpiredSessionsKept{24};

/// Credentials that stand for a role for a while: what STS hands out, and what a function gets.
struct Session {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;
  std::string role_name;
  std::string session_name;
  base::SystemTime expires_at;

  /// arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION
  [[nodiscard]] std::string arn() const;
};

class IamService {
 public:
  [[nodiscard]] static base::Result<std::unique_ptr<IamService>> create(Context& context);

  [[nodiscard]] http::Response handle(const Caller& caller, http::Request request);

  /// New credentials for the role; they live in the database until they expire. Error NoSuchEntity.
  [[nodiscard]] base::Result<Session> open_session(std::string_view role_arn,
                                                   std::string_view session_name,
                                                   std::chrono::seconds duration);
  /// Nullopt if the key belongs to no session; error ExpiredToken if its session has expired.
  [[nodiscard]] base::Result<std::optional<Session>> find_session(
      std::string_view access_key_id) const;
  /// Forgets sessions that expired over kExpiredSessionsKept ago.
  [[nodiscard]] base::Status sweep_sessions() const;

  /// Refuses as AWS does, naming action and resource (AccessDenied, 403), unless the role's
  /// policies allow the request.
  [[nodiscard]] base::Status authorize(const Session& session, const AccessRequest& request) const;

 private:
  using Output = base::Result<boost::json::object>;
  IamService(Context& context, Documents documents);
  void register_role_operations();
  void register_role_policy_operations();
  void register_managed_policy_operations();

  // roles.cc
  Output create_role(const rpc::Call& call);
  Output get_role(const rpc::Call& call);
  Output list_roles(const rpc::Call& call);
  Output delete_role(const rpc::Call& call);
  Output update_role(const rpc::Call& call);
  Output update_assume_role_policy(const rpc::Call& call);
  Output tag_role(const rpc::Call& call);
  Output untag_role(const rpc::Call& call);
  Output list_role_tags(const rpc::Call& call);
  Output list_instance_profiles_for_role(const rpc::Call& call);

  // role_policies.cc
  Output put_role_policy(const rpc::Call& call);
  Output get_role_policy(const rpc::Call& call);
  Output list_role_policies(const rpc::Call& call);
  Output delete_role_policy(const rpc::Call& call);
  Output attach_role_policy(const rpc::Call& call);
  Output detach_role_policy(const rpc::Call& call);
  Output list_attached_role_policies(const rpc::Call& call);

  // managed_policies.cc
  Output create_policy(const rpc::Call& call);
  Output get_policy(const rpc::Call& call);
  Output get_policy_version(const rpc::Call& call);
  Output list_policy_versions(const rpc::Call& call);
  Output create_policy_version(const rpc::Call& call);
  Output delete_policy_version(const rpc::Call& call);
  Output delete_policy(const rpc::Call& call);
  Output list_policies(const rpc::Call& call);
  Output tag_policy(const rpc::Call& call);

  base::Result<boost::json::object> load_role(std::string_view name) const;
  /// Text of the managed policy's default version, AWS's own included.
  base::Result<std::string> managed_policy_text(std::string_view arn) const;
  base::Result<std::vector<Policy>> policies_of(std::string_view role_name) const;
  base::Status change_role(const rpc::Call& call,
                           const std::function<base::Status(boost::json::object&)>& change);

  Context& context_;
  Documents documents_;
  rpc::ServiceDescription description_;
};

[[nodiscard]] std::unexpected<base::Error> no_such_entity(std::string message);

}  // namespace imgproc::localcloud::iam
