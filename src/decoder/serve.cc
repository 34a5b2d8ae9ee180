#include "decoder/serve.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>
#include <chrono>
#include <csignal>

#include "base/sanitizer.h"
#include "decoder/control_socket.h"
#include "decoder/protocol.h"
#include "decoder/shared_memory.h"

namespace imgproc::decoder {
namespace {

constexpr rlim_t kDescriptorsOpenMax = 64;
/// Beyond an order's own time-out, for the case that the parent's watchdog is gone.
constexpr rlim_t kCpuSecondsSpare = 10;
/// Renditions start at multiples of this, as allocators align.
constexpr std::size_t kOutputAlignment = 64;

base::Status limit(decltype(RLIMIT_CORE) resource, rlim_t value, const char* name) {
  const rlimit bound{value, value};
  if (::setrlimit(resource, &bound) != 0)
    return base::system_error(std::string("setrlimit ") + name, errno);
  return {};
}

/// Processor time of this process so far, all threads.
std::chrono::duration<double, std::milli> cpu_spent() {
  rusage used{};
  (void)::getrusage(RUSAGE_SELF, &used);
  const auto milliseconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
  };
  return std::chrono::duration<double, std::milli>(milliseconds(used.ru_utime) +
                                                   milliseconds(used.ru_stime));
}

/// A soft limit only, renewed with each order: the time spent so far plus what this order may take.
void limit_cpu(std::uint32_t timeout_ms) {
  rlimit bound{};
  if (::getrlimit(RLIMIT_CPU, &bound) != 0) return;
  const auto spent = std::chrono::duration_cast<std::chrono::seconds>(cpu_spent());
  bound.rlim_cur = static_cast<rlim_t>(spent.count()) + timeout_ms / 1000 + kCpuSecondsSpare;
  (void)::setrlimit(RLIMIT_CPU, &bound);
}

base::Status answer(int control_fd, Message message, const ProcessImage& process) {
  if (message.descriptors.size() != 2)
    return base::permanent("INVALID_ORDER", "an order comes with two descriptors");
  IMGPROC_TRY(const Order all, parse_order(message.text));
  const ports::ImageOrder& order = all.image;
  // What lies behind the image is not mapped, so that reading too far ends the process.
  IMGPROC_TRY(const SharedMemory input,
              SharedMemory::map(std::move(message.descriptors[0]), SharedMemory::Access::read,
                                all.input_bytes));
  std::string text;
  {
    // Unmapped before the answer is sent: the parent then freezes the output.
    IMGPROC_TRY(const SharedMemory output,
                SharedMemory::map(std::move(message.descriptors[1]), SharedMemory::Access::write));
    std::size_t used = 0;
    const auto allocate = [&](std::size_t bytes) -> std::span<std::byte> {
      if (bytes > output.bytes().size() - used) return {};
      const auto room = output.bytes().subspan(used, bytes);
      const std::size_t next = (used + bytes + kOutputAlignment - 1) / kOutputAlignment;
      used = std::min(next * kOutputAlignment, output.bytes().size());
      return room;
    };
    limit_cpu(order.timeout_ms);
    const auto before = cpu_spent();
    IMGPROC_TRY(ports::ImageResult result, process(input.bytes(), order, allocate));
    result.timings_ms["decoder_cpu"] = (cpu_spent() - before).count();
    IMGPROC_TRY(text, write_result(result, output.bytes()));
  }
  return send_message(control_fd, text);
}

}  // namespace

base::Status limit_self(std::uint64_t memory_bytes_max) {
  // Sanitizers reserve terabytes of address space as private data.
#ifndef IMGPROC_SANITIZED
  // RLIMIT_DATA counts private writable memory: what is allocated, but neither program text nor the
  // shared memory of input and output, which RLIMIT_AS would.
  if (memory_bytes_max != 0) IMGPROC_CHECK(limit(RLIMIT_DATA, memory_bytes_max, "RLIMIT_DATA"));
#endif
  (void)memory_bytes_max;
  IMGPROC_CHECK(limit(RLIMIT_NOFILE, kDescriptorsOpenMax, "RLIMIT_NOFILE"));
  IMGPROC_CHECK(limit(RLIMIT_FSIZE, 0, "RLIMIT_FSIZE"));
  IMGPROC_CHECK(limit(RLIMIT_CORE, 0, "RLIMIT_CORE"));
  // Lambda may refuse single prctl calls; none of them is worth not working at all.
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
  (void)::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  (void)::prctl(PR_SET_DUMPABLE, 0);
  return {};
}

base::Status serve(int control_fd, const ProcessImage& process) {
  IMGPROC_CHECK(send_message(control_fd, R"({"ready":true})"));
  while (true) {
    auto message = receive_message(control_fd, std::nullopt);
    if (!message && message.error().code == kClosed) return {};
    if (!message) return std::unexpected(std::move(message).error());
    IMGPROC_CHECK(answer(control_fd, std::move(*message), process));
  }
}

}  // namespace imgproc::decoder
