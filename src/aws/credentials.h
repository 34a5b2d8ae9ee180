#pragma once
// Credentials and region, from values that the caller took from the environment.

#include <map>
#include <string>

#include "base/error.h"
#include "protocol/sigv4.h"

namespace imgproc::aws {

/// Environment variables by name. Only src/app reads the real ones.
using Environment = std::map<std::string, std::string, std::less<>>;

/// The value, or empty if there is none.
[[nodiscard]] std::string value_of(const Environment& environment, std::string_view name);

/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, as Lambda sets them.
/// Error: NO_CREDENTIALS, naming the variable that is missing.
[[nodiscard]] base::Result<protocol::Credentials> credentials_from(const Environment& environment);

/// AWS_REGION, else AWS_DEFAULT_REGION. Errors: NO_REGION, INVALID_REGION.
[[nodiscard]] base::Result<std::string> region_from(const Environment& environment);

}  // namespace imgproc::aws
