#include "decoder/image_job.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "decoder/decoder_pool.h"
#include "decoder/protocol.h"
#include "decoder/shared_memory.h"

namespace imgproc::decoder {
namespace {

using ports::ImageOrder;
using ports::ImageResult;

/// A decoder that has died while idle is no reason to fail the image.
constexpr int kSendAttempts = 3;

ImageResult failed(std::string code, std::string message, std::string hint = {}) {
  ImageResult result;
  result.metadata.format = "unknown";
  result.metadata.content_type = "application/octet-stream";
  result.error = base::Error{std::move(code), std::move(message), false, std::move(hint)};
  return result;
}

/// The watchdog's verdict on a decoder that has given no valid answer. Ends the process.
ImageResult verdict(DecoderProcess process, const base::Error& cause, std::uint32_t timeout_ms) {
  const pid_t pid = process.pid();
  const auto timed_out = [&] {
    return failed(ports::kDecodeTimeout,
                  fmt::format("the decoder was stopped after {} ms", timeout_ms),
                  "upload a smaller or simpler picture");
  };
  ImageResult result;
  if (cause.code == kTimedOut) {
    result = timed_out();  // the process is killed with its object
  } else if (cause.code == kClosed) {
    const DecoderProcess::End end = process.end();
    if (end.out_of_time)
      result = timed_out();
    else if (end.out_of_memory)
      result =
          failed(ports::kDecoderOutOfMemory, "the decoder ran out of memory: " + end.description,
                 "upload a smaller picture");
    else
      result = failed(ports::kDecoderCrashed, "the decoder died on this image: " + end.description);
  } else {
    result = failed(ports::kDecoderCrashed, "the decoder broke its protocol: " + cause.message);
  }
  base::log_warn("decoder lost",
                 {{"pid", pid}, {"code", result.error->code}, {"cause", result.error->message}});
  return result;
}

class PooledJob final : public ports::ImageJob {
 public:
  PooledJob(DecoderPool& pool, InputMemory input, std::size_t input_bytes)
      : pool_(pool), input_(std::move(input)), input_bytes_(input_bytes) {
    input_.used = std::max(input_.used, input_bytes);
  }
  ~PooledJob() override { pool_.keep_input(std::move(input_)); }
  PooledJob(const PooledJob&) = delete;
  PooledJob& operator=(const PooledJob&) = delete;

  std::span<std::byte> input() override { return input_.memory.bytes().first(input_bytes_); }

  base::Result<ImageResult> run(const ImageOrder& order) override {
    const std::size_t size = input_bytes_;
    if (size == 0) return failed(ports::kEmptyObject, "the object has no bytes");
    if (size > order.limits.max_bytes)
      return failed(ports::kTooManyBytes,
                    fmt::format("{} bytes, more than max_bytes {}", size, order.limits.max_bytes),
                    "upload a smaller file or raise limits.max_bytes");
    IMGPROC_TRY(const std::string text, write_order(order, size));
    // Nothing of the image before may stand behind this one.
    std::ranges::fill(input_.memory.bytes().subspan(size, input_.used - size), std::byte{0});
    input_.used = size;
    IMGPROC_CHECK(input_.memory.forbid_new_writers());
    IMGPROC_TRY(output_, SharedMemory::create("imgproc-output", pool_.options().output_bytes_max));
    const std::array descriptors{input_.memory.fd(), output_.fd()};

    for (int tries = 1;; ++tries) {
      IMGPROC_TRY(DecoderProcess process, acquire_ready());
      const auto deadline =
          std::chrono::steady_clock::now() + std::chrono::milliseconds(order.timeout_ms);
      if (auto sent = process.send(text, descriptors); !sent) {
        pool_.replace();
        if (tries < kSendAttempts) continue;
        return std::unexpected(sent.error());
      }
      return finish(std::move(process), order, deadline);
    }
  }

 private:
  base::Result<DecoderProcess> acquire_ready() {
    IMGPROC_TRY(DecoderProcess process, pool_.acquire());
    const auto ready = process.await_ready(std::chrono::steady_clock::now() + kStartTimeout);
    if (ready) return process;
    const DecoderProcess::End end = process.end();
    pool_.replace();
    return base::transient(kDecoderUnavailable, "the decoder does not start: " + end.description,
                           "is the libvips library beside the decoder program?");
  }

  base::Result<ImageResult> finish(DecoderProcess process, const ImageOrder& order,
                                   base::SteadyTime deadline) {
    auto result = read_answer(process, order, deadline);
    if (result) {
      pool_.give_back(std::move(process));
      return result;
    }
    ImageResult lost = verdict(std::move(process), result.error(), order.timeout_ms);
    pool_.replace();
    return lost;
  }

  base::Result<ImageResult> read_answer(DecoderProcess& process, const ImageOrder& order,
                                        base::SteadyTime deadline) {
    IMGPROC_TRY(const Message answer, process.receive(deadline));
    // Nothing is believed before the bytes can no longer change.
    IMGPROC_CHECK(output_.freeze());
    return parse_result(answer.text, order, output_.bytes());
  }

  DecoderPool& pool_;
  InputMemory input_;
  std::size_t input_bytes_;
  SharedMemory output_;
};

}  // namespace

base::Result<std::unique_ptr<ports::ImageJob>> open_image_job(DecoderPool& pool,
                                                              std::size_t input_bytes) {
  IMGPROC_TRY(InputMemory input, pool.take_input(input_bytes));
  return std::make_unique<PooledJob>(pool, std::move(input), input_bytes);
}

}  // namespace imgproc::decoder
