#pragma once
// The text that both ends of a Version 4 signature hash. Shared by signing and verifying.

#include <span>
#include <string>
#include <string_view>

#include "http/message.h"

namespace imgproc::protocol {

inline constexpr std::string_view kSigV4Algorithm = "AWS4-HMAC-SHA256";
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

/// S3 encodes the path once and keeps it as it is; every other service takes "//", "." and ".." out
/// and encodes what stood on the request line once more.
[[nodiscard]] std::string canonical_path(std::string_view raw_path, std::string_view service);

/// Parameters decoded, encoded anew and sorted; X-Amz-Signature is left out.
[[nodiscard]] std::string canonical_query(std::string_view raw_query);

/// Value of one header, all fields of that name joined with commas, runs of white space made one.
[[nodiscard]] std::string canonical_header(const http::Headers& headers, std::string_view name);

/// `signed_headers` are lower-case names, in the order in which they were signed.
[[nodiscard]] std::string canonical_request(const http::Request& request, std::string_view service,
                                            std::span<const std::string> signed_headers,
                                            std::string_view payload_hash);

/// `amz_date` is 20261122T093000Z, `scope` DATE/REGION/SERVICE/aws4_request.
[[nodiscard]] std::string string_to_sign(std::string_view amz_date, std::string_view scope,
                                         std::string_view canonical);

/// "a;b;c"
[[nodiscard]] std::string join_names(std::span<const std::string> names);

}  // namespace imgproc::protocol
