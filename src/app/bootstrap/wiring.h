#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "app/bootstrap/handler.h"
#include "app/bootstrap/settings.h"
#include "aws/dynamodb_client.h"
#include "aws/s3_client.h"
#include "http/client.h"
#include "ports/image_engine.h"

namespace imgproc::bootstrap {

/// Makes the bare connection to one origin; tests give fakes.
using Dial = std::function<std::unique_ptr<http::Exchange>(const http::Origin&)>;

/// Real connections. Those asked for before stop_warming() are opened at once, each on a thread of
/// its own, so that loading the decoder and the TLS handshakes overlap.
class NetworkDial {
 public:
  explicit NetworkDial(std::string ca_bundle)
      : tls_(std::make_shared<http::TlsTrust>(std::move(ca_bundle))) {}
  [[nodiscard]] std::unique_ptr<http::Exchange> dial(const http::Origin& origin);
  void stop_warming() { warming_ = false; }

 private:
  std::shared_ptr<http::TlsTrust> tls_;
  bool warming_ = true;
  /// Ends, at the latest, after the connections' own time-outs.
  std::vector<std::jthread> warmers_;
};

/// What the outgoing calls need to know of the invocation under way. Thread-safe.
class CurrentInvocation {
 public:
  /// Calls may go on until kDeadlineMargin before Lambda cuts the function off.
  void begin(const runtime::Invocation& invocation, const base::Clock& clock);
  [[nodiscard]] std::string trace_id() const;
  [[nodiscard]] base::SteadyTime deadline() const;

 private:
  mutable std::mutex mutex_;
  std::string trace_id_;
  base::SteadyTime deadline_ = base::SteadyTime::max();
};

/// Who signs the calls to a service.
struct Signer {
  const protocol::Credentials& credentials;
  const std::string& region;
  /// Signing name: "s3".
  const std::string& service;
};

/// `connection` with what every call gets: the trace, a signature, and repetition within the
/// invocation's time. `clock` and `current` are borrowed.
[[nodiscard]] std::unique_ptr<http::Exchange> make_exchange(
    std::unique_ptr<http::Exchange> connection, const Signer& signer, base::Clock& clock,
    const CurrentInvocation& current);

/// The function, put together: clients, pipeline, handler.
class Function {
 public:
  /// Connects ahead to the destination, the first source bucket and the table. `engine` and `clock`
  /// are borrowed; `dial` is used as long as this lives.
  Function(Settings settings, ports::ImageEngine& engine, base::Clock& clock, Dial dial);
  Function(const Function&) = delete;
  Function& operator=(const Function&) = delete;

  [[nodiscard]] base::Result<std::string> handle(const runtime::Invocation& invocation);

 private:
  [[nodiscard]] std::unique_ptr<http::Exchange> exchange_to(const http::Origin& origin,
                                                            const std::string& service);

  Settings settings_;
  base::Clock& clock_;
  Dial dial_;
  CurrentInvocation current_;
  aws::S3Client s3_;
  aws::DynamoDbClient records_;
  pipeline::Processor processor_;
  Handler handler_;
};

}  // namespace imgproc::bootstrap
