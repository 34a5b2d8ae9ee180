#pragma once
#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "http/message.h"

namespace imgproc::localcloud::s3 {

/// Which sizes the policy of a form allows.
struct PostLimits {
  std::uint64_t bytes_min = 0;
  std::uint64_t bytes_max = 0;
};

/// Checks a form's fields against its policy (base64 JSON), whose signature was checked before.
/// `bucket` is the one posted to. Source: AWS, "POST policy". Errors AccessDenied (403),
/// InvalidPolicyDocument (400).
[[nodiscard]] base::Result<PostLimits> check_post_policy(std::string_view policy_base64,
                                                         const http::Headers& fields,
                                                         std::string_view bucket,
                                                         base::SystemTime now,
                                                         std::uint64_t bytes_max);

}  // namespace imgproc::localcloud::s3
