#pragma once
// Which host answers for a service: AWS's own, or the one that the environment names.
// Source: "Service-specific endpoints" of the AWS SDKs and Tools Reference Guide.

#include <string>
#include <string_view>

#include "aws/credentials.h"
#include "base/error.h"
#include "http/client.h"

namespace imgproc::aws {

struct Endpoint {
  http::Origin origin;
  /// AWS_ENDPOINT_URL… named it; AWS's own hosts otherwise.
  bool custom = false;
};

/// `service` is "s3" or "dynamodb". AWS_ENDPOINT_URL_<SERVICE> counts before AWS_ENDPOINT_URL, and
/// neither with AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true. Error: INVALID_URL.
[[nodiscard]] base::Result<Endpoint> endpoint_of(std::string_view service,
                                                 const std::string& region,
                                                 const Environment& environment);

}  // namespace imgproc::aws
