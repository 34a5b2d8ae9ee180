#include "aws/signing_exchange.h"

#include <utility>

namespace imgproc::aws {

SigningExchange::SigningExchange(std::unique_ptr<http::Exchange> inner,
                                 protocol::Credentials credentials, std::string region,
                                 std::string service, const base::Clock& clock)
    : inner_(std::move(inner)),
      credentials_(std::move(credentials)),
      region_(std::move(region)),
      service_(std::move(service)),
      clock_(clock) {}

base::Result<http::Response> SigningExchange::send(http::Request request) {
  auto payload = request.body.stream ? protocol::PayloadHash::unsigned_payload()
                                     : protocol::PayloadHash::of(request.body.text);
  protocol::sign(request, credentials_, region_, service_, clock_.now(), payload);
  return inner_->send(std::move(request));
}

}  // namespace imgproc::aws
