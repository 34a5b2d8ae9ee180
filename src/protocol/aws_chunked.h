#pragma once
// The aws-chunked content coding of S3 uploads: chunk framing inside the HTTP body, optionally a
// signature per chunk, optionally checksums as trailers.
// Source: AWS, "Signature Calculations for the Authorization Header: Transferring a Payload in
// Multiple Chunks" and "Using trailing checksums".

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "http/message.h"

namespace imgproc::protocol {

/// Longest "HEXSIZE;chunk-signature=…" line, without its line end.
inline constexpr std::size_t kChunkLineBytesMax = 256;
/// Trailer lines after the last chunk: how many, and how long together.
inline constexpr std::size_t kTrailersMax = 16;
inline constexpr std::size_t kTrailerBytesMax = 8 * 1024;

/// How the signatures of a signed stream are checked; an error refuses the whole body. Both are
/// called in the order of the stream.
struct ChunkSignatures {
  /// The signature of one chunk (also of the last, empty one) and the SHA-256 of its data, in
  /// hexadecimal.
  std::function<base::Status(std::string_view signature, std::string_view sha256_hex)> chunk;
  /// The value of x-amz-trailer-signature and the trailers as "name:value\n" lines.
  std::function<base::Status(std::string_view signature, std::string_view trailers)> trailer;
};

struct AwsChunkedOptions {
  /// X-Amz-Decoded-Content-Length: the stream must hold exactly this many bytes of data.
  std::uint64_t decoded_bytes = 0;
  /// The chunk lines carry signatures (STREAMING-AWS4-HMAC-SHA256-PAYLOAD[-TRAILER]).
  bool signed_chunks = false;
  /// A trailer may follow (X-Amz-Content-Sha256 ends with -TRAILER).
  bool trailers = false;
  /// Checks the signatures of signed chunks; without functions they are read and not checked.
  ChunkSignatures signatures;
};

/// Unwraps an aws-chunked body. Errors of read(): InvalidChunkSizeError and IncompleteBody (400)
/// for malformed framing, whatever the signature check answers, and the source's own.
class AwsChunkedReader final : public http::BodyReader {
 public:
  AwsChunkedReader(std::unique_ptr<http::BodyReader> source, AwsChunkedOptions options);
  [[nodiscard]] base::Result<std::size_t> read(std::span<char> into) override;
  /// Complete once read() returned 0; names as they came.
  [[nodiscard]] const http::Headers& trailers() const { return trailers_; }

 private:
  [[nodiscard]] base::Result<int> next_byte();
  [[nodiscard]] base::Result<std::string> read_line(std::size_t bytes_max);
  [[nodiscard]] base::Status expect_line_end();
  [[nodiscard]] base::Status begin_chunk();
  [[nodiscard]] base::Status end_chunk();
  [[nodiscard]] base::Status read_trailers();
  [[nodiscard]] base::Status finish();

  std::unique_ptr<http::BodyReader> source_;
  AwsChunkedOptions options_;
  http::Headers trailers_;
  std::string buffer_;
  std::size_t buffer_at_ = 0;
  std::size_t buffer_end_ = 0;
  bool in_chunk_ = false;
  bool done_ = false;
  std::uint64_t chunk_left_ = 0;
  std::uint64_t decoded_ = 0;
  std::string signature_;
  std::unique_ptr<base::Hasher> chunk_hash_;
};

}  // namespace imgproc::protocol
