#pragma once
// HTTP/1.1 on the wire, for client and server: reading headers and bodies off a Stream, writing
// them. The grammar is Boost.Beast's parser; framing and limits are here.

#include <boost/beast/http/basic_parser.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "http/message.h"
#include "http/stream.h"

namespace imgproc::http {

/// Size of the window that bytes are received into.
inline constexpr std::size_t kReceiveBufferBytes = 16 * 1024;

/// What arrived and is not parsed yet. Belongs to a connection, lives as long.
class ReceiveBuffer {
 public:
  [[nodiscard]] std::string_view pending() const {
    return std::string_view(bytes_).substr(begin_, end_ - begin_);
  }
  void consume(std::size_t count) { begin_ += count; }
  /// Receives more behind what is pending; 0 = the peer closed. Grows beyond its usual size only
  /// while a long header is pending.
  [[nodiscard]] base::Result<std::size_t> fill(Stream& stream, Timeout timeout);

 private:
  std::string bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

/// Collects start line, fields and chunked payload from Beast's parser.
template <bool isRequest>
class MessageParser final : public boost::beast::http::basic_parser<isRequest> {
 public:
  std::string method;
  std::string target;
  int status = 0;
  /// 11 for HTTP/1.1, 10 for HTTP/1.0.
  int version = 11;
  Headers headers;

  /// Where the next chunked payload bytes go; on_chunk_body advances it.
  std::span<char> output;
  std::size_t produced = 0;

 private:
  using View = boost::beast::string_view;
  using Code = boost::beast::error_code;
  using Verb = boost::beast::http::verb;
  using Field = boost::beast::http::field;

  void on_request_impl(Verb, View method_text, View target_text, int number, Code&) override {
    version = number;
    method.assign(method_text.data(), method_text.size());
    target.assign(target_text.data(), target_text.size());
  }
  void on_response_impl(int code, View, int number, Code&) override {
    version = number;
    status = code;
  }
  void on_field_impl(Field, View name, View value, Code&) override {
    // Fields of the trailer section come here too, after the body; nobody reads them.
    if (!this->is_header_done()) headers.add(std::string(name), std::string(value));
  }
  void on_header_impl(Code&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const&, Code&) override {}
  std::size_t on_body_impl(View body, Code& error) override { return take(body, error); }
  void on_chunk_header_impl(std::uint64_t, View, Code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, View body, Code& error) override {
    return take(body, error);
  }
  void on_finish_impl(Code&) override {}

  std::size_t take(View body, Code& error);
};

/// How long a body is, as its header says.
struct BodyFraming {
  enum class Kind { none, length, chunked, until_close } kind = Kind::none;
  std::uint64_t length = 0;
};

/// Reads one body off the wire, exactly to its end, so that the connection can be used again.
class WireBody {
 public:
  template <class Parser>
  WireBody(Stream& stream, ReceiveBuffer& buffer, Timeout timeout, BodyFraming framing,
           Parser* parser);
  ~WireBody();
  /// Fills some of `into`; 0 = the end. Errors: TIMEOUT, CONNECTION_CLOSED (ended too early),
  /// BAD_CHUNK.
  [[nodiscard]] base::Result<std::size_t> read(std::span<char> into);
  [[nodiscard]] bool at_end() const { return at_end_; }

 private:
  [[nodiscard]] base::Result<std::size_t> read_plain(std::span<char> into);

  Stream& stream_;
  ReceiveBuffer& buffer_;
  Timeout timeout_;
  BodyFraming framing_;
  bool at_end_;
  /// Parses one step of a chunked body into the span; returns bytes produced and whether it ended.
  struct ChunkStep {
    std::size_t consumed, produced;
    bool done, need_more;
    std::string error;
  };
  std::function<ChunkStep(std::string_view pending, std::span<char> into)> chunk_step_;
};

/// Reads a header into `parser`. `first_timeout` bounds the wait for its first byte (a closed or
/// silent connection before that is the error IDLE), `timeout` all the rest together.
/// Errors: IDLE, TIMEOUT, CONNECTION_CLOSED, BAD_MESSAGE, HEADER_TOO_LARGE.
template <bool isRequest>
[[nodiscard]] base::Status read_header(Stream& stream, ReceiveBuffer& buffer,
                                       MessageParser<isRequest>& parser,
                                       std::size_t header_bytes_max, Timeout first_timeout,
                                       Timeout timeout);

/// Sends `head` (start line and fields, up to and with the empty line) and the body behind it,
/// in one packet where it is small; a stream of unknown length goes chunked.
[[nodiscard]] base::Status write_message(Stream& stream, std::string head, Body& body, bool chunked,
                                         Timeout timeout);

}  // namespace imgproc::http
