// Items as clients send them: whatever is accepted must survive the way to the store and back.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/json.h"
#include "protocol/attribute_value.h"

using namespace imgproc;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto document = base::parse_json({reinterpret_cast<const char*>(data), size});
  if (!document || !document->is_object()) return 0;
  auto item = protocol::parse_attribute_map(document->get_object());
  if (!item) return 0;
  std::string text = protocol::to_json(*item);
  auto again = base::parse_json(text);
  if (!again) std::abort();
  auto same = protocol::parse_attribute_map(again->get_object());
  if (!same || !(*same == *item) || protocol::size_of(*same) != protocol::size_of(*item))
    std::abort();
  return 0;
}
