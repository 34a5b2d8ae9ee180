#pragma once
// The keys that AWS keeps in every account for its services (alias/aws/dynamodb, …). Services that
// encrypt with one name it in their answers, and KMS must answer with the same ARN.

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "base/hash.h"
#include "localcloud/context.h"

namespace imgproc::localcloud {

/// Key id of alias/aws/SERVICE: a UUID that depends on region and service alone.
[[nodiscard]] inline std::string managed_key_id(std::string_view region, std::string_view service) {
  std::string digest = base::sha256_hex(fmt::format("alias/aws/{}@{}", service, region));
  return fmt::format("{}-{}-4{}-8{}-{}", digest.substr(0, 8), digest.substr(8, 4),
                     digest.substr(13, 3), digest.substr(17, 3), digest.substr(20, 12));
}

[[nodiscard]] inline std::string managed_key_arn(std::string_view region,
                                                 std::string_view service) {
  return fmt::format("arn:aws:kms:{}:{}:key/{}", region, kAccountId,
                     managed_key_id(region, service));
}

}  // namespace imgproc::localcloud
