#include "localcloud/s3/post_policy.h"

#include <fmt/format.h>

#include <array>
#include <set>

#include "base/bytes.h"
#include "base/json.h"
#include "base/time.h"
#include "localcloud/s3/errors.h"

namespace imgproc::localcloud::s3 {
namespace {

constexpr std::size_t kConditionsMax = 100;

Failure invalid_policy(std::string_view why) {
  return fail(400, "InvalidPolicyDocument",
              fmt::format("The content of the form does not meet the conditions specified in the "
                          "policy document: {}",
                          why));
}
Failure denied(std::string_view why) {
  return fail(403, "AccessDenied", fmt::format("Invalid according to Policy: {}", why));
}

/// Fields that need no condition: what signs the form, and what no policy can know.
bool is_exempt(std::string_view name) {
  static constexpr std::array<std::string_view, 6> kExempt{
      "awsaccesskeyid", "signature", "policy", "file", "x-amz-signature", "submit"};
  return std::ranges::find(kExempt, name) != kExempt.end() || name.starts_with("x-ignore-");
}

struct Checker {
  const http::Headers& fields;
  std::string_view bucket;
  PostLimits& limits;
  std::set<std::string> covered;

  [[nodiscard]] std::string value_of(const std::string& name) const {
    if (name == "bucket") return std::string(bucket);
    return std::string(fields.get(name).value_or(""));
  }
  base::Status equals(std::string name, const std::string& value) {
    name = base::to_lower(name);
    covered.insert(name);
    if (value_of(name) == value) return {};
    return denied(fmt::format("Policy Condition failed: [\"eq\", \"${}\", \"{}\"]", name, value));
  }
  base::Status starts_with(std::string name, const std::string& value) {
    name = base::to_lower(name);
    covered.insert(name);
    if (value_of(name).starts_with(value)) return {};
    return denied(
        fmt::format("Policy Condition failed: [\"starts-with\", \"${}\", \"{}\"]", name, value));
  }
  base::Status list(const boost::json::array& condition);
  base::Status any(const boost::json::value& condition);
};

base::Result<std::uint64_t> size_of(const boost::json::value& value) {
  if (value.is_int64() && value.as_int64() >= 0)
    return static_cast<std::uint64_t>(value.as_int64());
  if (value.is_string())
    if (auto number = base::parse_unsigned(std::string_view(value.as_string()))) return *number;
  return invalid_policy("content-length-range needs two sizes");
}

base::Status Checker::list(const boost::json::array& condition) {
  if (condition.size() != 3 || !condition[0].is_string())
    return invalid_policy("a condition has an operator and two operands");
  std::string op = base::to_lower(std::string_view(condition[0].as_string()));
  if (op == "content-length-range") {
    IMGPROC_TRY(limits.bytes_min, size_of(condition[1]));
    IMGPROC_TRY(std::uint64_t bytes_max, size_of(condition[2]));
    limits.bytes_max = std::min(limits.bytes_max, bytes_max);
    return {};
  }
  if (!condition[1].is_string() || !condition[2].is_string())
    return invalid_policy("operands must be texts");
  std::string name(std::string_view(condition[1].as_string()));
  std::string value(std::string_view(condition[2].as_string()));
  if (!name.starts_with('$')) return invalid_policy("a field's name starts with $");
  name.erase(0, 1);
  if (op == "eq") return equals(std::move(name), value);
  if (op == "starts-with") return starts_with(std::move(name), value);
  return invalid_policy("unknown operator " + op);
}

base::Status Checker::any(const boost::json::value& condition) {
  if (condition.is_array()) return list(condition.as_array());
  if (!condition.is_object()) return invalid_policy("a condition is an object or a list");
  for (const auto& member : condition.as_object()) {
    if (!member.value().is_string()) return invalid_policy("values must be texts");
    IMGPROC_CHECK(equals(std::string(std::string_view(member.key())),
                         std::string(std::string_view(member.value().as_string()))));
  }
  return {};
}

}  // namespace

base::Result<PostLimits> check_post_policy(std::string_view policy_base64,
                                           const http::Headers& fields, std::string_view bucket,
                                           base::SystemTime now, std::uint64_t bytes_max) {
  auto text = base::from_base64(policy_base64);
  if (!text) return invalid_policy("it is not base64");
  auto document = base::parse_json(*text);
  if (!document || !document->is_object()) return invalid_policy("it is not a JSON object");
  const auto& policy = document->as_object();
  auto expiration = base::json_string(policy, "expiration");
  auto expires = expiration ? base::from_iso8601(*expiration) : std::nullopt;
  if (!expires) return invalid_policy("expiration is missing or no ISO 8601 time");
  if (now >= *expires) return denied("Policy expired.");
  const auto* conditions = base::json_array(policy, "conditions");
  if (conditions == nullptr || conditions->size() > kConditionsMax)
    return invalid_policy("conditions is missing or too long");
  PostLimits limits{.bytes_min = 0, .bytes_max = bytes_max};
  Checker checker{.fields = fields, .bucket = bucket, .limits = limits, .covered = {}};
  for (const auto& condition : *conditions) IMGPROC_CHECK(checker.any(condition));
  for (const auto& [name, value] : fields.fields()) {
    std::string lower = base::to_lower(name);
    if (!is_exempt(lower) && !checker.covered.contains(lower))
      return denied("Extra input fields: " + lower);
  }
  return limits;
}

}  // namespace imgproc::localcloud::s3
