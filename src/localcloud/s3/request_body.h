#pragma once
// Reading and proving the body of a request: aws-chunked framing, Content-MD5, the SHA-256 of the
// signature and the x-amz-checksum-* of the client, in one pass.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/hash.h"
#include "localcloud/s3/index.h"
#include "localcloud/s3/operation.h"

namespace imgproc::protocol {
class AwsChunkedReader;
}

namespace imgproc::localcloud::s3 {

/// Largest object of one PutObject and largest part.
inline constexpr std::uint64_t kPutBytesMax = std::uint64_t{5} << 30;
/// How much of a body is in memory at once.
inline constexpr std::size_t kCopyBufferBytes = 128 * 1024;

/// What a request claims about its body; checked for form when it is opened.
class RequestBody {
 public:
  /// Takes the operation's body. Nothing is read yet. Without
  /// `with_checksums` x-amz-checksum-* is left alone. Errors: MissingContentLength, EntityTooLarge,
  /// InvalidDigest, InvalidRequest, InvalidArgument.
  [[nodiscard]] static base::Result<RequestBody> open(Operation& operation, std::uint64_t bytes_max,
                                                      bool with_checksums = true);
  ~RequestBody();
  RequestBody(RequestBody&&) noexcept;

  /// What the request says; verify() holds it to that.
  [[nodiscard]] std::uint64_t expected_bytes() const { return expected_bytes_.value_or(0); }
  /// The algorithm that the request names by header or trailer.
  [[nodiscard]] std::optional<base::HashAlgorithm> named_algorithm() const { return named_; }
  /// Computes this checksum too, beside the one the request names; before the first read.
  void compute(base::HashAlgorithm algorithm);
  /// Not to be hashed with MD5 (no ETag needed); before the first read.
  void without_etag();

  [[nodiscard]] base::Result<std::size_t> read(std::span<char> into);
  /// After the end: compares everything. Errors BadDigest, XAmzContentSHA256Mismatch,
  /// IncompleteBody, InvalidRequest.
  [[nodiscard]] base::Status verify();

  // After verify():
  [[nodiscard]] const std::string& md5_hex() const { return md5_hex_; }
  /// Base64 of a checksum that was named or asked for.
  [[nodiscard]] std::string checksum(base::HashAlgorithm algorithm) const;

 private:
  RequestBody();
  [[nodiscard]] base::Status read_claims(const Operation& operation, bool with_checksums);

  std::unique_ptr<http::BodyReader> reader_;
  protocol::AwsChunkedReader* chunked_ = nullptr;
  std::optional<std::uint64_t> expected_bytes_;
  std::uint64_t bytes_ = 0;
  std::uint64_t bytes_max_ = 0;

  std::string claimed_md5_;
  std::string claimed_sha256_;
  std::optional<base::HashAlgorithm> named_;
  /// Empty: comes in the trailer.
  std::string claimed_checksum_;

  std::optional<base::Hasher> md5_;
  std::optional<base::Hasher> sha256_;
  struct Sum {
    base::HashAlgorithm algorithm;
    base::Hasher hasher;
    std::string value;
  };
  std::vector<Sum> sums_;
  std::string md5_hex_;
};

/// Reads a whole XML or JSON body of at most kXmlBytesMax, proven as above.
[[nodiscard]] base::Result<std::string> read_text_body(Operation& operation);

/// The same for CompleteMultipartUpload, whose x-amz-checksum-* are about the object instead.
[[nodiscard]] base::Result<std::string> read_complete_body(Operation& operation);

}  // namespace imgproc::localcloud::s3
