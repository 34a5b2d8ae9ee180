// The Lambda function: a custom runtime for provided.al2023. See ARCHITECTURE.md.

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>

#include "app/bootstrap/environment.h"
#include "app/bootstrap/settings.h"
#include "app/bootstrap/shutdown.h"
#include "app/bootstrap/spend_brake.h"
#include "app/bootstrap/wiring.h"
#include "base/log.h"
#include "decoder/decoder_location.h"
#include "runtime/loop.h"

namespace {

using namespace imgproc;

/// Reports why the function cannot start, to Lambda and to the log.
int fail_init(runtime::RuntimeClient& runtime_api, const base::Error& error) {
  base::log_error("init failed",
                  {{"code", error.code}, {"error", error.message}, {"hint", error.hint}});
  if (auto told = runtime_api.fail_init(error); !told)
    base::log_error("the Runtime API did not take the error", {{"error", told.error().message}});
  return 1;
}

/// What the process has before it is clear which of the two functions it is.
struct Host {
  base::Clock& clock;
  aws::Environment environment;
  runtime::RuntimeClient& runtime_api;
};

/// Takes events until the environment goes; the process's exit code.
template <class Function>
int serve(Host& host, Function& function) {
  auto handle = [&](const runtime::Invocation& invocation) {
    bootstrap::begin_event();
    return function.handle(invocation);
  };
  auto stopping = [] {
    bootstrap::end_event();
    return bootstrap::stopping();
  };
  return runtime::run(host.runtime_api, handle, host.clock, stopping);
}

int run_pipeline(Host& host, decoder::DecoderPool& decoders, base::SteadyTime begin) {
  auto settings = bootstrap::read_settings(host.environment);
  if (!settings) return fail_init(host.runtime_api, settings.error());
  bootstrap::NetworkDial network(settings->ca_bundle);
  std::string config_source = settings->config_source;
  bootstrap::Function function(*std::move(settings), decoders, host.clock,
                               [&](const http::Origin& origin) { return network.dial(origin); });
  network.stop_warming();
  base::log_info(
      "ready", {{"version", IMGPROC_VERSION},
                {"config", config_source},
                {"init_ms",
                 std::chrono::duration<double, std::milli>(host.clock.steady() - begin).count()}});
  return serve(host, function);
}

int run_spend_brake(Host& host) {
  auto settings = bootstrap::read_brake_settings(host.environment);
  if (!settings) return fail_init(host.runtime_api, settings.error());
  bootstrap::NetworkDial network(settings->ca_bundle);
  network.stop_warming();
  bootstrap::SpendBrake brake(*std::move(settings), host.clock,
                              [&](const http::Origin& origin) { return network.dial(origin); });
  return serve(host, brake);
}

}  // namespace

int main() {
  base::RealClock clock;
  base::SteadyTime begin = clock.steady();
  bootstrap::forbid_inspection();
  bootstrap::resolve_names_plainly();
  bootstrap::stop_on_signals();

  // First of all, so that it loads libvips while we connect: the decoder, with an empty
  // environment. The brake needs none.
  const char* handler = std::getenv("_HANDLER");
  bool brakes = handler != nullptr && handler == bootstrap::kSpendBrakeHandler;
  std::error_code ignored;
  auto folder = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  std::optional<decoder::DecoderPool> decoders;
  if (!brakes) decoders.emplace(decoder::decoder_in(folder));

  aws::Environment environment = bootstrap::read_environment(environ);
  bootstrap::wipe_secrets(environ);

  auto runtime_origin =
      http::Origin::parse("http://" + aws::value_of(environment, "AWS_LAMBDA_RUNTIME_API"));
  if (!runtime_origin) {
    base::log_error(
        "AWS_LAMBDA_RUNTIME_API is missing or wrong: this program is started by AWS Lambda",
        {{"error", runtime_origin.error().message}});
    return 1;
  }
  // The next event may be days away.
  http::ClientOptions patient;
  patient.idle_timeout = std::chrono::milliseconds{0};
  http::Client runtime_connection(*runtime_origin, patient);
  runtime::RuntimeClient runtime_api(runtime_connection);
  Host host{clock, std::move(environment), runtime_api};
  return brakes ? run_spend_brake(host) : run_pipeline(host, *decoders, begin);
}
