#pragma once
// The errors S3 answers with. Source: AWS, "Amazon S3 error responses".

#include <string>
#include <string_view>

#include "base/error.h"

namespace imgproc::localcloud::s3 {

using Failure = std::unexpected<base::Error>;

[[nodiscard]] Failure fail(int http_status, std::string code, std::string message);

[[nodiscard]] Failure no_such_bucket(std::string_view bucket);
[[nodiscard]] Failure no_such_key(std::string_view key);
[[nodiscard]] Failure no_such_version(std::string_view version_id);
[[nodiscard]] Failure no_such_upload(std::string_view upload_id);
[[nodiscard]] Failure invalid_argument(std::string message);
[[nodiscard]] Failure invalid_request(std::string message);
[[nodiscard]] Failure malformed_xml(std::string_view why);
[[nodiscard]] Failure precondition_failed(std::string_view condition);
[[nodiscard]] Failure not_implemented(std::string_view what);

/// Errors of the store, the files and the connection in the words of S3; S3's own stay as they are.
[[nodiscard]] base::Error as_s3_error(base::Error error);

}  // namespace imgproc::localcloud::s3
