#pragma once
// STS: who am I, and temporary credentials of a role. Query protocol, version 2011-06-15.

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/message.h"
#include "localcloud/context.h"
#include "localcloud/rpc/rpc.h"

namespace imgproc::localcloud::sts {

inline constexpr std::string_view kXmlNamespace = "https://sts.amazonaws.com/doc/2011-06-15/";

/// Credentials that stand for a role for a while.
struct Session {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;
  std::string role_name;
  std::string session_name;
  base::SystemTime expires_at{};
};

/// Where sessions are kept: IAM, by way of whoever builds this service.
struct Sessions {
  /// Error NoSuchEntity if there is no such role.
  std::function<base::Result<Session>(std::string_view role_arn, std::string_view session_name,
                                      std::chrono::seconds duration)>
      open;
  std::function<base::Result<std::optional<Session>>(std::string_view access_key_id)> find;
};

/// GetCallerIdentity and AssumeRole; everything else answers NotImplemented. Thread-safe.
class StsService {
 public:
  explicit StsService(Sessions sessions);
  [[nodiscard]] http::Response handle(const Caller& caller, http::Request request);

 private:
  using Output = base::Result<boost::json::object>;
  [[nodiscard]] Output get_caller_identity(const rpc::Call& call);
  [[nodiscard]] Output assume_role(const rpc::Call& call);
  Sessions sessions_;
  rpc::ServiceDescription description_;
};

}  // namespace imgproc::localcloud::sts
