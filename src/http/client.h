#pragma once
// The network side of Exchange: HTTP/1.1 over TCP or TLS, with pooled keep-alive connections.

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

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

class TlsContext;

/// The roots that the clients who share it trust: read once, by the first that connects over TLS.
/// Thread-safe.
class TlsTrust {
 public:
  /// PEM file of trusted roots (AWS_CA_BUNDLE); empty = the system's.
  explicit TlsTrust(std::string ca_bundle = {}) : ca_bundle_(std::move(ca_bundle)) {}
  /// Error TLS_FAILED; the next call tries again.
  [[nodiscard]] base::Result<std::shared_ptr<TlsContext>> context();

 private:
  std::string ca_bundle_;
  std::mutex mutex_;
  std::shared_ptr<TlsContext> context_;
};

struct ClientOptions {
  std::chrono::milliseconds connect_timeout{3000};
  /// Longest silence on the connection while sending or receiving; zero = wait for ever (only for
  /// the Runtime API's long poll).
  std::chrono::milliseconds idle_timeout{30000};
  std::size_t idle_connections_max = 8;
  std::size_t response_header_bytes_max = 64 * 1024;
  /// What is trusted; clients may share it. Null: the system's roots.
  std::shared_ptr<TlsTrust> tls;
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
