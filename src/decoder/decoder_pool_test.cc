// The pool against decoders that misbehave in every way we know. The decoder here is this test
// program itself, started with --play-decoder: what it does stands in the input.

#include "decoder/decoder_pool.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <new>

#include "base/bytes.h"
#include "base/sanitizer.h"
#include "decoder/control_socket.h"
#include "decoder/protocol.h"
#include "decoder/serve.h"
#include "decoder/shared_memory.h"

namespace imgproc::decoder {
namespace {

using ports::ImageOrder;
using ports::ImageResult;

constexpr const char* kPlayDecoder = "--play-decoder";
constexpr const char* kPlayBrokenInstallation = "--play-broken-installation";

// --- The decoder's side ------------------------------------------------------------------------

ImageResult echo(std::span<const std::byte> input, const ImageOrder& order,
                 const AllocateOutput& allocate) {
  ImageResult result;
  result.metadata.format = "text";
  for (const ports::RenditionSpec& spec : order.renditions) {
    const std::span<std::byte> room = allocate(input.size());
    if (room.size() != input.size()) std::abort();
    std::ranges::copy(input, room.begin());
    result.renditions.push_back({spec.name, 1, 1, ports::OutputFormat::jpeg, room, {}});
  }
  return result;
}

/// What a decoder has and may: "environment=0 descriptors=0,1,2,3, ...".
std::string describe_self() {
  int variables = 0;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) ++variables;
  std::string descriptors;
  // Input and output memory are open too while an order runs; they stand at the end.
  for (int fd = 0; fd < 1024; ++fd)
    if (::fcntl(fd, F_GETFD) >= 0) descriptors += std::to_string(fd) + ",";
  rlimit core{}, files{}, size{};
  ::getrlimit(RLIMIT_CORE, &core);
  ::getrlimit(RLIMIT_NOFILE, &files);
  ::getrlimit(RLIMIT_FSIZE, &size);
  return "environment=" + std::to_string(variables) + " descriptors=" + descriptors +
         " core=" + std::to_string(core.rlim_max) + " files=" + std::to_string(files.rlim_max) +
         " size=" + std::to_string(size.rlim_max) +
         " no_new_privs=" + std::to_string(::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)) +
         " dumpable=" + std::to_string(::prctl(PR_GET_DUMPABLE)) +
         " group=" + (::getpgrp() == ::getpid() ? "own" : "shared");
}

/// Bytes other than zero behind the image in the input memory, as a decoder that was taken over
/// would look for them. The memory is the first descriptor after the control socket.
std::ptrdiff_t bytes_behind(std::size_t image_bytes) {
  const auto whole =
      SharedMemory::map(base::FileDescriptor(::dup(kControlFd + 1)), SharedMemory::Access::read);
  if (!whole || whole->bytes().size() < kInputKeptBytes) return -1;
  return std::ranges::count_if(whole->bytes().subspan(image_bytes),
                               [](std::byte b) { return b != std::byte{0}; });
}

void answer_and_wait(std::string_view text) {
  (void)send_message(kControlFd, text);
  while (true) ::pause();
}

base::Result<ImageResult> misbehave(std::span<const std::byte> input, const ImageOrder& order,
                                    const AllocateOutput& allocate) {
  const std::string_view act = base::as_text(input);
  if (act == "abort") std::abort();
  if (act == "exit") ::_exit(3);
  if (act == "hang") {
    while (true) ::pause();
  }
  if (act == "hang deaf") {
    ::close(kControlFd);
    while (true) ::pause();
  }
  if (act == "killed by the system") ::raise(SIGKILL);
  if (act == "grow") {
    std::vector<std::unique_ptr<char[]>> held;
    while (true) {
      held.push_back(std::make_unique<char[]>(1 << 20));
      held.back()[0] = 1;
    }
  }
  if (act == "lie about offsets")
    answer_and_wait(
        R"({"metadata":{"format":"jpeg","content_type":"image/jpeg","width":1,"height":1,"pages":1,)"
        R"("orientation":1,"has_alpha":false,"color_space":"","icc_profile":"","exif":{},)"
        R"("taken_at":"","dominant_color":"","blurhash":"","thumbhash":"","phash":"","degraded":false},"timings_ms":{},"renditions":[{"format":"jpeg",)"
        R"("width":1,"height":1,"offset":4294967296,"length":4294967296}]})");
  if (act == "talk nonsense") answer_and_wait("{\"renditions\":");
  if (act == "talk too much") answer_and_wait(std::string(kMessageBytesMax + 1, ' '));
  if (act == "keep writing") {
    // A valid answer, while the output stays mapped for writing.
    const ImageResult result = echo(input, order, allocate);
    const auto start = result.renditions[0].bytes.data();
    answer_and_wait(*write_result(result, {start, result.renditions[0].bytes.size()}));
  }
  if (act == "describe") {
    const std::string text = describe_self();
    return echo(base::as_bytes(text), order, allocate);
  }
  if (act == "look behind") {
    const std::string text = std::to_string(bytes_behind(input.size()));
    return echo(base::as_bytes(text), order, allocate);
  }
  if (act == "pid") {
    const std::string text = std::to_string(::getpid());
    return echo(base::as_bytes(text), order, allocate);
  }
  return echo(input, order, allocate);
}

int play_decoder(int argc, char** argv) {
  std::uint64_t memory_bytes_max = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with("--memory-bytes-max="))
      memory_bytes_max = base::parse_unsigned(argument.substr(19)).value_or(0);
  }
  std::set_new_handler([] { ::_exit(kExitOutOfMemory); });
  if (!limit_self(memory_bytes_max)) return 1;
  return serve(kControlFd, misbehave) ? 0 : 1;
}

// --- The parent's side -------------------------------------------------------------------------

class PoolTest : public testing::Test {
 protected:
  static DecoderOptions options() {
    DecoderOptions result;
    result.program = std::filesystem::read_symlink("/proc/self/exe");
    result.arguments = {kPlayDecoder};
    result.memory_bytes_max = 64 << 20;
    result.output_bytes_max = 1 << 20;
    return result;
  }

  /// A pool that lives as long as the test, or until the next one is started.
  DecoderPool& start(const DecoderOptions& with) {
    job_.reset();
    return pool_.emplace(with);
  }

  /// Runs one order on `text`; the job's memory lives until the next call.
  base::Result<ImageResult> run(DecoderPool& pool, std::string_view text,
                                std::uint32_t timeout_ms = 20000) {
    job_.reset();
    auto job = pool.open(text.size());
    if (!job) return std::unexpected(job.error());
    job_ = std::move(*job);
    std::ranges::copy(base::as_bytes(text), job_->input().begin());
    ImageOrder order;
    order.timeout_ms = timeout_ms;
    order.renditions = {{.name = "copy"}};
    return job_->run(order);
  }

  std::string rendition_of(DecoderPool& pool, std::string_view text) {
    const auto result = run(pool, text);
    if (!result) return result.error().describe();
    if (result->error) return result->error->describe();
    return std::string(base::as_text(result->renditions.at(0).bytes));
  }

  /// What becomes of the image, and that the very next one succeeds.
  void expect_loss(std::string_view act, const char* code, std::uint32_t timeout_ms = 20000) {
    DecoderPool& pool = start(options());
    const auto result = run(pool, act, timeout_ms);
    ASSERT_TRUE(result) << result.error().describe();
    ASSERT_TRUE(result->error) << act;
    EXPECT_EQ(result->error->code, code) << result->error->message;
    EXPECT_FALSE(result->error->retryable);
    EXPECT_TRUE(result->renditions.empty());
    EXPECT_EQ(rendition_of(pool, "a good one"), "a good one");
  }

  std::optional<DecoderPool> pool_;
  std::unique_ptr<ports::ImageJob> job_;
};

TEST_F(PoolTest, BytesGoThereAndBack) {
  DecoderPool& pool = start(options());
  for (const char* text : {"one", "two", "three"}) EXPECT_EQ(rendition_of(pool, text), text);
}

TEST_F(PoolTest, DecoderHasNothingToSteal) {
  DecoderPool& pool = start(options());
  const std::string self = rendition_of(pool, "describe");
  EXPECT_NE(self.find("environment=0 "), std::string::npos) << self;
  // Standard files on /dev/null, the control socket, input and output memory.
  EXPECT_NE(self.find("descriptors=0,1,2,3,4,5, "), std::string::npos) << self;
  EXPECT_NE(self.find("core=0 files=64 size=0 no_new_privs=1 dumpable=0 group=own"),
            std::string::npos)
      << self;
}

TEST_F(PoolTest, MemoryIsUsedAgainWithoutTheImageBefore) {
  DecoderPool& pool = start(options());
  const std::string large(100000, 'x');
  EXPECT_EQ(rendition_of(pool, large), large);
  const std::byte* at = job_->input().data();
  EXPECT_EQ(rendition_of(pool, "look behind"), "0");
  EXPECT_EQ(job_->input().data(), at);
  // One that was given up before its order: what it has left is gone as well.
  job_.reset();
  {
    auto given_up = pool.open(large.size());
    ASSERT_TRUE(given_up);
    EXPECT_EQ((*given_up)->input().data(), at);
    std::ranges::copy(base::as_bytes(large), (*given_up)->input().begin());
  }
  EXPECT_EQ(rendition_of(pool, "look behind"), "0");
}

TEST_F(PoolTest, EveryJobHasMemoryOfItsOwn) {
  DecoderPool& pool = start(options());
  {
    auto one = pool.open(10);
    auto two = pool.open(10);
    auto huge = pool.open(kInputKeptBytes + 1);
    ASSERT_TRUE(one && two && huge);
    EXPECT_NE((*one)->input().data(), (*two)->input().data());
    EXPECT_EQ((*huge)->input().size(), kInputKeptBytes + 1);
  }
  DecoderOptions many = options();
  many.processes = 2;
  DecoderPool& shared = start(many);
  // A second decoder must not see what the first was given.
  EXPECT_EQ(rendition_of(shared, "look behind"), "-1");
}

TEST_F(PoolTest, CrashIsThisImagesFault) {
  expect_loss("abort", ports::kDecoderCrashed);
  expect_loss("exit", ports::kDecoderCrashed);
}

TEST_F(PoolTest, HangIsEndedByTheWatchdog) {
  expect_loss("hang", ports::kDecodeTimeout, 50);
  expect_loss("hang deaf", ports::kDecoderCrashed);
}

TEST_F(PoolTest, MemoryIsBounded) {
#ifndef IMGPROC_SANITIZED
  expect_loss("grow", ports::kDecoderOutOfMemory);
#endif
  expect_loss("killed by the system", ports::kDecoderOutOfMemory);
}

TEST_F(PoolTest, LiesAreNotBelieved) {
  expect_loss("lie about offsets", ports::kDecoderCrashed);
  expect_loss("talk nonsense", ports::kDecoderCrashed);
  expect_loss("talk too much", ports::kDecoderCrashed);
  expect_loss("keep writing", ports::kDecoderCrashed);
}

TEST_F(PoolTest, DecoderIsReplacedAfterItsTime) {
  DecoderOptions few = options();
  few.images_per_decoder_max = 2;
  DecoderPool& pool = start(few);
  const std::string first = rendition_of(pool, "pid");
  EXPECT_EQ(rendition_of(pool, "pid"), first);
  EXPECT_NE(rendition_of(pool, "pid"), first);
}

TEST_F(PoolTest, DecoderThatDiedIdleIsReplacedUnseen) {
  DecoderPool& pool = start(options());
  const std::string first = rendition_of(pool, "pid");
  ASSERT_EQ(::kill(static_cast<pid_t>(base::parse_unsigned(first).value()), SIGKILL), 0);
  // Its end must be known before the next order is sent, else the order would be lost with it.
  auto dead = pool.acquire();
  ASSERT_TRUE(dead);
  EXPECT_EQ(dead->receive(std::chrono::steady_clock::now() + std::chrono::seconds(20)).error().code,
            kClosed);
  pool.give_back(std::move(*dead));
  EXPECT_NE(rendition_of(pool, "pid"), first);
}

TEST_F(PoolTest, SeveralWorkSideBySide) {
  DecoderOptions two = options();
  two.processes = 2;
  DecoderPool& pool = start(two);
  auto first = pool.acquire();
  auto second = pool.acquire();
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->pid(), second->pid());
}

TEST_F(PoolTest, WaitingForADecoderIsBounded) {
  DecoderOptions impatient = options();
  impatient.acquire_timeout = std::chrono::milliseconds(1000);
  DecoderPool& pool = start(impatient);
  auto held = pool.acquire();
  ASSERT_TRUE(held) << held.error().describe();
  const auto second = pool.acquire();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, kDecoderBusy);
  EXPECT_TRUE(second.error().retryable);
}

TEST_F(PoolTest, MissingProgramIsTheInstallationsFault) {
  DecoderOptions none = options();
  none.program = "/nonexistent/decoder";
  DecoderPool& pool = start(none);
  for (int i = 0; i < 2; ++i) {
    const auto result = run(pool, "x");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, kDecoderUnavailable);
    EXPECT_TRUE(result.error().retryable);
  }
}

TEST_F(PoolTest, DecoderThatNeverGetsReadyIsTheInstallationsFault) {
  DecoderOptions broken = options();
  broken.arguments = {kPlayBrokenInstallation};
  DecoderPool& pool = start(broken);
  const auto result = run(pool, "x");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, kDecoderUnavailable);
  EXPECT_NE(result.error().message.find("exit status 127"), std::string::npos);
}

TEST_F(PoolTest, RefusesBeforeAnythingIsSent) {
  DecoderPool& pool = start(options());
  auto result = run(pool, "");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->error->code, ports::kEmptyObject);

  auto job = pool.open(11);
  ASSERT_TRUE(job);
  ImageOrder order;
  order.limits.max_bytes = 10;
  result = (*job)->run(order);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->error->code, ports::kTooManyBytes);
}

TEST(SharedMemory, FrozenBytesCannotBeChangedByAnyone) {
  auto memory = SharedMemory::create("test", 100);
  ASSERT_TRUE(memory);
  memory->bytes()[0] = std::byte{42};
  {
    auto other =
        SharedMemory::map(base::FileDescriptor(::dup(memory->fd())), SharedMemory::Access::write);
    ASSERT_TRUE(other);
    EXPECT_EQ(other->bytes()[0], std::byte{42});
    EXPECT_FALSE(memory->freeze());
  }
  ASSERT_TRUE(memory->freeze());
  EXPECT_EQ(memory->bytes()[0], std::byte{42});
  EXPECT_FALSE(
      SharedMemory::map(base::FileDescriptor(::dup(memory->fd())), SharedMemory::Access::write));
  EXPECT_NE(::ftruncate(memory->fd(), 0), 0);
}

TEST(SharedMemory, ReadersCannotBecomeWriters) {
  auto memory = SharedMemory::create("test", 100);
  ASSERT_TRUE(memory);
  ASSERT_TRUE(memory->forbid_new_writers());
  memory->bytes()[0] = std::byte{7};
  EXPECT_FALSE(
      SharedMemory::map(base::FileDescriptor(::dup(memory->fd())), SharedMemory::Access::write));
  const auto reader =
      SharedMemory::map(base::FileDescriptor(::dup(memory->fd())), SharedMemory::Access::read);
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->bytes()[0], std::byte{7});
}

TEST(SharedMemory, EmptyIsAllowedAndUnsealedIsNot) {
  auto empty = SharedMemory::create("test", 0);
  ASSERT_TRUE(empty);
  EXPECT_TRUE(empty->bytes().empty());
  base::FileDescriptor plain(::open("/dev/null", O_RDWR));
  EXPECT_FALSE(SharedMemory::map(std::move(plain), SharedMemory::Access::read));
}

}  // namespace
}  // namespace imgproc::decoder

int main(int argc, char** argv) {
  using namespace imgproc::decoder;
  if (argc > 1 && std::string_view(argv[1]) == kPlayBrokenInstallation) return 127;
  if (argc > 1 && std::string_view(argv[1]) == kPlayDecoder) return play_decoder(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
