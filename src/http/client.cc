#include "http/client.h"

#include <fmt/format.h>

#include <cstring>
#include <mutex>
#include <tuple>
#include <vector>

#include "base/bytes.h"
#include "http/wire.h"

namespace imgproc::http {
namespace {

/// What an IPv6 address and a name of a host consist of.
constexpr std::string_view kAddress = "0123456789abcdefABCDEF:.";
constexpr std::string_view kHostName =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._~";

}  // namespace

base::Result<Origin> Origin::parse(std::string_view text) {
  auto invalid = [&](std::string_view why) {
    return base::permanent("INVALID_URL", fmt::format("`{}` is no endpoint URL: {}", text, why),
                           "write it like http://127.0.0.1:4566");
  };
  Origin origin;
  std::string_view rest = text;
  for (auto [scheme, tls, port] : {std::tuple("http://", false, 80), {"https://", true, 443}}) {
    if (!base::to_lower(text).starts_with(scheme)) continue;
    origin.tls = tls;
    origin.port = static_cast<unsigned short>(port);
    rest.remove_prefix(std::strlen(scheme));
  }
  if (rest.size() == text.size()) return invalid("the scheme must be http or https");
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#") != std::string_view::npos)
    return invalid("a path is not supported");
  // [::1] is written in brackets in a URL and without them to the resolver.
  bool address = rest.starts_with('[');
  if (address) rest.remove_prefix(1);
  std::string_view host = rest.substr(0, rest.find_first_not_of(address ? kAddress : kHostName));
  rest.remove_prefix(host.size());
  if (host.empty()) return invalid("the host is missing");
  if (address && !rest.starts_with(']')) return invalid("the address does not end with `]`");
  if (address) rest.remove_prefix(1);
  origin.host = std::string(host);
  if (!rest.empty()) {
    if (rest.front() != ':') return invalid("the host has a character that none can have");
    auto port = base::parse_unsigned(rest.substr(1));
    if (!port || *port == 0 || *port > 65535)
      return invalid("the port is not a number from 1 to 65535");
    origin.port = static_cast<unsigned short>(*port);
  }
  return origin;
}

std::string Origin::host_header() const {
  std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (tls ? 443 : 80) ? name : fmt::format("{}:{}", name, port);
}

namespace {

/// A connection with what it has received ahead.
struct Wire {
  std::unique_ptr<Stream> stream;
  ReceiveBuffer buffer;
};

std::string build_head(const Request& request, const Origin& origin, bool& chunked) {
  std::string head;
  head.reserve(1024);
  fmt::format_to(std::back_inserter(head), "{} {} HTTP/1.1\r\n", request.method, request.target);
  if (!request.headers.has("Host"))
    fmt::format_to(std::back_inserter(head), "Host: {}\r\n", origin.host_header());
  for (const auto& [name, value] : request.headers.fields())
    fmt::format_to(std::back_inserter(head), "{}: {}\r\n", name, value);
  auto length = request.body.size();
  chunked = !length;
  if (chunked) {
    head += "Transfer-Encoding: chunked\r\n";
  } else if (!request.headers.has("Content-Length") &&
             (*length > 0 || (request.method != "GET" && request.method != "HEAD" &&
                              request.method != "DELETE"))) {
    fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", *length);
  }
  head += "\r\n";
  return head;
}

/// A line break in a target or field would let a value smuggle in a second message.
bool is_sendable(const Request& request) {
  auto clean = [](std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
  };
  for (const auto& [name, value] : request.headers.fields())
    if (!clean(name) || !clean(value)) return false;
  return clean(request.method) && clean(request.target) &&
         request.target.find(' ') == std::string::npos && !request.target.empty();
}

}  // namespace

base::Result<std::shared_ptr<TlsContext>> TlsTrust::context() {
  std::lock_guard lock(mutex_);
  if (!context_) {
    IMGPROC_TRY(context_, TlsContext::create(ca_bundle_));
  }
  return context_;
}

class Client::Pool : public std::enable_shared_from_this<Client::Pool> {
 public:
  Pool(Origin origin, ClientOptions options)
      : origin_(std::move(origin)), options_(std::move(options)) {
    if (!options_.tls) options_.tls = std::make_shared<TlsTrust>();
  }

  base::Result<Response> send(Request request);
  base::Result<std::unique_ptr<Wire>> connect();
  void give_back(std::unique_ptr<Wire> wire) {
    std::lock_guard lock(mutex_);
    if (idle_.size() < options_.idle_connections_max && wire->buffer.pending().empty())
      idle_.push_back(std::move(wire));
  }

 private:
  friend class ResponseBodyReader;
  base::Result<Response> send_on(std::unique_ptr<Wire> wire, Request& request);
  std::unique_ptr<Wire> take_idle();
  Timeout idle_timeout() const {
    return options_.idle_timeout.count() == 0 ? Timeout{-1} : options_.idle_timeout;
  }

  Origin origin_;
  ClientOptions options_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Wire>> idle_;
};

/// Streams a response's body and gives its connection back to the pool when it was read to the end.
class ResponseBodyReader final : public BodyReader {
 public:
  ResponseBodyReader(std::shared_ptr<Client::Pool> pool, std::unique_ptr<Wire> wire,
                     std::unique_ptr<MessageParser<false>> parser, BodyFraming framing,
                     bool reusable)
      : pool_(std::move(pool)),
        wire_(std::move(wire)),
        parser_(std::move(parser)),
        body_(*wire_->stream, wire_->buffer, pool_->idle_timeout(), framing, parser_.get()),
        reusable_(reusable) {}

  base::Result<std::size_t> read(std::span<char> into) override {
    if (!wire_) return std::size_t{0};
    auto got = body_.read(into);
    if (!got) {
      wire_.reset();
      return got;
    }
    if (body_.at_end()) {
      if (reusable_) pool_->give_back(std::move(wire_));
      wire_.reset();
    }
    return got;
  }

 private:
  std::shared_ptr<Client::Pool> pool_;
  std::unique_ptr<Wire> wire_;
  std::unique_ptr<MessageParser<false>> parser_;
  WireBody body_;
  bool reusable_;
};

base::Result<std::unique_ptr<Wire>> Client::Pool::connect() {
  IMGPROC_TRY(base::FileDescriptor socket,
              connect_tcp(origin_.host, origin_.port, options_.connect_timeout));
  auto wire = std::make_unique<Wire>();
  if (!origin_.tls) {
    wire->stream = make_tcp_stream(std::move(socket));
    return wire;
  }
  IMGPROC_TRY(auto tls, options_.tls->context());
  IMGPROC_TRY(wire->stream,
              tls->handshake(std::move(socket), origin_.host, options_.connect_timeout));
  return wire;
}

std::unique_ptr<Wire> Client::Pool::take_idle() {
  for (;;) {
    std::unique_ptr<Wire> wire;
    {
      std::lock_guard lock(mutex_);
      if (idle_.empty()) return nullptr;
      wire = std::move(idle_.back());
      idle_.pop_back();
    }
    if (!wire->stream->is_stale()) return wire;
  }
}

base::Result<Response> Client::Pool::send(Request request) {
  if (!is_sendable(request))
    return base::permanent("INVALID_REQUEST",
                           "the request has a line break or space where none may be");
  if (auto wire = take_idle()) {
    bool repeatable = request.body.stream == nullptr;
    auto response = send_on(std::move(wire), request);
    // The server may have closed a pooled connection at the very moment we used it.
    if (response || response.error().code != "CONNECTION_CLOSED" || !repeatable) return response;
  }
  IMGPROC_TRY(std::unique_ptr<Wire> wire, connect());
  return send_on(std::move(wire), request);
}

base::Result<Response> Client::Pool::send_on(std::unique_ptr<Wire> wire, Request& request) {
  bool chunked = false;
  std::string head = build_head(request, origin_, chunked);
  auto written =
      write_message(*wire->stream, std::move(head), request.body, chunked, idle_timeout());
  // A server that refuses a body early answers and closes: its answer says more than our broken
  // pipe.
  if (!written && written.error().code != "CONNECTION_CLOSED")
    return std::unexpected(written.error());

  std::unique_ptr<MessageParser<false>> parser;
  for (;;) {
    parser = std::make_unique<MessageParser<false>>();
    if (request.method == "HEAD") parser->skip(true);
    auto status = read_header(*wire->stream, wire->buffer, *parser,
                              options_.response_header_bytes_max, idle_timeout(), idle_timeout());
    if (!status) {
      if (!written) return std::unexpected(written.error());
      base::Error error = status.error();
      if (error.code == "IDLE") {
        bool silent = error.message == "no message came";
        error = base::transient(
                    silent ? "TIMEOUT" : "CONNECTION_CLOSED",
                    silent ? fmt::format("no answer within {} ms", options_.idle_timeout.count())
                           : "the server closed the connection without an answer")
                    .error();
      } else if (error.code == "BAD_MESSAGE" || error.code == "HEADER_TOO_LARGE") {
        error.code = "BAD_RESPONSE";
      }
      return std::unexpected(std::move(error));
    }
    if (parser->status >= 200) break;
  }

  Response response;
  response.status = parser->status;
  response.headers = std::move(parser->headers);
  BodyFraming framing;
  if (request.method == "HEAD" || response.status == 204 || response.status == 304) {
    framing.kind = BodyFraming::Kind::none;
  } else if (parser->chunked()) {
    framing.kind = BodyFraming::Kind::chunked;
  } else if (auto length = parser->content_length()) {
    framing = {BodyFraming::Kind::length, *length};
  } else {
    framing.kind = BodyFraming::Kind::until_close;
  }
  bool reusable =
      parser->keep_alive() && framing.kind != BodyFraming::Kind::until_close && written.has_value();
  if (framing.kind == BodyFraming::Kind::none ||
      (framing.kind == BodyFraming::Kind::length && framing.length == 0)) {
    if (auto length = parser->content_length(); length && request.method == "HEAD")
      response.head_content_length = *length;
    if (reusable) give_back(std::move(wire));
    return response;
  }
  std::optional<std::uint64_t> size;
  if (framing.kind == BodyFraming::Kind::length) size = framing.length;
  response.body = Body(std::make_unique<ResponseBodyReader>(shared_from_this(), std::move(wire),
                                                            std::move(parser), framing, reusable),
                       size);
  return response;
}

Client::Client(Origin origin, ClientOptions options)
    : pool_(std::make_shared<Pool>(std::move(origin), std::move(options))) {}
Client::~Client() = default;

base::Result<Response> Client::send(Request request) {
  return pool_->send(std::move(request));
}

void Client::warm_up() {
  if (auto wire = pool_->connect()) pool_->give_back(std::move(*wire));
}

}  // namespace imgproc::http
