#include "protocol/aws_chunked.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/bytes.h"

namespace imgproc::protocol {
namespace {

constexpr std::size_t kBufferBytes = 16 * 1024;
/// A chunk size has at most 16 hexadecimal digits: it must fit 64 bits.
constexpr std::size_t kSizeDigitsMax = 16;

std::unexpected<base::Error> malformed(std::string message) {
  return std::unexpected(base::Error{.code = "InvalidChunkSizeError",
                                     .message = std::move(message),
                                     .hint = "the body is not valid aws-chunked data",
                                     .http_status = 400});
}

std::unexpected<base::Error> incomplete() {
  return std::unexpected(base::Error{.code = "IncompleteBody",
                                     .message = "The request body terminated unexpectedly",
                                     .http_status = 400});
}

}  // namespace

AwsChunkedReader::AwsChunkedReader(std::unique_ptr<http::BodyReader> source,
                                   AwsChunkedOptions options)
    : source_(std::move(source)), options_(std::move(options)), buffer_(kBufferBytes, '\0') {}

base::Result<int> AwsChunkedReader::next_byte() {
  if (buffer_at_ == buffer_end_) {
    IMGPROC_TRY(buffer_end_, source_->read(buffer_));
    buffer_at_ = 0;
    if (buffer_end_ == 0) return -1;
  }
  return static_cast<unsigned char>(buffer_[buffer_at_++]);
}

base::Result<std::string> AwsChunkedReader::read_line(std::size_t bytes_max) {
  std::string line;
  for (;;) {
    IMGPROC_TRY(int byte, next_byte());
    if (byte < 0) return incomplete();
    if (byte == '\n') {
      // Some clients end trailer lines with a bare line feed.
      if (line.ends_with('\r')) line.pop_back();
      return line;
    }
    if (line.size() > bytes_max)
      return malformed(
          fmt::format("a line of the chunk framing has more than {} bytes", bytes_max));
    line += static_cast<char>(byte);
  }
}

base::Status AwsChunkedReader::expect_line_end() {
  for (char expected : {'\r', '\n'}) {
    IMGPROC_TRY(int byte, next_byte());
    if (byte < 0) return incomplete();
    if (byte != expected) return malformed("a chunk is longer than its declared size");
  }
  return {};
}

base::Status AwsChunkedReader::begin_chunk() {
  IMGPROC_TRY(std::string line, read_line(kChunkLineBytesMax));
  std::string_view digits = std::string_view(line).substr(0, line.find(';'));
  if (digits.empty() || digits.size() > kSizeDigitsMax)
    return malformed("a chunk does not start with its size");
  std::uint64_t size = 0;
  for (char c : digits) {
    int value = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
    if (value < 0) return malformed("a chunk size is not hexadecimal");
    size = size << 4 | static_cast<std::uint64_t>(value);
  }
  constexpr std::string_view kSignature = ";chunk-signature=";
  std::string_view rest = std::string_view(line).substr(digits.size());
  signature_.clear();
  if (rest.starts_with(kSignature)) signature_ = rest.substr(kSignature.size());
  if (options_.signed_chunks && signature_.empty()) return malformed("a chunk has no signature");
  if (size > options_.decoded_bytes - decoded_)
    return malformed(
        fmt::format("the chunks hold more than the declared {} bytes", options_.decoded_bytes));
  chunk_left_ = size;
  in_chunk_ = true;
  if (options_.signed_chunks && options_.signatures.chunk)
    chunk_hash_ = std::make_unique<base::Hasher>(base::HashAlgorithm::sha256);
  return {};
}

base::Status AwsChunkedReader::end_chunk() {
  in_chunk_ = false;
  if (!chunk_hash_) return {};
  std::string digest = base::to_hex(chunk_hash_->finish());
  chunk_hash_.reset();
  return options_.signatures.chunk(signature_, digest);
}

base::Status AwsChunkedReader::read_trailers() {
  std::string canonical;
  std::string signature;
  std::size_t bytes = 0;
  std::size_t count = 0;
  for (;;) {
    // The empty line at the end is missing in some clients' bodies: the end of the body does too.
    IMGPROC_TRY(int byte, next_byte());
    if (byte < 0) break;
    --buffer_at_;
    IMGPROC_TRY(std::string line, read_line(kTrailerBytesMax));
    if (line.empty()) break;
    bytes += line.size();
    if (++count > kTrailersMax || bytes > kTrailerBytesMax)
      return malformed("the trailer is too long");
    auto colon = line.find(':');
    if (colon == std::string::npos || colon == 0)
      return malformed("a trailer line is not `name:value`");
    if (!options_.trailers) return malformed("a trailer came that was not announced");
    std::string name = base::to_lower(base::trim(std::string_view(line).substr(0, colon)));
    std::string value{base::trim(std::string_view(line).substr(colon + 1))};
    if (name == "x-amz-trailer-signature") {
      signature = value;
    } else {
      canonical += name + ":" + value + "\n";
      trailers_.add(std::move(name), std::move(value));
    }
  }
  if (options_.signed_chunks && options_.trailers && options_.signatures.trailer)
    return options_.signatures.trailer(signature, canonical);
  return {};
}

base::Status AwsChunkedReader::finish() {
  IMGPROC_CHECK(end_chunk());
  if (decoded_ != options_.decoded_bytes) return incomplete();
  IMGPROC_CHECK(read_trailers());
  for (;;) {
    IMGPROC_TRY(int byte, next_byte());
    if (byte < 0) break;
    if (byte != '\r' && byte != '\n') return malformed("data follows the last chunk");
  }
  done_ = true;
  return {};
}

base::Result<std::size_t> AwsChunkedReader::read(std::span<char> into) {
  if (done_ || into.empty()) return 0;
  if (!in_chunk_) {
    IMGPROC_CHECK(begin_chunk());
    if (chunk_left_ == 0) {
      IMGPROC_CHECK(finish());
      return 0;
    }
  }
  auto want = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), chunk_left_));
  std::size_t got = std::min(want, buffer_end_ - buffer_at_);
  if (got > 0) {
    std::memcpy(into.data(), buffer_.data() + buffer_at_, got);
    buffer_at_ += got;
  } else {
    // Large reads go straight to the caller, without a copy through the buffer.
    IMGPROC_TRY(got, source_->read(into.first(want)));
    if (got == 0) return incomplete();
  }
  if (chunk_hash_) chunk_hash_->update({into.data(), got});
  chunk_left_ -= got;
  decoded_ += got;
  if (chunk_left_ == 0) {
    IMGPROC_CHECK(expect_line_end());
    IMGPROC_CHECK(end_chunk());
  }
  return got;
}

}  // namespace imgproc::protocol
