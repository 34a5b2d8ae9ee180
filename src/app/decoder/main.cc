// The decoder: the only program that sees the bytes of images, and the only one that links libvips.
// Started by decoder::DecoderPool with nothing but a control socket; not for the command line.

#include <malloc.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <string_view>

#include "base/bytes.h"
#include "decoder/protocol.h"
#include "decoder/serve.h"
#include "image/process_image.h"

namespace {

using namespace imgproc;

constexpr std::string_view kMemoryOption = "--memory-bytes-max=";

/// The largest piece that the heap holds, and the most that it keeps free at its end; glibc takes
/// no more for the former.
constexpr int kKeptBytesMax = 32 << 20;

[[noreturn]] void out_of_memory() {
  ::_exit(decoder::kExitOutOfMemory);
}

bool is_control_socket(int fd) {
  int type = 0;
  socklen_t size = sizeof(type);
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

base::Status run(std::uint64_t memory_bytes_max) {
  IMGPROC_CHECK(decoder::limit_self(memory_bytes_max));
  IMGPROC_CHECK(image::initialise("decoder", out_of_memory));
  return decoder::serve(decoder::kControlFd, image::process_image);
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t memory_bytes_max = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with(kMemoryOption))
      memory_bytes_max = base::parse_unsigned(argument.substr(kMemoryOption.size())).value_or(0);
  }
  if (!is_control_socket(decoder::kControlFd)) {
    std::fputs("decoder is started by bootstrap and imgproc; try: imgproc process FILE\n", stderr);
    return EXIT_FAILURE;
  }
  // One heap for all threads: those of the codecs do not each keep their own. It keeps what is
  // freed, pictures too: for five renditions of 13 MP that halves the time in the kernel.
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_MMAP_THRESHOLD, kKeptBytesMax);
  ::mallopt(M_TRIM_THRESHOLD, kKeptBytesMax);
  std::set_new_handler(out_of_memory);
  ::setenv("VIPS_BLOCK_UNTRUSTED", "1", 1);
  try {
    return run(memory_bytes_max) ? EXIT_SUCCESS : EXIT_FAILURE;
  } catch (const std::exception&) {
    return EXIT_FAILURE;
  }
}
