#pragma once
// The forms in which AWS services answer with an error, one per wire protocol.
// Source: Smithy's awsQuery, awsJson, restJson1 and restXml protocol descriptions.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "http/message.h"

namespace imgproc::protocol {

/// Status to answer `error` with: its own http_status, else 503 if retryable, else 400. Note that
/// SDKs repeat every 5xx but 501, Terraform's up to 25 times.
[[nodiscard]] int status_of(const base::Error& error);

/// Further elements of an S3 error, as BucketName or Key.
using S3ErrorDetails = std::vector<std::pair<std::string, std::string>>;
/// restXml as S3 speaks it: <Error><Code/><Message/>…</Error>. For HEAD leave the body out.
[[nodiscard]] http::Response s3_error(const base::Error& error, std::string_view resource,
                                      std::string_view request_id, bool head = false,
                                      const S3ErrorDetails& details = {});
/// awsJson1_0 / 1_1: {"__type":"Code","message":"…"}; `version` is "1.0" or "1.1".
[[nodiscard]] http::Response json_error(const base::Error& error, std::string_view version,
                                        std::string_view request_id);
/// awsQuery: <ErrorResponse xmlns=…><Error><Type/><Code/><Message/></Error><RequestId/></…>.
[[nodiscard]] http::Response query_error(const base::Error& error, std::string_view xmlns,
                                         std::string_view request_id);
/// restJson1 as Lambda speaks it: header X-Amzn-ErrorType, {"Type":"User","Message":"…"}.
[[nodiscard]] http::Response rest_json_error(const base::Error& error, std::string_view request_id);

/// & < > " ' and control characters that XML 1.0 allows only as references.
[[nodiscard]] std::string xml_escape(std::string_view text);

}  // namespace imgproc::protocol
