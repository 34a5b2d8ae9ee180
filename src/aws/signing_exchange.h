#pragma once
#include <memory>
#include <string>

#include "base/clock.h"
#include "http/exchange.h"
#include "protocol/sigv4.h"

namespace imgproc::aws {

/// Signs each request (Version 4, Authorization header) and hands it on. The Host header must be
/// set. A body in memory is covered by its hash, a streamed one is UNSIGNED-PAYLOAD. Thread-safe.
class SigningExchange final : public http::Exchange {
 public:
  /// `clock` is borrowed.
  SigningExchange(std::unique_ptr<http::Exchange> inner, protocol::Credentials credentials,
                  std::string region, std::string service, const base::Clock& clock);
  [[nodiscard]] base::Result<http::Response> send(http::Request request) override;

 private:
  std::unique_ptr<http::Exchange> inner_;
  protocol::Credentials credentials_;
  std::string region_;
  std::string service_;
  const base::Clock& clock_;
};

}  // namespace imgproc::aws
