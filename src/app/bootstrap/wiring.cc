#include "app/bootstrap/wiring.h"

#include <utility>

#include "aws/retry_exchange.h"
#include "aws/signing_exchange.h"
#include "aws/trace_exchange.h"

namespace imgproc::bootstrap {
namespace {

/// Longest silence of S3 or DynamoDB before the call is tried again.
constexpr std::chrono::milliseconds kIdleTimeout{10000};

/// Renditions that travel at once. S3 takes some 30 ms for each, in which nothing else is done, and
/// a connection of its own.
constexpr std::size_t kUploadsMax = 4;

/// A client that its warming thread may outlive.
class SharedClient final : public http::Exchange {
 public:
  explicit SharedClient(std::shared_ptr<http::Client> client) : client_(std::move(client)) {}
  [[nodiscard]] base::Result<http::Response> send(http::Request request) override {
    return client_->send(std::move(request));
  }

 private:
  std::shared_ptr<http::Client> client_;
};

}  // namespace

std::unique_ptr<http::Exchange> NetworkDial::dial(const http::Origin& origin) {
  http::ClientOptions options;
  options.idle_timeout = kIdleTimeout;
  options.tls = tls_;
  auto client = std::make_shared<http::Client>(origin, options);
  if (warming_) warmers_.emplace_back([client] { client->warm_up(); });
  return std::make_unique<SharedClient>(std::move(client));
}

void CurrentInvocation::begin(const runtime::Invocation& invocation, const base::Clock& clock) {
  std::lock_guard lock(mutex_);
  trace_id_ = invocation.trace_id;
  deadline_ = clock.steady() + (invocation.deadline - clock.now()) - kDeadlineMargin;
}

std::string CurrentInvocation::trace_id() const {
  std::lock_guard lock(mutex_);
  return trace_id_;
}

base::SteadyTime CurrentInvocation::deadline() const {
  std::lock_guard lock(mutex_);
  return deadline_;
}

std::unique_ptr<http::Exchange> make_exchange(std::unique_ptr<http::Exchange> connection,
                                              const Signer& signer, base::Clock& clock,
                                              const CurrentInvocation& current) {
  auto tracing = std::make_unique<aws::TraceExchange>(std::move(connection),
                                                      [&current] { return current.trace_id(); });
  auto signing = std::make_unique<aws::SigningExchange>(std::move(tracing), signer.credentials,
                                                        signer.region, signer.service, clock);
  return std::make_unique<aws::RetryExchange>(std::move(signing), clock, aws::RetryPolicy{},
                                              aws::RetryExchange::Random{},
                                              [&current] { return current.deadline(); });
}

Function::Function(Settings settings, ports::ImageEngine& engine, base::Clock& clock, Dial dial)
    : settings_(std::move(settings)),
      clock_(clock),
      dial_(std::move(dial)),
      s3_(settings_.s3, [this](const http::Origin& origin) { return exchange_to(origin, "s3"); }),
      records_(settings_.dynamodb, settings_.table_name,
               exchange_to(settings_.dynamodb.origin, "dynamodb")),
      processor_({.config = settings_.config,
                  .source = s3_,
                  .destination = s3_,
                  .records = records_,
                  .engine = engine,
                  .clock = clock,
                  .destination_bucket = settings_.destination_bucket,
                  .source_buckets = settings_.source_buckets,
                  .uploads_max = kUploadsMax}),
      handler_(
          [this](const pipeline::SourceEvent& event, const pipeline::ProcessContext& context) {
            return processor_.process(event, context);
          },
          clock) {
  if (!settings_.source_buckets.empty()) s3_.prepare(settings_.source_buckets.front());
  s3_.prepare(settings_.destination_bucket);
}

std::unique_ptr<http::Exchange> Function::exchange_to(const http::Origin& origin,
                                                      const std::string& service) {
  return make_exchange(dial_(origin), {settings_.credentials, settings_.region, service}, clock_,
                       current_);
}

base::Result<std::string> Function::handle(const runtime::Invocation& invocation) {
  current_.begin(invocation, clock_);
  return handler_.handle(invocation);
}

}  // namespace imgproc::bootstrap
