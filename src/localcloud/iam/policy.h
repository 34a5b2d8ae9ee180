#pragma once
// IAM policy documents: parsing and evaluation, without I/O.
// Source: "IAM JSON policy reference" and "Policy evaluation logic", AWS documentation.

#include <boost/json.hpp>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace imgproc::localcloud::iam {

/// Characters of one document (the largest quota AWS has: a role's inline policies together).
inline constexpr std::size_t kPolicyBytesMax = 10240;

/// What somebody wants to do.
struct AccessRequest {
  /// "s3:PutObject".
  std::string action;
  /// ARN, or "*" for actions without a resource.
  std::string resource;
  /// Condition keys in lower case ("aws:securetransport") to their values.
  std::map<std::string, std::vector<std::string>> context;
};

struct Condition {
  /// "StringLike", without quantifier and IfExists.
  std::string operation;
  bool if_exists = false;
  bool for_all_values = false;
  /// Lower case.
  std::string key;
  std::vector<std::string> values;
};

struct Statement {
  std::string sid;
  bool allow = false;
  std::vector<std::string> actions;
  bool not_actions = false;
  std::vector<std::string> resources;
  bool not_resources = false;
  std::vector<Condition> conditions;
};

struct Policy {
  std::vector<Statement> statements;
};

enum class Decision { allowed, implicitly_denied, explicitly_denied };

/// Error MalformedPolicyDocument, with what is wrong. `needs_resource` is false for trust policies.
[[nodiscard]] base::Result<Policy> parse_policy(std::string_view document,
                                                bool needs_resource = true);

/// An explicit Deny wins, then any Allow; else it is denied implicitly.
[[nodiscard]] Decision evaluate(std::span<const Policy> policies, const AccessRequest& request);

}  // namespace imgproc::localcloud::iam
