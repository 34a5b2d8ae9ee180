#pragma once
// Serves an Exchange over HTTP/1.1: one thread per connection, bounded in number and in every wait.

#include <chrono>
#include <memory>
#include <string>

#include "http/exchange.h"

namespace imgproc::http {

struct ServerOptions {
  std::string host = "127.0.0.1";
  /// 0 picks a free port.
  unsigned short port = 0;
  /// Further connections wait in the kernel's queue.
  std::size_t connections_max = 512;
  std::size_t header_bytes_max = 64 * 1024;
  /// Longest time for a request's header to arrive once its first byte came.
  std::chrono::milliseconds header_timeout{10000};
  /// Longest silence inside a body, and while the peer takes our answer.
  std::chrono::milliseconds body_timeout{60000};
  /// Longest idle time between two requests of one connection.
  std::chrono::milliseconds keep_alive_timeout{75000};
};

/// Hands each request to `handler` on the connection's own thread, so a handler may block (a long
/// poll). `Expect: 100-continue` is answered when the handler first reads the body. What the
/// handler leaves unread of a body is skipped up to a bound, else the connection is closed. A
/// handler's error becomes 500. Malformed requests get 400, 408, 413, 431 or 501 and are closed.
class Server {
 public:
  /// Listens at once. Errors: ADDRESS_IN_USE, SYSTEM_ERROR.
  [[nodiscard]] static base::Result<std::unique_ptr<Server>> start(Exchange& handler,
                                                                   ServerOptions options);
  /// Stops and waits for the connections' threads.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// The port that was bound.
  [[nodiscard]] unsigned short port() const;
  /// No new connections; those that wait for a request end now, those with one under way may finish
  /// it within `grace`. Handlers that wait must be told by their owner.
  void stop(std::chrono::milliseconds grace = std::chrono::milliseconds{5000});

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace imgproc::http
