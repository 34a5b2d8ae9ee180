#include "protocol/sigv4_chunk.h"

#include <fmt/format.h>

#include <utility>

#include "base/bytes.h"
#include "base/hash.h"

namespace imgproc::protocol {

ChunkVerifier::ChunkVerifier(std::string signing_key, std::string seed_signature,
                             std::string amz_date, std::string scope)
    : signing_key_(std::move(signing_key)),
      previous_(std::move(seed_signature)),
      amz_date_(std::move(amz_date)),
      scope_(std::move(scope)) {}

std::string ChunkVerifier::next_chunk(std::string_view chunk_sha256_hex) {
  // The hash of nothing stands for headers that a chunk might have had.
  previous_ = base::to_hex(base::hmac_sha256(
      signing_key_, fmt::format("AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{}\n{}\n{}", amz_date_, scope_,
                                previous_, base::sha256_hex(""), chunk_sha256_hex)));
  return previous_;
}

std::string ChunkVerifier::trailer(std::string_view trailers_sha256_hex) {
  previous_ = base::to_hex(base::hmac_sha256(
      signing_key_, fmt::format("AWS4-HMAC-SHA256-TRAILER\n{}\n{}\n{}\n{}", amz_date_, scope_,
                                previous_, trailers_sha256_hex)));
  return previous_;
}

}  // namespace imgproc::protocol
