#pragma once
// Signatures of the pieces of an aws-chunked body.
// Source: "Signature calculations for the Authorization header: transferring payload in multiple
// chunks" (and "… including trailing headers") in the Amazon S3 API Reference.

#include <string>
#include <string_view>

namespace imgproc::protocol {

/// The words of x-amz-content-sha256 that announce such a body.
inline constexpr std::string_view kStreamingSigned = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
inline constexpr std::string_view kStreamingSignedTrailer =
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
inline constexpr std::string_view kStreamingUnsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

/// Follows the chain of signatures through one body; every signature covers the one before it, so
/// pieces can be neither changed, nor dropped, nor reordered. Compare with equals_constant_time.
class ChunkVerifier {
 public:
  /// `signing_key` from signing_key(), `seed_signature` the request's own, `amz_date` and `scope`
  /// (DATE/REGION/SERVICE/aws4_request) as in the request.
  ChunkVerifier(std::string signing_key, std::string seed_signature, std::string amz_date,
                std::string scope);

  /// Expected signature of the next chunk (the last, empty one too), from the SHA-256 of its bytes.
  [[nodiscard]] std::string next_chunk(std::string_view chunk_sha256_hex);
  /// Expected x-amz-trailer-signature; the hash is of the trailers as "name:value\n" each.
  [[nodiscard]] std::string trailer(std::string_view trailers_sha256_hex);

 private:
  std::string signing_key_;
  std::string previous_;
  std::string amz_date_;
  std::string scope_;
};

}  // namespace imgproc::protocol
