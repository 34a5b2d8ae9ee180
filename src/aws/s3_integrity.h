#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/hash.h"
#include "http/message.h"

namespace imgproc::aws {

/// Compares a download with what S3 says about the whole object: a x-amz-checksum-* of the full
/// object, else the ETag where that is the MD5 (one part, no KMS or customer key). Where S3 says
/// neither, only the length is known, and that the caller counts.
class DownloadCheck {
 public:
  explicit DownloadCheck(const http::Headers& headers);
  void update(std::string_view bytes);
  /// Error CHECKSUM_MISMATCH, retryable: the bytes were damaged on the way. Call once, at the end.
  [[nodiscard]] base::Status finish();

 private:
  std::optional<base::Hasher> hasher_;
  /// Raw digest.
  std::string expected_;
  std::string_view what_;
};

}  // namespace imgproc::aws
