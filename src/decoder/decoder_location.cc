#include "decoder/decoder_location.h"

namespace imgproc::decoder {
namespace {

#if defined(__aarch64__)
constexpr const char* kLoader = "ld-linux-aarch64.so.1";
#else
constexpr const char* kLoader = "ld-linux-x86-64.so.2";
#endif

}  // namespace

DecoderOptions decoder_in(const std::filesystem::path& folder) {
  std::filesystem::path libraries = folder / "lib";
  std::error_code ignored;
  DecoderOptions options;
  if (std::filesystem::exists(libraries / kLoader, ignored)) {
    options.program = libraries / kLoader;
    options.arguments = {"--inhibit-cache", "--library-path", libraries, libraries / "decoder"};
  } else {
    options.program = folder / "decoder";
  }
  return options;
}

}  // namespace imgproc::decoder
