#pragma once
// What services answer instead of a result, as an Error.

#include "base/error.h"
#include "http/message.h"

namespace imgproc::aws {

/// Longest error body that is read.
inline constexpr std::size_t kErrorBytesMax = 64 * 1024;

/// True for codes that ask the caller to slow down or to come again, whatever the HTTP status.
/// Source: the "Standard retry mode" tables of the AWS SDKs and Tools Reference Guide.
[[nodiscard]] bool is_retryable_code(std::string_view code);
/// True for statuses that may pass by themselves: 429 and 500, 502, 503, 504.
[[nodiscard]] bool is_retryable_status(int status);

/// The code alone, from X-Amzn-ErrorType, a JSON body or an XML body; empty if there is none.
[[nodiscard]] std::string error_code_in(const http::Response& response, std::string_view body);

/// S3's <Error><Code/><Message/>, or what the status says where there is no body (HEAD). Consumes
/// the response's body.
[[nodiscard]] base::Error s3_error_of(http::Response& response);
/// {"__type":"prefix#Code","message":"…"} of a body that was read already.
[[nodiscard]] base::Error json_error_of(const http::Response& response, std::string_view body);

}  // namespace imgproc::aws
