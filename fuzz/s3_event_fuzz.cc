// Object events of every envelope: untrusted JSON. What is understood keeps its bounds, and what
// the builder writes is understood.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/s3_event.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace protocol = imgproc::protocol;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto parsed = protocol::parse_events(text)) {
    for (const auto& [event, target] : parsed->events)
      if (event.bucket.empty() || event.key.empty() || event.key.size() > 1024 ||
          event.sequencer.size() > 32)
        std::abort();
  }
  if (size > 0 && size <= 1024) {
    protocol::S3EventRecord record;
    record.event_name = "ObjectCreated:Put";
    record.bucket = "bucket";
    record.key = text;
    record.sequencer = "01";
    const auto again = protocol::parse_events(protocol::build_s3_event(record));
    if (!again || again->events.size() != 1 || again->events[0].event.key != text) std::abort();
  }
  return 0;
}
