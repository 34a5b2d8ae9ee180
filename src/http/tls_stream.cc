#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <csignal>
#include <filesystem>
#include <mutex>

#include "http/stream.h"
#include "http/trusted_roots.h"
#include "http/wait.h"

namespace imgproc::http {
namespace {

/// Where Linux distributions keep their bundle of roots (Debian, Amazon Linux and Fedora, SUSE,
/// Alpine).
constexpr const char* kSystemBundles[] = {"/etc/ssl/certs/ca-certificates.crt",
                                          "/etc/pki/tls/certs/ca-bundle.crt",
                                          "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
                                          "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};

/// What a record of TLS holds.
constexpr std::size_t kRecordBytes = SSL3_RT_MAX_PLAIN_LENGTH;
/// Room for several of them: OpenSSL else asks the kernel twice for each.
constexpr std::size_t kReadBufferBytes = 4 * SSL3_RT_MAX_ENCRYPTED_LENGTH;

std::unexpected<base::Error> tls_error(std::string_view what, bool retryable = false) {
  char text[256] = "unknown cause";
  if (unsigned long code = ERR_get_error(); code != 0) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  std::string message = fmt::format("{}: {}", what, text);
  return retryable ? base::transient("CONNECTION_CLOSED", message)
                   : base::permanent("TLS_FAILED", message);
}

struct SslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

class TlsStream final : public Stream {
 public:
  TlsStream(base::FileDescriptor socket, SSL* ssl) : socket_(std::move(socket)), ssl_(ssl) {}

  base::Status handshake(Timeout timeout) {
    return repeat([&] { return SSL_connect(ssl_.get()); }, "TLS handshake", timeout);
  }

  base::Result<std::size_t> read_some(std::span<char> into, Timeout timeout) override {
    std::size_t got = 0;
    for (;;) {
      int code = SSL_read_ex(ssl_.get(), into.data(), into.size(), &got);
      if (code == 1) return got;
      int reason = SSL_get_error(ssl_.get(), code);
      if (reason == SSL_ERROR_ZERO_RETURN) return std::size_t{0};
      IMGPROC_CHECK(wait_or_fail(reason, "TLS read", timeout));
    }
  }

  base::Status write_all(std::string_view first, std::string_view second,
                         Timeout timeout) override {
    // A head and a small body in one record, and so in one packet.
    std::string both;
    if (!second.empty() && first.size() + second.size() <= kRecordBytes) {
      both.append(first).append(second);
      first = both;
      second = {};
    }
    for (std::string_view part : {first, second}) {
      while (!part.empty()) {
        std::size_t put = 0;
        int code = SSL_write_ex(ssl_.get(), part.data(), part.size(), &put);
        if (code == 1) {
          part.remove_prefix(put);
          continue;
        }
        IMGPROC_CHECK(wait_or_fail(SSL_get_error(ssl_.get(), code), "TLS write", timeout));
      }
    }
    return {};
  }

  bool is_stale() override {
    char byte;
    ssize_t got = ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    // TLS 1.3 peers send session tickets unasked, so waiting bytes alone are no sign of an end.
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
  }

  void shut_down() override { ::shutdown(socket_.get(), SHUT_RDWR); }

 private:
  template <class Operation>
  base::Status repeat(Operation operation, std::string_view what, Timeout timeout) {
    for (;;) {
      int code = operation();
      if (code == 1) return {};
      IMGPROC_CHECK(wait_or_fail(SSL_get_error(ssl_.get(), code), what, timeout));
    }
  }

  base::Status wait_or_fail(int reason, std::string_view what, Timeout timeout) {
    if (reason == SSL_ERROR_WANT_READ) return wait_for(socket_.get(), POLLIN, timeout);
    if (reason == SSL_ERROR_WANT_WRITE) return wait_for(socket_.get(), POLLOUT, timeout);
    return tls_error(what, reason == SSL_ERROR_SYSCALL);
  }

  base::FileDescriptor socket_;
  std::unique_ptr<SSL, SslDeleter> ssl_;
};

class OpenSslContext final : public TlsContext {
 public:
  explicit OpenSslContext(SSL_CTX* context) : context_(context) {}
  ~OpenSslContext() override { SSL_CTX_free(context_); }

  base::Result<std::unique_ptr<Stream>> handshake(base::FileDescriptor socket,
                                                  const std::string& host,
                                                  Timeout timeout) override {
    int flags = ::fcntl(socket.get(), F_GETFL);
    ::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK);
    // Else what follows a first packet waits for the peer to acknowledge that one.
    int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    SSL* ssl = SSL_new(context_);
    if (ssl == nullptr) return tls_error("cannot start TLS");
    int fd = socket.get();
    auto stream = std::make_unique<TlsStream>(std::move(socket), ssl);
    if (SSL_set_fd(ssl, fd) != 1 || SSL_set_tlsext_host_name(ssl, host.c_str()) != 1 ||
        SSL_set1_host(ssl, host.c_str()) != 1)
      return tls_error("cannot set up TLS for " + host);
    IMGPROC_CHECK(stream->handshake(timeout));
    return stream;
  }

 private:
  SSL_CTX* context_;
};

}  // namespace

base::Result<std::shared_ptr<TlsContext>> TlsContext::create(const std::string& ca_bundle) {
  // OpenSSL writes with plain write(): a peer that went away must not end the process.
  static std::once_flag ignore_sigpipe;
  std::call_once(ignore_sigpipe, [] { std::signal(SIGPIPE, SIG_IGN); });

  SSL_CTX* raw = SSL_CTX_new(TLS_client_method());
  if (raw == nullptr) return tls_error("cannot start OpenSSL");
  auto context = std::make_shared<OpenSslContext>(raw);
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_read_ahead(raw, 1);
  SSL_CTX_set_default_read_buffer_len(raw, kReadBufferBytes);
  SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  std::string bundle = ca_bundle;
  std::error_code ignored;
  for (const char* candidate : kSystemBundles)
    if (bundle.empty() && std::filesystem::exists(candidate, ignored)) bundle = candidate;
  if (!bundle.empty()) {
    IMGPROC_CHECK(trust_roots(SSL_CTX_get_cert_store(raw), bundle));
  } else if (SSL_CTX_set_default_verify_paths(raw) != 1) {
    return tls_error("cannot load trusted roots");
  }
  return context;
}

}  // namespace imgproc::http
