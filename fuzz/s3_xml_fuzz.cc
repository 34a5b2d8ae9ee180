// The XML and form parsers of S3 on any bytes; the first byte chooses the parser.

#include <cstdint>
#include <cstdlib>

#include "localcloud/s3/conditions.h"
#include "localcloud/s3/delete_objects.h"
#include "localcloud/s3/form_data.h"
#include "localcloud/s3/notification.h"
#include "localcloud/s3/object_headers.h"
#include "localcloud/s3/uploads.h"

namespace s3 = imgproc::localcloud::s3;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 6) {
    case 0:
      (void)s3::parse_delete(text);
      break;
    case 1:
      (void)s3::parse_complete(text);
      break;
    case 2:
      if (auto config = s3::parse_notification(text)) {
        // What was accepted can be stored and read again.
        if (!s3::parse_notification(s3::notification_xml(*config))) std::abort();
      }
      break;
    case 3:
      (void)s3::parse_tagging_xml(text, s3::kObjectTagsMax);
      break;
    case 4: {
      s3::FormReader form(imgproc::http::to_reader(imgproc::http::Body(text)), "B");
      imgproc::http::Headers fields;
      if (!form.read_fields(fields)) break;
      char buffer[5];
      for (;;) {
        auto got = form.read(buffer);
        if (!got || *got == 0) break;
      }
      break;
    }
    default: {
      s3::RangeAnswer answer = s3::parse_range(text, 1000);
      if (answer.range.first + answer.range.count > 1000) std::abort();
    }
  }
  return 0;
}
