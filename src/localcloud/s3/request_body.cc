#include "localcloud/s3/request_body.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "localcloud/s3/errors.h"
#include "localcloud/s3/xml.h"
#include "protocol/aws_chunked.h"
#include "protocol/checksum.h"
#include "protocol/sigv4_chunk.h"

namespace imgproc::localcloud::s3 {
namespace {

constexpr std::string_view kStreaming = "STREAMING-";

bool has_token(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    std::string_view item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), item.size() + 1));
    if (base::equals_ignoring_case(base::trim(item), token)) return true;
  }
  return false;
}

bool is_sha256_hex(std::string_view text) {
  return text.size() == 64 && base::from_hex(text);
}

Failure missing_length() {
  return fail(411, "MissingContentLength", "You must provide the Content-Length HTTP header.");
}

base::Status compare_signature(std::string_view expected, std::string_view got) {
  if (base::equals_constant_time(expected, got)) return {};
  return fail(403, "SignatureDoesNotMatch",
              "The signature of a chunk of the body does not match the one that was calculated.");
}

/// Checks against the chain that the caller's signature began; nothing without one.
protocol::ChunkSignatures chunk_signatures(protocol::ChunkVerifier* verifier) {
  if (verifier == nullptr) return {};
  return {.chunk =
              [verifier](std::string_view signature, std::string_view sha256_hex) {
                return compare_signature(verifier->next_chunk(sha256_hex), signature);
              },
          .trailer =
              [verifier](std::string_view signature, std::string_view trailers) {
                return compare_signature(verifier->trailer(base::sha256_hex(trailers)), signature);
              }};
}

base::Status check_digest_form(const protocol::ChecksumName& name, std::string_view value) {
  auto raw = base::from_base64(value);
  if (!raw || raw->size() != name.digest_bytes)
    return invalid_request(fmt::format("Value for {} header is invalid.", name.header));
  return {};
}

}  // namespace

RequestBody::RequestBody() = default;
RequestBody::~RequestBody() = default;
RequestBody::RequestBody(RequestBody&&) noexcept = default;

base::Status RequestBody::read_claims(const Operation& operation, bool with_checksums) {
  if (auto value = operation.header("Content-MD5")) {
    auto raw = base::from_base64(*value);
    if (!raw || raw->size() != 16)
      return fail(400, "InvalidDigest", "The Content-MD5 you specified is not valid.");
    claimed_md5_ = base::to_hex(*raw);
  }
  if (!with_checksums) return {};
  std::string trailer = base::to_lower(operation.header_or_empty("x-amz-trailer"));
  for (const auto& name : protocol::checksum_names()) {
    auto value = operation.header(name.header);
    if (!value && !has_token(trailer, name.header)) continue;
    if (named_)
      return invalid_request(
          "Expecting a single x-amz-checksum- header. Multiple checksum Types "
          "are not allowed.");
    named_ = name.algorithm;
    if (!value) continue;
    IMGPROC_CHECK(check_digest_form(name, *value));
    claimed_checksum_ = *value;
  }
  if (auto algorithm = operation.header("x-amz-sdk-checksum-algorithm"); algorithm && !named_) {
    if (protocol::find_checksum(*algorithm) != nullptr)
      return invalid_request(
          "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or "
          "x-amz-trailer headers were found.");
    return invalid_request("Value for x-amz-sdk-checksum-algorithm header is invalid.");
  }
  return {};
}

base::Result<RequestBody> RequestBody::open(Operation& operation, std::uint64_t bytes_max,
                                            bool with_checksums) {
  RequestBody body;
  body.bytes_max_ = bytes_max;
  IMGPROC_CHECK(body.read_claims(operation, with_checksums));

  std::string sha256 = operation.header_or_empty("x-amz-content-sha256");
  bool streaming = sha256.starts_with(kStreaming);
  if (streaming && sha256 != protocol::kStreamingUnsignedTrailer &&
      sha256 != protocol::kStreamingSigned && sha256 != protocol::kStreamingSignedTrailer)
    return not_implemented("x-amz-content-sha256: " + sha256);
  if (!streaming && !sha256.empty() && sha256 != "UNSIGNED-PAYLOAD") {
    if (!is_sha256_hex(sha256))
      return invalid_argument(
          "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
          "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a "
          "valid sha256 value.");
    body.claimed_sha256_ = base::to_lower(sha256);
    body.sha256_.emplace(base::HashAlgorithm::sha256);
  }

  std::optional<std::uint64_t> length = operation.request.body.size();
  if (streaming || has_token(operation.header_or_empty("Content-Encoding"), "aws-chunked")) {
    auto decoded = base::parse_unsigned(operation.header_or_empty("x-amz-decoded-content-length"));
    if (!decoded) return missing_length();
    length = *decoded;
  }
  if (!length) return missing_length();
  if (*length > bytes_max)
    return fail(400, "EntityTooLarge",
                fmt::format("Your proposed upload of {} bytes exceeds the maximum allowed size of "
                            "{} bytes",
                            *length, bytes_max));
  body.expected_bytes_ = length;
  body.reader_ = http::to_reader(std::move(operation.request.body));
  if (streaming) {
    auto chunked = std::make_unique<protocol::AwsChunkedReader>(
        std::move(body.reader_),
        protocol::AwsChunkedOptions{.decoded_bytes = *length,
                                    .signed_chunks = sha256 != protocol::kStreamingUnsignedTrailer,
                                    .trailers = sha256 != protocol::kStreamingSigned,
                                    .signatures = chunk_signatures(operation.caller.chunks)});
    body.chunked_ = chunked.get();
    body.reader_ = std::move(chunked);
  }
  body.md5_.emplace(base::HashAlgorithm::md5);
  if (body.named_) body.compute(*body.named_);
  return body;
}

void RequestBody::compute(base::HashAlgorithm algorithm) {
  for (const Sum& sum : sums_)
    if (sum.algorithm == algorithm) return;
  sums_.push_back(Sum{.algorithm = algorithm, .hasher = base::Hasher(algorithm), .value = {}});
}

void RequestBody::without_etag() {
  if (claimed_md5_.empty()) md5_.reset();
}

base::Result<std::size_t> RequestBody::read(std::span<char> into) {
  IMGPROC_TRY(std::size_t got, reader_->read(into));
  bytes_ += got;
  std::string_view bytes(into.data(), got);
  if (md5_) md5_->update(bytes);
  if (sha256_) sha256_->update(bytes);
  for (Sum& sum : sums_) sum.hasher.update(bytes);
  return got;
}

base::Status RequestBody::verify() {
  if (bytes_ != expected_bytes_)
    return fail(400, "IncompleteBody",
                fmt::format("You did not provide the number of bytes specified by the "
                            "Content-Length HTTP header: {} instead of {}",
                            bytes_, expected_bytes_.value_or(0)));
  if (md5_) md5_hex_ = base::to_hex(md5_->finish());
  for (Sum& sum : sums_) sum.value = base::to_base64(sum.hasher.finish());
  if (sha256_ && base::to_hex(sha256_->finish()) != claimed_sha256_)
    return fail(400, "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.");
  if (!claimed_md5_.empty() && claimed_md5_ != md5_hex_)
    return fail(400, "BadDigest", "The Content-MD5 you specified did not match what we received.");
  if (!named_) return {};
  const auto& name = protocol::checksum_name(*named_);
  if (claimed_checksum_.empty() && chunked_ != nullptr) {
    auto trailer = chunked_->trailers().get(name.header);
    if (!trailer)
      return fail(400, "MalformedTrailerError",
                  fmt::format("The request contained trailing data that was not well-formed or did "
                              "not conform to our published schema: {} is missing",
                              name.header));
    IMGPROC_CHECK(check_digest_form(name, *trailer));
    claimed_checksum_ = *trailer;
  }
  if (claimed_checksum_ != checksum(*named_))
    return fail(
        400, "BadDigest",
        fmt::format("The {} you specified did not match the calculated checksum.", name.name));
  return {};
}

std::string RequestBody::checksum(base::HashAlgorithm algorithm) const {
  for (const Sum& sum : sums_)
    if (sum.algorithm == algorithm) return sum.value;
  return {};
}

namespace {

base::Result<std::string> read_text(Operation& operation, bool with_checksums) {
  if (!operation.request.body.size()) {
    // Chunked without a length: read it first, its size is bounded all the same.
    IMGPROC_TRY(std::string text, http::read_all(operation.request.body, kXmlBytesMax));
    operation.request.body = std::move(text);
  }
  IMGPROC_TRY(RequestBody body, RequestBody::open(operation, kXmlBytesMax, with_checksums));
  body.without_etag();
  std::string text;
  char buffer[8 * 1024];
  for (;;) {
    IMGPROC_TRY(std::size_t got, body.read(buffer));
    if (got == 0) break;
    text.append(buffer, got);
  }
  IMGPROC_CHECK(body.verify());
  return text;
}

}  // namespace

base::Result<std::string> read_text_body(Operation& operation) {
  return read_text(operation, true);
}

base::Result<std::string> read_complete_body(Operation& operation) {
  return read_text(operation, false);
}

}  // namespace imgproc::localcloud::s3
