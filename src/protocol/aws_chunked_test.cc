#include "protocol/aws_chunked.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace imgproc::protocol {
namespace {

struct Outcome {
  std::string data;
  std::string error;
  http::Headers trailers;
};

/// Hands the text out in small pieces, so that every boundary falls somewhere.
class DripReader final : public http::BodyReader {
 public:
  DripReader(std::string text, std::size_t step) : text_(std::move(text)), step_(step) {}
  base::Result<std::size_t> read(std::span<char> into) override {
    std::size_t count = std::min({into.size(), step_, text_.size() - at_});
    std::copy_n(text_.data() + at_, count, into.data());
    at_ += count;
    return count;
  }

 private:
  std::string text_;
  std::size_t step_;
  std::size_t at_ = 0;
};

Outcome unwrap(const std::string& body, AwsChunkedOptions options, std::size_t step = 1 << 20) {
  AwsChunkedReader reader(std::make_unique<DripReader>(body, step), std::move(options));
  Outcome outcome;
  char buffer[5];
  for (;;) {
    auto got = reader.read(buffer);
    if (!got) {
      outcome.error = got.error().code;
      return outcome;
    }
    if (*got == 0) break;
    outcome.data.append(buffer, *got);
  }
  outcome.trailers = reader.trailers();
  return outcome;
}

TEST(AwsChunked, UnwrapsUnsignedChunksAndTrailers) {
  std::string body = "5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n";
  for (std::size_t step : {1, 2, 3, 7, 1000}) {
    Outcome outcome = unwrap(body, {.decoded_bytes = 11, .trailers = true}, step);
    EXPECT_EQ(outcome.error, "");
    EXPECT_EQ(outcome.data, "hello world");
    EXPECT_EQ(outcome.trailers.get("x-amz-checksum-crc32"), "DUoRhQ==");
  }
}

TEST(AwsChunked, AnEmptyBodyIsOneLastChunk) {
  Outcome outcome = unwrap("0\r\n\r\n", {.decoded_bytes = 0});
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.data, "");
}

TEST(AwsChunked, HandsEverySignatureAndDigestOver) {
  std::vector<std::string> seen;
  AwsChunkedOptions options{.decoded_bytes = 3, .signed_chunks = true, .trailers = true};
  options.signatures.chunk = [&](std::string_view signature, std::string_view digest) {
    seen.push_back(std::string(signature) + " " + std::string(digest));
    return base::Status{};
  };
  options.signatures.trailer = [&](std::string_view signature, std::string_view lines) {
    seen.push_back(std::string(signature) + " " + std::string(lines));
    return base::Status{};
  };
  Outcome outcome = unwrap(
      "3;chunk-signature=aa\r\nabc\r\n0;chunk-signature=bb\r\n"
      "x-amz-checksum-crc32c:AAAAAA==\r\nx-amz-trailer-signature:cc\r\n\r\n",
      std::move(options));
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(seen,
            (std::vector<std::string>{"aa " + base::sha256_hex("abc"), "bb " + base::sha256_hex(""),
                                      "cc x-amz-checksum-crc32c:AAAAAA==\n"}));
}

TEST(AwsChunked, AWrongChunkSignatureEndsTheStream) {
  AwsChunkedOptions options{.decoded_bytes = 3, .signed_chunks = true};
  options.signatures.chunk = [](std::string_view, std::string_view) -> base::Status {
    return base::permanent("SignatureDoesNotMatch", "no");
  };
  EXPECT_EQ(unwrap("3;chunk-signature=aa\r\nabc\r\n0;chunk-signature=bb\r\n\r\n", options).error,
            "SignatureDoesNotMatch");
}

TEST(AwsChunked, MalformedFramingIsRefused) {
  struct Case {
    std::string body;
    std::string error;
  };
  for (const Case& c : std::vector<Case>{
           {"", "IncompleteBody"},
           {"5\r\nhel", "IncompleteBody"},
           {"5\r\nhello", "IncompleteBody"},
           {"5\r\nhello\r\n", "IncompleteBody"},
           {"0\r\n\r\n", "IncompleteBody"},
           {"4\r\nhell\r\n0\r\n\r\n", "IncompleteBody"},
           {"6\r\nhello!\r\n0\r\n\r\n", "InvalidChunkSizeError"},
           {"5\r\nhello!\r\n0\r\n\r\n", "InvalidChunkSizeError"},
           {"x\r\nhello\r\n0\r\n\r\n", "InvalidChunkSizeError"},
           {"\r\nhello\r\n0\r\n\r\n", "InvalidChunkSizeError"},
           {"-5\r\nhello\r\n0\r\n\r\n", "InvalidChunkSizeError"},
           {"FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n", "InvalidChunkSizeError"},
           {"FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n", "InvalidChunkSizeError"},
           {std::string(1000, '0') + "5\r\nhello\r\n0\r\n\r\n", "InvalidChunkSizeError"},
           {"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AA\r\n\r\n", "InvalidChunkSizeError"},
           {"5\r\nhello\r\n0\r\n\r\nmore", "InvalidChunkSizeError"},
       })
    EXPECT_EQ(unwrap(c.body, {.decoded_bytes = 5}).error, c.error) << c.body.substr(0, 60);
}

TEST(AwsChunked, SignedStreamsNeedSignaturesAndTrailersAreBounded) {
  EXPECT_EQ(unwrap("1\r\na\r\n0\r\n\r\n", {.decoded_bytes = 1, .signed_chunks = true}).error,
            "InvalidChunkSizeError");
  std::string many = "1\r\na\r\n0\r\n";
  for (int i = 0; i < 40; ++i) many += "x-a:b\r\n";
  EXPECT_EQ(unwrap(many + "\r\n", {.decoded_bytes = 1, .trailers = true}).error,
            "InvalidChunkSizeError");
  EXPECT_EQ(unwrap("1\r\na\r\n0\r\nnocolon\r\n\r\n", {.decoded_bytes = 1, .trailers = true}).error,
            "InvalidChunkSizeError");
}

}  // namespace
}  // namespace imgproc::protocol
