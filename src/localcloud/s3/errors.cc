#include "localcloud/s3/errors.h"

#include <fmt/format.h>

namespace imgproc::localcloud::s3 {

Failure fail(int http_status, std::string code, std::string message) {
  return std::unexpected(base::Error{.code = std::move(code),
                                     .message = std::move(message),
                                     .retryable = http_status >= 500 && http_status != 501,
                                     .http_status = http_status});
}

Failure no_such_bucket(std::string_view bucket) {
  return fail(404, "NoSuchBucket", fmt::format("The specified bucket does not exist: {}", bucket));
}
Failure no_such_key(std::string_view key) {
  return fail(404, "NoSuchKey", fmt::format("The specified key does not exist: {}", key));
}
Failure no_such_version(std::string_view version_id) {
  return fail(404, "NoSuchVersion",
              fmt::format("The specified version does not exist: {}", version_id));
}
Failure no_such_upload(std::string_view upload_id) {
  return fail(404, "NoSuchUpload",
              fmt::format("The specified upload does not exist. The upload ID may be invalid, or "
                          "the upload may have been aborted or completed: {}",
                          upload_id));
}
Failure invalid_argument(std::string message) {
  return fail(400, "InvalidArgument", std::move(message));
}
Failure invalid_request(std::string message) {
  return fail(400, "InvalidRequest", std::move(message));
}
Failure malformed_xml(std::string_view why) {
  return fail(400, "MalformedXML",
              fmt::format("The XML you provided was not well-formed or did not validate against "
                          "our published schema: {}",
                          why));
}
Failure precondition_failed(std::string_view condition) {
  return fail(
      412, "PreconditionFailed",
      fmt::format("At least one of the pre-conditions you specified did not hold: {}", condition));
}
Failure not_implemented(std::string_view what) {
  return fail(
      501, "NotImplemented",
      fmt::format(
          "A header or query you provided implies functionality that is not implemented: {}",
          what));
}

base::Error as_s3_error(base::Error error) {
  if (error.http_status != 0) return error;
  if (error.code == "BODY_TOO_LARGE") {
    error.code = "MaxMessageLengthExceeded";
    error.http_status = 400;
  } else if (error.code == "CONNECTION_CLOSED" || error.code == "TIMEOUT") {
    error.code = "RequestTimeout";
    error.http_status = 400;
  } else if (error.retryable) {
    error.message = error.code + ": " + error.message;
    error.code = "ServiceUnavailable";
    error.http_status = 503;
  } else {
    error.message = error.code + ": " + error.message;
    error.code = "InternalError";
    error.http_status = 500;
  }
  return error;
}

}  // namespace imgproc::localcloud::s3
