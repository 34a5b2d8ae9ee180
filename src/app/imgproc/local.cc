// imgproc local: S3, DynamoDB, Lambda and the services around them on one port.

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "app/imgproc/commands.h"
#include "app/imgproc/files.h"
#include "app/imgproc/standard_stack.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "http/server.h"
#include "localcloud/cloud/cloud.h"

namespace imgproc::app {
namespace {

namespace fs = std::filesystem;

/// A configuration goes to the function as one environment variable.
constexpr std::size_t kVariableBytesMax = 4096;
/// Longest line of a function that is shown on the terminal.
constexpr std::size_t kTerminalLineBytesMax = 200;

struct LocalSettings {
  std::string host = "127.0.0.1";
  unsigned short port = 4566;
  std::string data;
  std::string config;
  std::string credentials_file;
  std::string region = "us-east-1";
  bool empty = false;
  bool strict_auth = false;
  bool power_safe = false;
  bool quiet = false;
  bool verbose = false;
  std::size_t concurrency = 0;
  double retry_delay_s = 60;
};

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

/// "AKID SECRET" on each line; # starts a comment.
base::Result<std::map<std::string, std::string>> read_credentials(const std::string& file) {
  constexpr std::size_t kFileBytesMax = 64 * 1024;
  IMGPROC_TRY(std::string text, base::read_file(file, kFileBytesMax));
  std::map<std::string, std::string> secrets;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = base::trim(std::string_view(text).substr(at, end - at));
    at = end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    std::size_t space = line.find_first_of(" \t");
    if (space == std::string_view::npos)
      return base::permanent(
          "INVALID_CREDENTIALS",
          fmt::format("{}: each line holds an access key id and its secret", file));
    secrets[std::string(line.substr(0, space))] = base::trim(line.substr(space));
  }
  return secrets;
}

base::Result<std::map<std::string, std::string>> accepted_secrets(const LocalSettings& settings) {
  std::map<std::string, std::string> secrets;
  if (!settings.credentials_file.empty()) {
    IMGPROC_TRY(secrets, read_credentials(settings.credentials_file));
  }
  const char* id = std::getenv("IMGPROC_ACCESS_KEY_ID");
  const char* secret = std::getenv("IMGPROC_SECRET_ACCESS_KEY");
  if (id != nullptr && secret != nullptr && *id != '\0' && *secret != '\0') secrets[id] = secret;
  if (settings.strict_auth && secrets.empty())
    return base::permanent(
        "NO_CREDENTIALS", "--strict-auth needs at least one accepted key",
        "set IMGPROC_ACCESS_KEY_ID and IMGPROC_SECRET_ACCESS_KEY, or use --credentials FILE");
  return secrets;
}

base::Result<std::string> read_config(const std::string& file) {
  if (file.empty()) return std::string();
  IMGPROC_TRY(std::string text, base::read_file(file, pipeline::kConfigBytesMax));
  // Here and not at the first upload, where the function would refuse to start.
  if (auto config = pipeline::parse_config(text); !config)
    return std::unexpected(pipeline::config_error(config.error()));
  // Without the spaces: Lambda's environment has room for 4 KB in all.
  IMGPROC_TRY(auto parsed, base::parse_json(text));
  std::string compact = base::json::serialize(parsed);
  if (compact.size() > kVariableBytesMax)
    return base::permanent(
        "CONFIG_TOO_LARGE",
        fmt::format("{} is {} bytes without spaces; a function's environment holds {}", file,
                    compact.size(), kVariableBytesMax));
  return compact;
}

/// One short line for each that a function prints.
void show(std::string_view group, std::string_view line) {
  if (line.starts_with("INIT_START") || line.starts_with("START ") || line.starts_with("END ") ||
      line.find("\"type\":\"platform.initStart\"") != std::string_view::npos ||
      line.find("\"type\":\"platform.start\"") != std::string_view::npos ||
      line.find("\"type\":\"platform.runtimeDone\"") != std::string_view::npos)
    return;
  std::string text = fmt::format("{}: {}{}\n", group.substr(group.rfind('/') + 1),
                                 line.substr(0, kTerminalLineBytesMax),
                                 line.size() > kTerminalLineBytesMax ? " ..." : "");
  [[maybe_unused]] auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

void print_next_steps(const LocalSettings& settings, const std::string& url, const fs::path& data) {
  std::fprintf(stderr,
               "\n  export AWS_ENDPOINT_URL=%s\n"
               "  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=%s\n",
               url.c_str(), settings.region.c_str());
  if (!settings.empty)
    std::fprintf(stderr,
                 "  aws s3 cp photo.jpg s3://%s/\n"
                 "  aws s3 ls --recursive s3://%s/\n"
                 "  aws dynamodb scan --table-name %s\n",
                 kSourceBucket, kDestinationBucket, kMetadataTable);
  std::fprintf(stderr, "  curl %s/_health\n\nData is kept in %s. Ctrl-C stops.\n\n", url.c_str(),
               data.c_str());
}

base::Status run_local(const LocalSettings& settings, const sigset_t& stop_signals) {
  if (!is_loopback(settings.host) && !settings.strict_auth)
    return base::permanent(
        "UNSAFE_HOST",
        fmt::format("--host {} would let everybody on the network use this cloud, and run programs",
                    settings.host),
        "add --strict-auth and set the accepted keys, or listen on 127.0.0.1");
  IMGPROC_TRY(auto secrets, accepted_secrets(settings));
  IMGPROC_TRY(std::string config, read_config(settings.config));
  fs::path data =
      fs::absolute(settings.data.empty() ? fs::path(".imgproc") : fs::path(settings.data));

  base::RealClock clock;
  localcloud::CloudOptions options;
  options.data_dir = data;
  options.region = settings.region;
  options.concurrency = settings.concurrency;
  options.retry_base_delay =
      std::chrono::milliseconds(static_cast<std::int64_t>(settings.retry_delay_s * 1000));
  options.strict_auth = settings.strict_auth;
  options.secrets = std::move(secrets);
  if (settings.power_safe) options.durability = localcloud::Durability::power;
  if (!settings.quiet) options.terminal = show;
  IMGPROC_TRY(auto cloud, localcloud::Cloud::create(std::move(options), clock));

  if (!settings.empty) {
    StandardStackOptions stack{program_directory(), std::move(config), settings.region};
    IMGPROC_CHECK(create_standard_stack(cloud->internal(), stack));
  }
  http::ServerOptions server_options;
  server_options.host = settings.host;
  server_options.port = settings.port;
  auto server = http::Server::start(*cloud, server_options);
  if (!server) {
    base::Error error = server.error();
    if (error.code == "ADDRESS_IN_USE")
      error.hint = "another program uses this port: choose one with --port, or 0 for any free one";
    return std::unexpected(std::move(error));
  }
  std::string shown_host =
      settings.host == "0.0.0.0" || settings.host == "::" ? "127.0.0.1" : settings.host;
  if (shown_host.find(':') != std::string::npos) shown_host = "[" + shown_host + "]";
  std::string url = fmt::format("http://{}:{}", shown_host, (*server)->port());
  cloud->start(url);

  // Others read this line to learn the port: it is the first, and it stands alone.
  std::printf("listening on %s\n", url.c_str());
  std::fflush(stdout);
  if (!settings.quiet) print_next_steps(settings, url, data);

  int signal = 0;
  ::sigwait(&stop_signals, &signal);
  if (!settings.quiet) std::fprintf(stderr, "stopping\n");
  cloud->stop();
  (*server)->stop();
  return {};
}

}  // namespace

void add_local_command(CLI::App& app, int& exit_code) {
  auto settings = std::make_shared<LocalSettings>();
  CLI::App* command = app.add_subcommand("local", "Run the whole cloud on this machine");
  command->add_option("--host", settings->host, "Address to listen on")->capture_default_str();
  command->add_option("--port", settings->port, "Port; 0 picks a free one")->capture_default_str();
  command->add_option("--data", settings->data,
                      "Folder that everything is kept in (default: .imgproc)");
  command
      ->add_option("--config", settings->config, "imgproc.json for the standard stack's function")
      ->check(CLI::ExistingFile);
  command->add_option("--region", settings->region, "Region of what is created here")
      ->capture_default_str();
  command->add_flag("--empty", settings->empty, "Create nothing, for Terraform");
  command->add_flag(
      "--strict-auth", settings->strict_auth,
      "Check every signature against IMGPROC_ACCESS_KEY_ID and IMGPROC_SECRET_ACCESS_KEY");
  command
      ->add_option("--credentials", settings->credentials_file,
                   "Further accepted keys: a file of lines `ACCESS_KEY_ID SECRET`")
      ->check(CLI::ExistingFile);
  command
      ->add_option("--concurrency", settings->concurrency,
                   "Invocations at once (default: one for each core)")
      ->check(CLI::Range(1, 1000));
  command
      ->add_option("--retry-delay", settings->retry_delay_s,
                   "Seconds before a failed event is tried again; the second time twice as long")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 3600.0));
  command->add_flag("--power-safe", settings->power_safe,
                    "Acknowledge a write only when the disk has it; slower");
  command->add_flag("--quiet", settings->quiet, "Print the address and errors only");
  command->add_flag("--verbose", settings->verbose, "Log every request");
  command->footer(
      "Examples:\n"
      "  imgproc local\n"
      "  imgproc local --config imgproc.json --retry-delay 5\n"
      "  imgproc local --empty --port 0 --data /var/lib/imgproc");
  command->callback([settings, &exit_code] {
    if (settings->verbose) base::set_log_level(base::LogLevel::debug);
    // Blocked before any thread starts, so that all inherit it and sigwait() gets them.
    sigset_t stop_signals;
    sigemptyset(&stop_signals);
    sigaddset(&stop_signals, SIGINT);
    sigaddset(&stop_signals, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    auto status = run_local(*settings, stop_signals);
    if (!status) {
      std::fprintf(stderr, "imgproc local: %s\n", status.error().describe().c_str());
      exit_code = 1;
    }
  });
}

}  // namespace imgproc::app
