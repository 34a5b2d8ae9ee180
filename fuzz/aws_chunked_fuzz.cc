// The aws-chunked decoder on any bytes: it must end, and never hand out more than was declared.

#include <cstdint>
#include <cstdlib>

#include "protocol/aws_chunked.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace imgproc;
  if (size < 2) return 0;
  protocol::AwsChunkedOptions options{.decoded_bytes = data[0],
                                      .signed_chunks = (data[1] & 1) != 0,
                                      .trailers = (data[1] & 2) != 0};
  http::Body body(std::string(reinterpret_cast<const char*>(data + 2), size - 2));
  protocol::AwsChunkedReader reader(http::to_reader(std::move(body)), options);
  char buffer[7];
  std::uint64_t total = 0;
  for (;;) {
    auto got = reader.read(buffer);
    if (!got) return 0;
    if (*got == 0) break;
    total += *got;
    if (total > options.decoded_bytes) std::abort();
  }
  if (total != options.decoded_bytes) std::abort();
  return 0;
}
