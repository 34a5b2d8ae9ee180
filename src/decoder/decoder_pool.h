#pragma once
// ports::ImageEngine over decoder processes: starts them, watches them, replaces them.

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "decoder/decoder_process.h"
#include "decoder/shared_memory.h"
#include "ports/image_engine.h"

namespace imgproc::decoder {

/// A decoder is replaced after so many images, so that nothing it may have kept lives on.
inline constexpr std::uint32_t kImagesPerDecoderMax = 1000;
/// What one decoder may allocate.
inline constexpr std::uint64_t kMemoryBytesMax = std::uint64_t{1} << 30;
/// All renditions of one image together. Only pages that are written cost memory.
inline constexpr std::size_t kOutputBytesMax = std::size_t{256} << 20;
/// A pool of one decoder keeps input memory of this size for the next image: fresh pages of a
/// photograph cost more than its download. Larger images get memory of their own.
inline constexpr std::size_t kInputKeptBytes = std::size_t{16} << 20;
/// How long a caller waits for a free decoder before DECODER_BUSY.
inline constexpr std::chrono::milliseconds kAcquireTimeout{60000};
/// How long a decoder may take to load its libraries.
inline constexpr std::chrono::milliseconds kStartTimeout{20000};

/// All decoders are at work; retryable.
inline constexpr const char* kDecoderBusy = "DECODER_BUSY";
/// The decoder does not start: a matter of installation, not of the image; retryable.
inline constexpr const char* kDecoderUnavailable = "DECODER_UNAVAILABLE";

/// Memory for an image's bytes.
struct InputMemory {
  SharedMemory memory;
  /// All bytes behind so many are zero.
  std::size_t used = 0;
};

struct DecoderOptions {
  /// The decoder program, as it stands beside ours.
  std::filesystem::path program;
  /// How many run side by side.
  std::size_t processes = 1;
  std::uint64_t memory_bytes_max = kMemoryBytesMax;
  std::size_t output_bytes_max = kOutputBytesMax;
  std::uint32_t images_per_decoder_max = kImagesPerDecoderMax;
  std::chrono::milliseconds acquire_timeout = kAcquireTimeout;
  /// Further arguments for the program (tests).
  std::vector<std::string> arguments;
};

/// Thread-safe. Decoders are started when the pool is made, in the background, and whenever one has
/// died or served its time. Jobs must not outlive the pool.
///
/// What a decoder's end means for the image in work (ImageResult::error, all permanent):
///   no answer within ImageOrder::timeout_ms   killed, DECODE_TIMEOUT
///   memory refused, or killed by the system   DECODER_OUT_OF_MEMORY
///   any other end, or an answer that lies     DECODER_CRASHED
class DecoderPool final : public ports::ImageEngine {
 public:
  explicit DecoderPool(DecoderOptions options);
  ~DecoderPool() override;
  DecoderPool(const DecoderPool&) = delete;
  DecoderPool& operator=(const DecoderPool&) = delete;

  [[nodiscard]] base::Result<std::unique_ptr<ports::ImageJob>> open(
      std::size_t input_bytes) override;

  /// Takes a free decoder out of the pool, waiting up to acquire_timeout for one.
  [[nodiscard]] base::Result<DecoderProcess> acquire();
  /// Gives it back for the next image, or ends it if it has served its time.
  void give_back(DecoderProcess process);
  /// For one that is dead or was ended by the caller: starts another in its place.
  void replace();

  /// Memory of at least `bytes` bytes that no other job has: what the job before gave back, or new.
  [[nodiscard]] base::Result<InputMemory> take_input(std::size_t bytes);
  /// For the next job. The decoder that has seen it is the one that would see the next image too.
  void keep_input(InputMemory input);

  [[nodiscard]] const DecoderOptions& options() const { return options_; }

 private:
  void start_decoders();

  const DecoderOptions options_;
  DecoderCommand command_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<DecoderProcess> idle_;
  std::size_t to_start_ = 0;
  /// Decoders that could not be started, and why; the next caller gets the reason and another try.
  std::size_t not_started_ = 0;
  std::optional<base::Error> start_error_;
  std::optional<InputMemory> input_;
  bool stopping_ = false;
  /// The one thread that starts processes: it lives as long as they do.
  std::thread starter_;
};

}  // namespace imgproc::decoder
