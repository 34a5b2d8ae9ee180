#include "aws/s3_integrity.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "protocol/checksum.h"

namespace imgproc::aws {
namespace {

/// ETag as an MD5, if it is one.
std::optional<std::string> md5_in(const http::Headers& headers) {
  auto encryption = headers.get("x-amz-server-side-encryption");
  if (encryption && *encryption != "AES256") return std::nullopt;
  if (headers.has("x-amz-server-side-encryption-customer-algorithm")) return std::nullopt;
  std::string_view etag = headers.get("ETag").value_or("");
  constexpr std::size_t kQuotedMd5 = 34;
  if (etag.size() != kQuotedMd5 || etag.front() != '"' || etag.back() != '"') return std::nullopt;
  return base::from_hex(etag.substr(1, kQuotedMd5 - 2));
}

}  // namespace

DownloadCheck::DownloadCheck(const http::Headers& headers) {
  // A checksum of checksums ("abc=-3") says nothing about the bytes as a whole.
  bool composite = headers.get("x-amz-checksum-type") == "COMPOSITE";
  for (const auto& name : protocol::checksum_names()) {
    auto value = headers.get(name.header);
    if (!value || composite) continue;
    auto digest = base::from_base64(*value);
    if (!digest || digest->size() != name.digest_bytes) continue;
    hasher_.emplace(name.algorithm);
    expected_ = *std::move(digest);
    what_ = name.name;
    return;
  }
  if (auto md5 = md5_in(headers)) {
    hasher_.emplace(base::HashAlgorithm::md5);
    expected_ = *std::move(md5);
    what_ = "MD5 (ETag)";
  }
}

void DownloadCheck::update(std::string_view bytes) {
  if (hasher_) hasher_->update(bytes);
}

base::Status DownloadCheck::finish() {
  if (!hasher_) return {};
  std::string actual = hasher_->finish();
  if (actual == expected_) return {};
  return base::transient("CHECKSUM_MISMATCH",
                         fmt::format("{} of the bytes received is {}, S3 says {}", what_,
                                     base::to_hex(actual), base::to_hex(expected_)));
}

}  // namespace imgproc::aws
