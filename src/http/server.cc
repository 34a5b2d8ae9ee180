#include "http/server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <list>
#include <mutex>
#include <thread>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/time.h"
#include "http/wire.h"

namespace imgproc::http {
namespace {

/// Unread body bytes that are skipped to keep a connection; beyond it is cheaper to close.
constexpr std::uint64_t kSkippedBodyBytesMax = 1024 * 1024;
/// A body that has arrived with its header and is at most this long is handed over as text.
constexpr std::uint64_t kInlineBodyBytesMax = 64 * 1024;
constexpr int kListenBacklog = 512;

/// Gives the handler a request's body; answers `Expect: 100-continue` at the first read.
class RequestBodyReader final : public BodyReader {
 public:
  RequestBodyReader(std::shared_ptr<WireBody> body, Stream& stream, bool expects_continue,
                    Timeout timeout)
      : body_(std::move(body)),
        stream_(stream),
        expects_continue_(expects_continue),
        timeout_(timeout) {}

  base::Result<std::size_t> read(std::span<char> into) override {
    if (expects_continue_) {
      expects_continue_ = false;
      IMGPROC_CHECK(stream_.write_all("HTTP/1.1 100 Continue\r\n\r\n", {}, timeout_));
    }
    return body_->read(into);
  }

 private:
  std::shared_ptr<WireBody> body_;
  Stream& stream_;
  bool expects_continue_;
  Timeout timeout_;
};

Response plain_error(int status, std::string_view message) {
  Response response;
  response.status = status;
  response.headers.set("Content-Type", "text/plain");
  response.body = std::string(message) + "\n";
  return response;
}

/// The answer to a message that could not be read; status 0 = just close.
int status_for(const base::Error& error) {
  if (error.code == "HEADER_TOO_LARGE") return 431;
  if (error.code == "TIMEOUT") return 408;
  if (error.code == "BAD_MESSAGE") return 400;
  return 0;
}

bool is_forbidden_in_header(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

std::string build_head(const Response& response, bool keep_alive,
                       std::optional<std::uint64_t> length, bool chunked, base::SystemTime now) {
  std::string head;
  head.reserve(512);
  fmt::format_to(std::back_inserter(head), "HTTP/1.1 {} {}\r\n", response.status,
                 reason_phrase(response.status));
  for (const auto& [name, value] : response.headers.fields()) {
    // A value taken from outside must not start a header of its own.
    if (is_forbidden_in_header(name) || is_forbidden_in_header(value)) continue;
    fmt::format_to(std::back_inserter(head), "{}: {}\r\n", name, value);
  }
  if (!response.headers.has("Date"))
    fmt::format_to(std::back_inserter(head), "Date: {}\r\n", base::to_http_date(now));
  if (chunked) head += "Transfer-Encoding: chunked\r\n";
  if (length) fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", *length);
  if (!keep_alive) head += "Connection: close\r\n";
  head += "\r\n";
  return head;
}

}  // namespace

class Server::Impl {
 public:
  Impl(Exchange& handler, ServerOptions options)
      : handler_(handler), options_(std::move(options)) {}
  ~Impl() { stop(std::chrono::milliseconds{0}); }

  base::Status listen();
  void start() {
    acceptor_ = std::thread([this] { accept_loop(); });
  }
  unsigned short port() const { return port_; }
  void stop(std::chrono::milliseconds grace);

 private:
  /// One connection; lives in connections_ while its thread runs.
  struct Connection {
    std::unique_ptr<Stream> stream;
    std::atomic<bool> busy{false};
    std::thread thread;
    bool finished = false;
  };

  void accept_loop();
  void reap_finished();
  void serve(Connection& connection);
  bool serve_one(Connection& connection, ReceiveBuffer& buffer);
  bool answer(Stream& stream, Response response, bool is_head, bool keep_alive, bool http_1_0);

  Exchange& handler_;
  ServerOptions options_;
  base::RealClock clock_;
  base::FileDescriptor listener_;
  unsigned short port_ = 0;
  std::thread acceptor_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Connection> connections_;
  std::size_t open_ = 0;
};

base::Status Server::Impl::listen() {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (int code = ::getaddrinfo(options_.host.c_str(), std::to_string(options_.port).c_str(), &hints,
                               &found);
      code != 0)
    return base::permanent("INVALID_HOST", fmt::format("cannot listen on {}: {}", options_.host,
                                                       ::gai_strerror(code)));
  std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, ::freeaddrinfo);
  listener_ = base::FileDescriptor(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!listener_) return base::system_error("socket", errno);
  int on = 1;
  ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(listener_.get(), found->ai_addr, found->ai_addrlen) != 0) {
    if (errno == EADDRINUSE)
      return base::permanent("ADDRESS_IN_USE",
                             fmt::format("{}:{} is in use", options_.host, options_.port),
                             "stop the program that uses it, or choose another port");
    return base::system_error(fmt::format("cannot listen on {}:{}", options_.host, options_.port),
                              errno);
  }
  if (::listen(listener_.get(), kListenBacklog) != 0) return base::system_error("listen", errno);
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&bound), &length);
  port_ = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                                            : reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
  return {};
}

void Server::Impl::reap_finished() {
  // Called with mutex_ held. A finished thread has left serve(), so join() does not wait.
  for (auto it = connections_.begin(); it != connections_.end();) {
    if (!it->finished) {
      ++it;
      continue;
    }
    it->thread.join();
    it = connections_.erase(it);
  }
}

void Server::Impl::accept_loop() {
  while (!stopping_) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopping_ || open_ < options_.connections_max; });
      reap_finished();
    }
    base::FileDescriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (stopping_) return;
    if (!socket) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
        // Out of descriptors: wait until a connection ends instead of spinning.
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, std::chrono::milliseconds{100});
      }
      continue;
    }
    std::lock_guard lock(mutex_);
    Connection& connection = connections_.emplace_back();
    connection.stream = make_tcp_stream(std::move(socket));
    ++open_;
    try {
      connection.thread = std::thread([this, &connection] { serve(connection); });
    } catch (const std::system_error& error) {
      base::log_warn("no thread for a connection", {{"cause", error.what()}});
      connections_.pop_back();
      --open_;
    }
  }
}

void Server::Impl::serve(Connection& connection) {
  {
    ReceiveBuffer buffer;
    while (!stopping_ && serve_one(connection, buffer)) {
    }
  }
  std::lock_guard lock(mutex_);
  connection.stream->shut_down();
  connection.finished = true;
  --open_;
  changed_.notify_all();
}

bool Server::Impl::serve_one(Connection& connection, ReceiveBuffer& buffer) {
  Stream& stream = *connection.stream;
  MessageParser<true> parser;
  auto status = read_header(stream, buffer, parser, options_.header_bytes_max,
                            options_.keep_alive_timeout, options_.header_timeout);
  if (!status) {
    if (int code = status_for(status.error()); code != 0)
      answer(stream, plain_error(code, status.error().message), false, false, false);
    return false;
  }
  connection.busy = true;
  bool http_1_0 = parser.version < 11;
  bool keep_alive = parser.keep_alive();

  Request request;
  request.method = std::move(parser.method);
  request.target = std::move(parser.target);
  request.headers = std::move(parser.headers);

  BodyFraming framing;
  if (parser.chunked()) {
    framing.kind = BodyFraming::Kind::chunked;
  } else if (auto length = parser.content_length(); length && *length > 0) {
    framing = {BodyFraming::Kind::length, *length};
  }
  auto body = std::make_shared<WireBody>(stream, buffer, options_.body_timeout, framing, &parser);
  auto expect = request.headers.get("Expect");
  bool expects_continue =
      expect && base::equals_ignoring_case(*expect, "100-continue") && !http_1_0;
  // Without a body there is nothing to wait for, but botocore mistakes the answer to its next
  // request on the connection if this one gets no 100 first.
  if (expects_continue && framing.kind == BodyFraming::Kind::none &&
      !stream.write_all("HTTP/1.1 100 Continue\r\n\r\n", {}, options_.body_timeout))
    return false;
  if (framing.kind == BodyFraming::Kind::length && framing.length <= kInlineBodyBytesMax &&
      buffer.pending().size() >= framing.length) {
    request.body.text.resize(framing.length);
    if (!body->read({request.body.text.data(), request.body.text.size()})) return false;
  } else if (framing.kind != BodyFraming::Kind::none) {
    std::optional<std::uint64_t> size;
    if (framing.kind == BodyFraming::Kind::length) size = framing.length;
    request.body = Body(
        std::make_unique<RequestBodyReader>(body, stream, expects_continue, options_.body_timeout),
        size);
  }

  bool is_head = request.method == "HEAD";
  auto response = handler_.send(std::move(request));
  if (!response) {
    base::log_error("handler failed", {{"error", response.error().describe()}});
    bool peer_is_at_fault = response.error().code == "BAD_CHUNK";
    response = plain_error(peer_is_at_fault ? 400 : 500, response.error().code);
  }
  // Whoever still waits for 100 Continue never sends the body: the rest of the connection is
  // unclear.
  if (!body->at_end()) {
    std::uint64_t skipped = 0;
    std::string scratch(kReceiveBufferBytes, '\0');
    bool skippable = !expects_continue && (framing.kind == BodyFraming::Kind::chunked ||
                                           framing.length <= kSkippedBodyBytesMax);
    while (skippable && !body->at_end() && skipped <= kSkippedBodyBytesMax) {
      auto got = body->read({scratch.data(), scratch.size()});
      if (!got) break;
      skipped += *got;
    }
    if (!body->at_end()) keep_alive = false;
  }
  bool sent = answer(stream, std::move(*response), is_head, keep_alive && !stopping_, http_1_0);
  connection.busy = false;
  return sent && keep_alive;
}

bool Server::Impl::answer(Stream& stream, Response response, bool is_head, bool keep_alive,
                          bool http_1_0) {
  bool bodiless = response.status == 204 || response.status == 304 || response.status < 200;
  std::optional<std::uint64_t> length;
  bool chunked = false;
  if (!bodiless) {
    length = is_head && response.head_content_length ? response.head_content_length
                                                     : response.body.size();
    if (!length) {
      chunked = !http_1_0;
      if (http_1_0) keep_alive = false;
    }
  }
  std::string head = build_head(response, keep_alive, length, chunked, clock_.now());
  if (bodiless || is_head) response.body = Body();
  auto status = write_message(stream, std::move(head), response.body,
                              chunked && response.body.stream, options_.body_timeout);
  // After a half-sent answer the only honest thing is to close, so that the client sees the gap.
  return status.has_value() && keep_alive;
}

void Server::Impl::stop(std::chrono::milliseconds grace) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_.exchange(true) && !acceptor_.joinable()) return;
    for (Connection& connection : connections_)
      if (!connection.busy && !connection.finished) connection.stream->shut_down();
    changed_.notify_all();
  }
  ::shutdown(listener_.get(), SHUT_RDWR);
  if (acceptor_.joinable()) acceptor_.join();
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, grace, [&] { return open_ == 0; });
  for (Connection& connection : connections_)
    if (!connection.finished) connection.stream->shut_down();
  changed_.wait(lock, [&] { return open_ == 0; });
  reap_finished();
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

base::Result<std::unique_ptr<Server>> Server::start(Exchange& handler, ServerOptions options) {
  auto impl = std::make_unique<Impl>(handler, std::move(options));
  IMGPROC_CHECK(impl->listen());
  impl->start();
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

unsigned short Server::port() const {
  return impl_->port();
}
void Server::stop(std::chrono::milliseconds grace) {
  impl_->stop(grace);
}

}  // namespace imgproc::http
