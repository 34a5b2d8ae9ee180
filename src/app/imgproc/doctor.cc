// imgproc doctor: what is missing on this machine, or too old, and what to do about it.

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>

#include "app/imgproc/commands.h"
#include "app/imgproc/files.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/random.h"

namespace imgproc::app {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kDiskBytesMin = std::uintmax_t{1} << 30;
constexpr std::size_t kToolOutputBytesMax = 16 * 1024;
constexpr std::size_t kToolLineBytesMax = 60;
/// The first releases that read AWS_ENDPOINT_URL.
constexpr std::pair kAwsCli1Min{1, 29};
constexpr std::pair kAwsCli2Min{2, 13};
/// As terraform/versions.tf has it.
constexpr std::pair kTerraformMin{1, 9};

struct DoctorSettings {
  std::string data = ".imgproc";
  unsigned port = 4566;
};

enum class Verdict { good, note, bad };

struct Finding {
  Verdict verdict;
  std::string subject;
  std::string text;
  std::string hint;
};

/// The first line with `word` of what a tool prints; nullopt if the tool is not there, or does not
/// answer in time.
std::optional<std::string> line_with(const char* command, std::string_view word) {
  std::FILE* pipe = ::popen(command, "re");
  if (pipe == nullptr) return std::nullopt;
  std::string text;
  char buffer[1024];
  while (text.size() < kToolOutputBytesMax) {
    const std::size_t count = std::fread(buffer, 1, sizeof buffer, pipe);
    if (count == 0) break;
    text.append(buffer, count);
  }
  if (::pclose(pipe) != 0) return std::nullopt;
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line))
    if (line.find(word) != std::string::npos) return line.substr(0, kToolLineBytesMax);
  return std::nullopt;
}

/// The first "N.N" in `text`.
std::optional<std::pair<int, int>> version_in(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    int major = 0;
    int minor = 0;
    if (text[i] >= '0' && text[i] <= '9' &&
        std::sscanf(std::string(text.substr(i, 32)).c_str(), "%d.%d", &major, &minor) == 2)
      return std::pair{major, minor};
  }
  return std::nullopt;
}

/// A picture of one white pixel (GIF), to try the decoder with.
constexpr std::string_view kPixel(
    "GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00,"
    "\x00\x00\x00\x00\x01\x00\x01\x00\x00"
    "\x02\x02\x44\x01\x00;",
    35);

Finding check_decoder() {
  auto options = decoder_options(1);
  if (!options)
    return {Verdict::bad, "decoder", options.error().message,
            "copy the folder bin/ as a whole, or build again"};
  const fs::path folder = options->program.parent_path();
  std::string library;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.path().filename().string().starts_with("libvips"))
      library = entry.path().filename().string();
  decoder::DecoderPool pool(std::move(*options));
  const auto job = pool.open(kPixel.size());
  if (!job) return {Verdict::bad, "decoder", job.error().describe(), "build again, or reinstall"};
  std::ranges::copy(base::as_bytes(kPixel), (*job)->input().begin());
  const ports::ImageOrder order{
      .limits = {},
      .renditions = {{.name = "try", .width = 1, .height = 1, .format = ports::OutputFormat::png}}};
  const auto result = (*job)->run(order);
  const auto failure = [&]() -> std::optional<base::Error> {
    if (!result) return result.error();
    if (result->error) return result->error;
    return result->renditions.at(0).error;
  }();
  if (failure)
    return {Verdict::bad, "decoder", "does not make a picture of a picture: " + failure->describe(),
            "build again, or reinstall"};
  return {Verdict::good, "decoder",
          fmt::format("works, with {}", library.empty() ? "the system's libvips" : library), ""};
}

Finding check_aws_cli() {
  const auto line = line_with("timeout 20 aws --version 2>&1", "aws-cli/");
  if (!line)
    return {Verdict::note, "AWS CLI", "not found",
            "apt-get install awscli, or AWS's own installer"};
  const auto version = version_in(*line);
  if (version && *version < (version->first == 1 ? kAwsCli1Min : kAwsCli2Min))
    return {Verdict::note, "AWS CLI", *line + " does not know AWS_ENDPOINT_URL",
            "give every command --endpoint-url http://127.0.0.1:4566, or install 2.13 or newer"};
  return {Verdict::good, "AWS CLI", *line, ""};
}

Finding check_terraform() {
  const auto line = line_with("timeout 20 terraform version 2>&1", "Terraform v");
  if (!line)
    return {Verdict::note, "Terraform", "not found",
            "needed to deploy only: https://developer.hashicorp.com/terraform/install"};
  const auto version = version_in(*line);
  if (version && *version < kTerraformMin)
    return {Verdict::note, "Terraform", *line + " is too old",
            fmt::format("install {}.{} or newer", kTerraformMin.first, kTerraformMin.second)};
  return {Verdict::good, "Terraform", *line, ""};
}

Finding check_disk(const fs::path& data) {
  fs::path existing = fs::absolute(data);
  std::error_code error;
  while (!fs::exists(existing, error) && existing.has_relative_path())
    existing = existing.parent_path();
  const auto space = fs::space(existing, error);
  if (error) return {Verdict::bad, "disk", existing.string() + ": " + error.message(), ""};
  const std::string text =
      fmt::format("{} MB free for {}", space.available >> 20, fs::absolute(data).string());
  if (space.available < kDiskBytesMin)
    return {Verdict::bad, "disk", text, "make room, or choose another folder with --data"};
  return {Verdict::good, "disk", text, ""};
}

Finding check_writable(const fs::path& data) {
  fs::path folder = fs::absolute(data);
  std::error_code error;
  while (!fs::exists(folder, error) && folder.has_relative_path()) folder = folder.parent_path();
  const fs::path probe = folder / (".imgproc-doctor-" + base::random_hex(8));
  const auto written = base::write_file_atomically(probe, "");
  fs::remove(probe, error);
  if (!written)
    return {Verdict::bad, "data folder", written.error().message,
            "choose another folder with --data"};
  return {Verdict::good, "data folder", folder.string() + " can be written", ""};
}

/// Whether some program listens on the TCP port, as the kernel's table tells (state 0A).
bool is_listened_on(unsigned port) {
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream lines(table);
    std::string line;
    while (std::getline(lines, line)) {
      std::istringstream fields(line);
      std::string slot;
      std::string local;
      std::string remote;
      std::string state;
      fields >> slot >> local >> remote >> state;
      if (state == "0A" && local.ends_with(fmt::format(":{:04X}", port))) return true;
    }
  }
  return false;
}

Finding check_port(unsigned port) {
  const std::string subject = fmt::format("port {}", port);
  if (is_listened_on(port))
    return {Verdict::note, subject, "in use (perhaps by imgproc local itself)",
            "choose another with imgproc local --port"};
  return {Verdict::good, subject, "free", ""};
}

Finding check_environment() {
  const char* endpoint = std::getenv("AWS_ENDPOINT_URL");
  if (endpoint != nullptr &&
      std::string_view(endpoint).find("//localhost") != std::string_view::npos)
    return {Verdict::note, "AWS_ENDPOINT_URL", endpoint,
            "write 127.0.0.1: with the number, clients choose path-style S3 by themselves"};
  if (endpoint == nullptr)
    return {Verdict::good, "AWS_ENDPOINT_URL", "not set: clients speak to AWS itself", ""};
  return {Verdict::good, "AWS_ENDPOINT_URL", endpoint, ""};
}

int run(const DoctorSettings& settings) {
  bool bad = false;
  for (const auto& check :
       {check_decoder(), check_disk(settings.data), check_writable(settings.data),
        check_port(settings.port), check_environment(), check_aws_cli(), check_terraform()}) {
    const char* word = check.verdict == Verdict::good   ? "ok"
                       : check.verdict == Verdict::note ? "note"
                                                        : "BAD";
    std::puts(fmt::format("{:<5} {}: {}", word, check.subject, check.text).c_str());
    if (!check.hint.empty()) std::puts(fmt::format("      -> {}", check.hint).c_str());
    bad = bad || check.verdict == Verdict::bad;
  }
  return bad ? kExitSomeFailed : kExitOk;
}

}  // namespace

void add_doctor_command(CLI::App& app, int& exit_code) {
  auto settings = std::make_shared<DoctorSettings>();
  auto* command = app.add_subcommand("doctor", "Say what is missing here, or too old");
  command->add_option("--data", settings->data, "Folder that imgproc local would keep its data in")
      ->capture_default_str();
  command->add_option("--port", settings->port, "Port that imgproc local would listen on")
      ->capture_default_str()
      ->check(CLI::Range(1, 65535));
  command->footer(
      "Exit status: 0 nothing stands in the way, 1 something does.\n\n"
      "Examples:\n"
      "  imgproc doctor\n"
      "  imgproc doctor --data /var/lib/imgproc --port 5000");
  command->callback([settings, &exit_code] { exit_code = run(*settings); });
}

}  // namespace imgproc::app
