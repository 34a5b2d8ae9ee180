#pragma once
// One port for every service: which service a request is for, as AWS's own hosts would tell.

#include <string>
#include <string_view>

#include "base/error.h"
#include "http/message.h"

namespace imgproc::localcloud {

/// How a service's errors are written.
enum class Protocol { s3, rest_json, json, query };

struct Route {
  /// Signing name: "s3", "dynamodb", "monitoring" … ; never empty.
  std::string service;
  Protocol protocol = Protocol::s3;
  /// Operation of the JSON and query protocols, "" of the others.
  std::string operation;
  /// Region of the credential scope; "" if unsigned or signed with Version 2.
  std::string region;
  std::string access_key_id;
};

/// In this order: the credential scope's service, the prefix of X-Amz-Target, Action and Version of
/// a form body, Lambda's dated paths; all else is S3 (anonymous, presigned with Version 2, browser
/// forms). A form body of a POST to / is read into memory (up to kFormBytesMax) and left in the
/// request.
[[nodiscard]] Route route(http::Request& request);

inline constexpr std::size_t kFormBytesMax = 1024 * 1024;

/// `error` as the service's clients expect it.
[[nodiscard]] http::Response error_response(const Route& route, const base::Error& error,
                                            const http::Request& request,
                                            std::string_view request_id);

}  // namespace imgproc::localcloud
