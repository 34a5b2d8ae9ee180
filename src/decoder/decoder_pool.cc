#include "decoder/decoder_pool.h"

#include <fmt/format.h>

#include "base/log.h"
#include "decoder/image_job.h"

namespace imgproc::decoder {

DecoderPool::DecoderPool(DecoderOptions options)
    : options_(std::move(options)), to_start_(options_.processes) {
  command_.program = options_.program;
  command_.arguments = options_.arguments;
  command_.arguments.push_back(fmt::format("--memory-bytes-max={}", options_.memory_bytes_max));
  starter_ = std::thread([this] { start_decoders(); });
}

DecoderPool::~DecoderPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  starter_.join();
}

base::Result<std::unique_ptr<ports::ImageJob>> DecoderPool::open(std::size_t input_bytes) {
  return open_image_job(*this, input_bytes);
}

void DecoderPool::start_decoders() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || to_start_ > 0; });
    if (stopping_) break;
    --to_start_;
    lock.unlock();
    auto process = DecoderProcess::start(command_);
    lock.lock();
    if (process) {
      idle_.push_back(std::move(*process));
    } else {
      start_error_ = base::Error{kDecoderUnavailable, process.error().message, true,
                                 "the decoder program must stand beside this one"};
      ++not_started_;
    }
    changed_.notify_all();
  }
  // Ended by the thread that started them.
  idle_.clear();
}

base::Result<DecoderProcess> DecoderPool::acquire() {
  std::unique_lock lock(mutex_);
  const bool woken = changed_.wait_for(lock, options_.acquire_timeout,
                                       [this] { return !idle_.empty() || start_error_; });
  if (!idle_.empty()) {
    // The oldest first, so that all have time to load.
    DecoderProcess process = std::move(idle_.front());
    idle_.erase(idle_.begin());
    return process;
  }
  if (woken && start_error_) {
    base::Error error = *std::exchange(start_error_, std::nullopt);
    to_start_ += std::exchange(not_started_, 0);
    changed_.notify_all();
    return std::unexpected(std::move(error));
  }
  return base::transient(kDecoderBusy,
                         fmt::format("no decoder of {} was free within {} ms", options_.processes,
                                     options_.acquire_timeout.count()));
}

void DecoderPool::give_back(DecoderProcess process) {
  if (process.orders() >= options_.images_per_decoder_max) {
    (void)process.end();
    return replace();
  }
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(process));
  changed_.notify_all();
}

base::Result<InputMemory> DecoderPool::take_input(std::size_t bytes) {
  const bool keepable = options_.processes == 1 && bytes <= kInputKeptBytes;
  if (keepable) {
    const std::lock_guard lock(mutex_);
    if (input_) return *std::exchange(input_, std::nullopt);
  }
  InputMemory input;
  IMGPROC_TRY(input.memory,
              SharedMemory::create("imgproc-input", keepable ? kInputKeptBytes : bytes));
  return input;
}

void DecoderPool::keep_input(InputMemory input) {
  if (options_.processes != 1 || input.memory.bytes().size() != kInputKeptBytes) return;
  const std::lock_guard lock(mutex_);
  input_ = std::move(input);
}

void DecoderPool::replace() {
  const std::lock_guard lock(mutex_);
  ++to_start_;
  changed_.notify_all();
}

}  // namespace imgproc::decoder
