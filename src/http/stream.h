#pragma once
// A connected byte stream with a time-out on every wait: plain TCP or TLS.

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/file_descriptor.h"

namespace imgproc::http {

/// Milliseconds a single wait may last; negative = for ever.
using Timeout = std::chrono::milliseconds;

/// Blocking to its caller, non-blocking underneath. One reader and one writer at a time.
/// Errors: TIMEOUT, CONNECTION_CLOSED (reset by the peer), TLS_FAILED.
class Stream {
 public:
  virtual ~Stream() = default;
  /// At least one byte, or 0 at the end of the stream.
  [[nodiscard]] virtual base::Result<std::size_t> read_some(std::span<char> into,
                                                            Timeout timeout) = 0;
  /// All of `first`, then all of `second`; the time-out counts anew whenever some bytes went out.
  [[nodiscard]] virtual base::Status write_all(std::string_view first, std::string_view second,
                                               Timeout timeout) = 0;
  /// True if the peer closed, or sent something although nothing is expected: not to be reused.
  [[nodiscard]] virtual bool is_stale() = 0;
  /// Wakes a thread that waits in read_some from another thread.
  virtual void shut_down() = 0;
};

/// Takes a connected socket.
[[nodiscard]] std::unique_ptr<Stream> make_tcp_stream(base::FileDescriptor socket);

/// Connects to host:port; tries each address once. Errors: CONNECT_FAILED, TIMEOUT.
[[nodiscard]] base::Result<base::FileDescriptor> connect_tcp(const std::string& host,
                                                             unsigned short port, Timeout timeout);

/// Client-side TLS settings: trusted roots, loaded once. Thread-safe.
class TlsContext {
 public:
  /// `ca_bundle`: PEM file, or empty for the system's roots. Error TLS_FAILED if it cannot be read.
  [[nodiscard]] static base::Result<std::shared_ptr<TlsContext>> create(
      const std::string& ca_bundle);
  virtual ~TlsContext() = default;
  /// Handshake over a connected socket; the certificate must be valid for `host`.
  [[nodiscard]] virtual base::Result<std::unique_ptr<Stream>> handshake(base::FileDescriptor socket,
                                                                        const std::string& host,
                                                                        Timeout timeout) = 0;
};

}  // namespace imgproc::http
