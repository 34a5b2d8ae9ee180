// Runs every file of an image corpus through real decoder processes and compares the outcome with
// the manifest:
//
//   corpus --decoder=PROGRAM --corpus=FOLDER [--only=PART-OF-PATH] [--verbose] [--fresh]
//
// With --fresh every file has a decoder of its own, and its peak of memory is measured.
//
// ok        READY, the size of the manifest, and renditions that decode again and hold no metadata
// reject    a permanent, typed error
// policy    UNSUPPORTED_FORMAT
// any-safe  either of the above
//
// Whatever is expected: never a crash, never a time-out, and the same outcome twice. Writes one
// line per mismatch, then the slowest and largest files. Exits 0 if all is right, 77 if there is no
// corpus.

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iostream>

#include "base/bytes.h"
#include "base/file.h"
#include "corpus_manifest.h"
#include "decoder/decoder_pool.h"

namespace {

using namespace imgproc;
using images::CorpusFile;
using images::Expectation;

constexpr int kSkipped = 77;
constexpr std::uint32_t kTimeoutMs = 20000;
constexpr std::size_t kWorstShown = 10;

struct Options {
  std::filesystem::path decoder;
  std::filesystem::path corpus;
  std::string only;
  bool verbose = false;
  bool fresh = false;
};

struct Outcome {
  CorpusFile file;
  /// "READY", "READY degraded", or the error's code.
  std::string status;
  std::string message;
  /// Empty if as expected.
  std::string mismatch;
  /// Processor time of the decoder, as it says.
  double cpu_ms = 0;
  /// Wall-clock time of the whole job.
  double milliseconds = 0;
  /// Peak of the decoder's resident memory, shared memory included; 0 if not measured.
  double peak_mib = 0;
};

ports::ImageOrder order_of(std::vector<ports::RenditionSpec> renditions) {
  ports::ImageOrder order;
  order.timeout_ms = kTimeoutMs;
  order.renditions = std::move(renditions);
  return order;
}

/// What a small recipe asks for: a thumbnail in each of two formats, one of them cut.
ports::ImageOrder corpus_order() {
  ports::RenditionSpec thumbnail{.name = "thumbnail", .width = 200, .height = 200};
  ports::RenditionSpec avatar{.name = "avatar", .width = 96, .height = 96};
  avatar.fit = ports::Fit::cover;
  avatar.position = ports::Position::attention;
  avatar.format = ports::OutputFormat::webp;
  return order_of({thumbnail, avatar});
}

base::Result<std::unique_ptr<ports::ImageJob>> job_with(decoder::DecoderPool& pool,
                                                        std::span<const std::byte> bytes) {
  IMGPROC_TRY(auto job, pool.open(bytes.size()));
  std::ranges::copy(bytes, job->input().begin());
  return job;
}

bool holds_metadata(std::span<const std::byte> file) {
  const std::string_view text = base::as_text(file);
  return text.find(std::string_view("Exif\0\0", 6)) != std::string_view::npos ||
         text.find("http://ns.adobe.com/xap") != std::string_view::npos ||
         text.find("<x:xmpmeta") != std::string_view::npos ||
         text.find("Photoshop 3.0") != std::string_view::npos ||
         text.find("CANARY") != std::string_view::npos;
}

/// Empty if every rendition decodes to the size it claims and is free of metadata.
std::string check_renditions(decoder::DecoderPool& pool, const ports::ImageResult& result) {
  for (const ports::Rendition& rendition : result.renditions) {
    if (rendition.error) return "rendition failed: " + rendition.error->describe();
    if (holds_metadata(rendition.bytes)) return "rendition holds metadata";
    const auto job = job_with(pool, rendition.bytes);
    if (!job) return job.error().describe();
    const auto again = (*job)->run(order_of({{.name = "again", .width = 16}}));
    if (!again) return again.error().describe();
    if (again->error) return "rendition does not decode: " + again->error->describe();
    if (again->metadata.degraded) return "rendition is damaged";
    if (again->metadata.width != rendition.width || again->metadata.height != rendition.height)
      return "rendition has another size than it says";
  }
  return {};
}

std::string status_of(const ports::ImageResult& result) {
  if (result.error) return result.error->code;
  return result.metadata.degraded ? "READY degraded" : "READY";
}

/// Files that end otherwise than labelled, with what they come to; docs/corpus-exceptions.md says
/// why.
constexpr std::array kExceptions{
    std::pair<std::string_view, std::string_view>{
        "avif/libavif__color_grid_alpha_grid_tile_shared_in_dimg.avif", "CORRUPT_IMAGE"},
};

std::string mismatch_of(const CorpusFile& file, const ports::ImageResult& result) {
  if (result.error) {
    const std::string& code = result.error->code;
    if (result.error->retryable) return "the error is retryable";
    if (code == ports::kDecoderCrashed || code == ports::kDecodeTimeout ||
        code == ports::kDecoderOutOfMemory)
      return "the decoder was lost";
  }
  for (const auto& [path, status] : kExceptions)
    if (file.path == path && status_of(result) == status) return {};
  switch (file.expectation) {
    case Expectation::ok:
      // HEIC is refused by design; the optional layer is no part of the core.
      if (result.error && file.type == "heic" && result.error->code == ports::kUnsupportedFormat)
        return {};
      if (result.error) return "expected READY";
      if (file.width != 0 &&
          (result.metadata.width != file.width || result.metadata.height != file.height))
        return fmt::format("expected {} x {}, got {} x {}", file.width, file.height,
                           result.metadata.width, result.metadata.height);
      return {};
    case Expectation::reject:
      return result.error ? "" : "expected a refusal";
    case Expectation::policy:
      return result.error && result.error->code == ports::kUnsupportedFormat
                 ? ""
                 : "expected UNSUPPORTED_FORMAT";
    case Expectation::any_safe:
      return {};
  }
  return {};
}

/// VmHWM of the only child of this process, the idle decoder.
double peak_mib_of_child() {
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream children(task.path() / "children");
    int pid = 0;
    if (!(children >> pid)) continue;
    std::ifstream status(fmt::format("/proc/{}/status", pid));
    for (std::string word; status >> word;) {
      double kibibytes = 0;
      if (word == "VmHWM:" && status >> kibibytes) return kibibytes / 1024;
    }
  }
  return 0;
}

Outcome run_file(decoder::DecoderPool& pool, const Options& options, const CorpusFile& file) {
  Outcome outcome{.file = file};
  const auto bytes = base::read_file(options.corpus / file.path);
  if (!bytes) {
    outcome.mismatch = bytes.error().describe();
    return outcome;
  }
  std::string statuses[2];
  for (std::string& status : statuses) {
    const auto started = std::chrono::steady_clock::now();
    auto job = job_with(pool, base::as_bytes(*bytes));
    auto result = job ? (*job)->run(corpus_order())
                      : base::Result<ports::ImageResult>(std::unexpected(job.error()));
    if (!result) {
      outcome.mismatch = "the engine failed: " + result.error().describe();
      return outcome;
    }
    outcome.milliseconds =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - started)
            .count();
    outcome.cpu_ms = result->timings_ms["decoder_cpu"];
    if (options.fresh) outcome.peak_mib = peak_mib_of_child();
    status = status_of(*result);
    outcome.status = status;
    outcome.message = result->error ? result->error->message : "";
    outcome.mismatch = mismatch_of(file, *result);
    if (outcome.mismatch.empty() && !result->error)
      outcome.mismatch = check_renditions(pool, *result);
    if (!outcome.mismatch.empty() || options.fresh) return outcome;
  }
  if (statuses[0] != statuses[1]) outcome.mismatch = "another outcome on the second run";
  return outcome;
}

std::optional<Options> parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const auto value = [&](std::string_view name) -> std::optional<std::string> {
      if (!argument.starts_with(name)) return std::nullopt;
      return std::string(argument.substr(name.size()));
    };
    if (const auto text = value("--decoder="))
      options.decoder = *text;
    else if (const auto folder = value("--corpus="))
      options.corpus = *folder;
    else if (const auto part = value("--only="))
      options.only = *part;
    else if (argument == "--verbose")
      options.verbose = true;
    else if (argument == "--fresh")
      options.fresh = true;
    else
      return std::nullopt;
  }
  if (options.decoder.empty() || options.corpus.empty()) return std::nullopt;
  return options;
}

void print_worst(const std::vector<Outcome>& outcomes, const char* what,
                 double Outcome::* measure) {
  std::vector<const Outcome*> order;
  for (const Outcome& outcome : outcomes) order.push_back(&outcome);
  std::ranges::sort(order, [&](auto* a, auto* b) { return a->*measure > b->*measure; });
  fmt::print("worst by {}:\n", what);
  for (std::size_t i = 0; i < std::min(order.size(), kWorstShown); ++i)
    fmt::print("  {:9.1f}  {}  {}\n", order[i]->*measure, order[i]->file.path, order[i]->status);
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = parse(argc, argv);
  if (!options) {
    fmt::print(
        stderr,
        "usage: corpus --decoder=PROGRAM --corpus=FOLDER [--only=TEXT] [--verbose] [--fresh]\n");
    return 2;
  }
  if (!std::filesystem::exists(options->corpus / "MANIFEST.tsv")) {
    fmt::print("skipped: no corpus at {}\n", options->corpus.string());
    return kSkipped;
  }
  const auto files = images::read_manifest(options->corpus);
  if (!files) {
    fmt::print(stderr, "{}\n", files.error().describe());
    return 2;
  }
  auto pool =
      std::make_unique<decoder::DecoderPool>(decoder::DecoderOptions{.program = options->decoder});
  std::vector<Outcome> outcomes;
  int mismatches = 0;
  for (const CorpusFile& file : *files) {
    if (file.path.find(options->only) == std::string::npos) continue;
    if (options->fresh) {
      pool.reset();  // the old one first, so that there is one child
      pool = std::make_unique<decoder::DecoderPool>(
          decoder::DecoderOptions{.program = options->decoder});
    }
    Outcome outcome = run_file(*pool, *options, file);
    if (!outcome.mismatch.empty()) ++mismatches;
    if (options->verbose || !outcome.mismatch.empty())
      fmt::print(
          "{}\t{}\t{}\t{:.1f} ms\t{:.1f} MiB\t{}\n", outcome.mismatch.empty() ? "right" : "WRONG",
          file.path, outcome.status, outcome.cpu_ms, outcome.peak_mib,
          outcome.mismatch.empty() ? outcome.message : outcome.mismatch + " | " + outcome.message);
    std::fflush(stdout);
    outcomes.push_back(std::move(outcome));
  }
  std::map<std::string, int> by_status;
  for (const Outcome& outcome : outcomes) ++by_status[outcome.status];
  for (const auto& [status, count] : by_status) fmt::print("{:6} {}\n", count, status);
  print_worst(outcomes, "decoder's processor time, ms", &Outcome::cpu_ms);
  print_worst(outcomes, "wall-clock time, ms", &Outcome::milliseconds);
  if (options->fresh) print_worst(outcomes, "peak memory, MiB", &Outcome::peak_mib);
  fmt::print("{} of {} files as expected\n", outcomes.size() - mismatches, outcomes.size());
  return mismatches == 0 ? 0 : 1;
}
