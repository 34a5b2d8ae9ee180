// What a decoder that was taken over may answer: nothing of it may point outside the output memory.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "decoder/protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace imgproc;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const std::vector<std::byte> output(1000);
  ports::ImageOrder order;
  order.renditions = {{.name = "one"}};
  const auto result = decoder::parse_result(text, order, output);
  if (result) {
    for (const ports::Rendition& rendition : result->renditions) {
      if (rendition.error) continue;
      const auto* first = rendition.bytes.data();
      if (first < output.data() || first + rendition.bytes.size() > output.data() + output.size())
        std::abort();
    }
  }
  (void)decoder::parse_order(text);
  return 0;
}
