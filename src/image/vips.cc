#include "image/vips.h"

#include "ports/image_engine.h"

namespace imgproc::image {
namespace {

constexpr std::size_t kErrorTextMax = 300;

}  // namespace

std::string take_vips_error() {
  std::string text(vips_error_buffer());
  vips_error_clear();
  while (!text.empty() && text.back() == '\n') text.pop_back();
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7E)
      c = c == '\n' ? ';' : ' ';
  if (text.size() > kErrorTextMax) text.resize(kErrorTextMax);
  return text;
}

std::unexpected<base::Error> vips_failure(const char* step) {
  const std::string text = take_vips_error();
  if (text.find("out of memory") != std::string::npos ||
      text.find("ut of Memory") != std::string::npos)
    return base::permanent(
        ports::kDecoderOutOfMemory,
        std::string(step) + ": the picture needs more memory than it may use: " + text);
  return base::permanent(ports::kCorruptImage, std::string(step) + ": " + text);
}

}  // namespace imgproc::image
