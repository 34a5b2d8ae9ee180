// Compares image/jpeg_dc with the system's libjpeg-turbo at scale 1/8 on every JPEG below the given
// folders or files, pixel by pixel:
//
//   jpeg_dc_compare [--verbose] [--times=N] [--one-stream] PATH...
//
// What is accepted must be equal, and must have given libjpeg no cause for a warning, but that
// damage in scans of a progressive file that have no part in the picture may go unseen. Where
// chroma is flat, libjpeg is given the file without chroma's AC coefficients. With
// --times each accepted file is decoded N times by both, in turn, and the processor time of both
// and their ratio are printed (median of pairs). Exits 0 if all is right, 77 if there is no such
// path.

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <limits>
#include <map>
#include <string>

#include "base/bytes.h"
#include "base/file.h"
#include "image/jpeg_dc/jpeg_dc.h"
#include "oracle.h"

namespace {

using namespace imgproc;
namespace fs = std::filesystem;

constexpr int kSkipped = 77;

double cpu_ms() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

template <class Work>
double timed(Work work) {
  const double before = cpu_ms();
  work();
  return cpu_ms() - before;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void print_times(const std::string& name, std::span<const std::byte> file, int times,
                 std::size_t two_streams_bytes_min) {
  std::vector<double> ours, theirs, ratios;
  for (int i = 0; i < times; ++i) {
    ours.push_back(
        timed([&] { (void)image::jpeg_dc::decode_eighth(file, two_streams_bytes_min); }));
    theirs.push_back(timed([&] { (void)oracle::decode_eighth(file); }));
    ratios.push_back(ours.back() / theirs.back());
  }
  fmt::print("{:7.2f} ms {:8.2f} ms  {:5.3f}  {}\n", median(ours), median(theirs), median(ratios),
             name);
}

std::vector<fs::path> jpegs_below(const std::vector<fs::path>& roots) {
  std::vector<fs::path> files;
  for (const fs::path& root : roots) {
    if (fs::is_regular_file(root)) files.push_back(root);
    if (!fs::is_directory(root)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root))
      if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  bool verbose = false;
  int times = 0;
  std::size_t two_streams_bytes_min = image::jpeg_dc::kTwoStreamsBytesMin;
  std::vector<fs::path> roots;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--verbose")
      verbose = true;
    else if (argument == "--one-stream")
      two_streams_bytes_min = std::numeric_limits<std::size_t>::max();
    else if (argument.starts_with("--times="))
      times = std::stoi(argument.substr(8));
    else
      roots.emplace_back(argument);
  }
  const auto files = jpegs_below(roots);
  if (files.empty()) {
    fmt::print("skipped: no files in the given places\n");
    return kSkipped;
  }
  if (times > 0) fmt::print("      ours     libjpeg  ratio\n");
  int equal = 0, flat = 0, different = 0, unseen = 0, refused = 0, refused_good = 0;
  std::map<std::string, int> reasons;
  for (const fs::path& path : files) {
    const auto text = base::read_file(path);
    if (!text || !text->starts_with("\xFF\xD8")) continue;
    const auto bytes = base::as_bytes(*text);
    const auto ours = image::jpeg_dc::decode_eighth(bytes, two_streams_bytes_min);
    auto theirs = oracle::decode_eighth(bytes);
    if (!ours) {
      ++refused;
      const bool is_good = theirs.is_decoded && theirs.warnings == 0;
      refused_good += is_good ? 1 : 0;
      if (is_good) ++reasons[ours.error().message];
      if (verbose)
        fmt::print("refused{}: {}: {}\n", is_good ? " (good)" : "", path.string(),
                   ours.error().message);
      continue;
    }
    if (ours->chroma_is_flat) {
      theirs.pixels = oracle::decode_eighth(oracle::with_flat_chroma(bytes)).pixels;
      ++flat;
    }
    const bool is_right = theirs.is_decoded && (theirs.warnings == 0 || ours->is_partial) &&
                          ours->width == theirs.width && ours->height == theirs.height &&
                          ours->bands == theirs.bands && ours->pixels == theirs.pixels;
    if (theirs.warnings != 0) ++unseen;
    ++(is_right ? equal : different);
    if (!is_right)
      fmt::print("DIFFERENT: {} ({} x {} x {}, libjpeg: {} x {} x {}, decoded {}, {} warnings)\n",
                 path.string(), ours->width, ours->height, ours->bands, theirs.width, theirs.height,
                 theirs.bands, theirs.is_decoded, theirs.warnings);
    else if (times > 0)
      print_times(path.filename().string(), bytes, times, two_streams_bytes_min);
  }
  for (const auto& [reason, count] : reasons)
    fmt::print("{:6} refused though libjpeg finds no fault: {}\n", count, reason);
  fmt::print(
      "{} equal ({} with flat chroma, {} with damage unseen), {} different, {} refused ({} of them "
      "without fault)\n",
      equal, flat, unseen, different, refused, refused_good);
  return different == 0 && equal > 0 ? 0 : 1;
}
