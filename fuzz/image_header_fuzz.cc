// Everything that reads image bytes in our own code: sniffing, header walkers, EXIF, ICC names.

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "image/exif.h"
#include "image/header.h"
#include "image/icc_name.h"
#include "image/sniff.h"
#include "require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace imgproc;
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  require(!image::name_of(image::sniff(bytes)).empty());
  for (const auto type : {image::FileType::jpeg, image::FileType::png, image::FileType::webp,
                          image::FileType::gif, image::FileType::tiff, image::FileType::avif}) {
    const auto header = image::read_header(type, bytes);
    if (!header) continue;
    require(header->width > 0 && header->height > 0);
    require(header->frames <= image::kFramesCountedMax);
    require(header->scans <= image::kScansCountedMax);
  }
  const image::Exif exif = image::parse_exif(bytes);
  for (const auto& [name, value] : exif.values) {
    const auto* text = std::get_if<std::string>(&value);
    if (text != nullptr) require(base::is_utf8(*text));
  }
  require(image::icc_name(bytes).size() <= image::kIccNameBytesMax + 3);
  return 0;
}
