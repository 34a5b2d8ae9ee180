#pragma once
#include <string>
#include <string_view>

#include "base/error.h"

namespace imgproc::localcloud::s3 {

/// Longest key, in bytes of UTF-8.
inline constexpr std::size_t kKeyBytesMax = 1024;

struct Address {
  std::string bucket;
  std::string key;
};

/// Bucket and key of a request. `host` is the Host header: an IP address, `localhost`,
/// `s3.localhost`, `s3.REGION.amazonaws.com` or any other name means path style; below `.localhost`
/// and AWS's own names the first labels are the bucket. `raw_path` is still percent-encoded.
/// Errors: InvalidURI, KeyTooLongError (400).
[[nodiscard]] base::Result<Address> parse_address(std::string_view host, std::string_view raw_path);

/// Source: AWS, "General purpose bucket naming rules". Error InvalidBucketName (400).
[[nodiscard]] base::Status check_bucket_name(std::string_view name);

/// Error KeyTooLongError or InvalidURI (400).
[[nodiscard]] base::Status check_key(std::string_view key);

}  // namespace imgproc::localcloud::s3
