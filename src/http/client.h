#pragma once
// The network side of Exchange: HTTP/1.1 over TCP or TLS, with pooled keep-alive connections.

#include <chrono>
#include <memory>
#include <string>

#include "http/exchange.h"

namespace imgproc::http {

/// Where a client connects to.
struct Origin {
  bool tls = false;
  std::string host;
  unsigned short port = 80;

  /// "http://127.0.0.1:4566" (a path is refused). Error code INVALID_URL.
  [[nodiscard]] static base::Result<Origin> parse(std::string_view url);
  /// Value of the Host header: the port is left out where it is the scheme's own.
  [[nodiscard]] std::string host_header() const;
};

struct ClientOptions {
  std::chrono::milliseconds connect_timeout{3000};
  /// Longest silence on the connection while sending or receiving; zero = wait for ever (only for
  /// the Runtime API's long poll).
  std::chrono::milliseconds idle_timeout{30000};
  std::size_t idle_connections_max = 8;
  std::size_t response_header_bytes_max = 64 * 1024;
  /// PEM file of trusted roots (AWS_CA_BUNDLE); empty = the system's.
  std::string ca_bundle;
};

/// Sends each request on a pooled or new connection. The Host header is added if missing, and
/// Content-Length or chunked framing set from the body. A request without a streamed body is sent
/// again once, on a fresh connection, when a pooled one turns out to be closed. The response body
/// is streamed: the connection returns to the pool when it was read to its end. Errors:
/// CONNECT_FAILED, TIMEOUT, CONNECTION_CLOSED, BAD_RESPONSE, TLS_FAILED (all retryable but the last
/// two). Thread-safe.
class Client final : public Exchange {
 public:
  explicit Client(Origin origin, ClientOptions options = {});
  ~Client() override;
  [[nodiscard]] base::Result<Response> send(Request request) override;
  /// Opens a connection ahead of its first use; failures are left to the first request.
  void warm_up();

  class Pool;

 private:
  std::shared_ptr<Pool> pool_;
};

}  // namespace imgproc::http
