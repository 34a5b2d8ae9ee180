#include "http/wire.h"

#include <fmt/format.h>

#include <boost/beast/http/error.hpp>
#include <cstring>

namespace imgproc::http {

namespace beast = boost::beast;

base::Result<std::size_t> ReceiveBuffer::fill(Stream& stream, Timeout timeout) {
  if (begin_ == end_) begin_ = end_ = 0;
  if (begin_ > 0 && end_ == bytes_.size()) {
    std::memmove(bytes_.data(), bytes_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == bytes_.size()) bytes_.resize(std::max(kReceiveBufferBytes, bytes_.size() * 2));
  IMGPROC_TRY(std::size_t got,
              stream.read_some({bytes_.data() + end_, bytes_.size() - end_}, timeout));
  end_ += got;
  return got;
}

template <bool isRequest>
std::size_t MessageParser<isRequest>::take(View body, Code& error) {
  std::size_t count = std::min(body.size(), output.size() - produced);
  std::memcpy(output.data() + produced, body.data(), count);
  produced += count;
  if (count < body.size()) error = beast::http::error::need_buffer;
  return count;
}

template <class Parser>
WireBody::WireBody(Stream& stream, ReceiveBuffer& buffer, Timeout timeout, BodyFraming framing,
                   Parser* parser)
    : stream_(stream),
      buffer_(buffer),
      timeout_(timeout),
      framing_(framing),
      at_end_(framing.kind == BodyFraming::Kind::none ||
              (framing.kind == BodyFraming::Kind::length && framing.length == 0)) {
  if (framing.kind != BodyFraming::Kind::chunked) return;
  chunk_step_ = [parser](std::string_view pending, std::span<char> into) {
    parser->output = into;
    parser->produced = 0;
    beast::error_code error;
    std::size_t consumed = 0;
    while (consumed < pending.size() && !parser->is_done()) {
      consumed += parser->put(
          boost::asio::buffer(pending.data() + consumed, pending.size() - consumed), error);
      if (error || parser->produced == into.size()) break;
    }
    ChunkStep step{
        consumed, parser->produced, parser->is_done(), error == beast::http::error::need_more, {}};
    if (error && error != beast::http::error::need_more && error != beast::http::error::need_buffer)
      step.error = error.message();
    return step;
  };
}

WireBody::~WireBody() = default;

base::Result<std::size_t> WireBody::read_plain(std::span<char> into) {
  if (framing_.kind == BodyFraming::Kind::length)
    into = into.first(std::min<std::uint64_t>(into.size(), framing_.length));
  std::size_t got = 0;
  if (std::string_view pending = buffer_.pending(); !pending.empty()) {
    got = std::min(pending.size(), into.size());
    std::memcpy(into.data(), pending.data(), got);
    buffer_.consume(got);
  } else if (into.size() < kReceiveBufferBytes) {
    // A small reader: receive a whole window once instead of many slivers.
    IMGPROC_TRY(std::size_t filled, buffer_.fill(stream_, timeout_));
    if (filled > 0) return read_plain(into);
  } else {
    IMGPROC_TRY(got, stream_.read_some(into, timeout_));
  }
  if (framing_.kind == BodyFraming::Kind::until_close) {
    at_end_ = got == 0;
    return got;
  }
  if (got == 0)
    return base::transient("CONNECTION_CLOSED",
                           fmt::format("the body ended {} bytes too early", framing_.length));
  framing_.length -= got;
  at_end_ = framing_.length == 0;
  return got;
}

base::Result<std::size_t> WireBody::read(std::span<char> into) {
  if (at_end_ || into.empty()) return std::size_t{0};
  if (framing_.kind != BodyFraming::Kind::chunked) return read_plain(into);
  for (;;) {
    if (!buffer_.pending().empty()) {
      ChunkStep step = chunk_step_(buffer_.pending(), into);
      buffer_.consume(step.consumed);
      if (!step.error.empty())
        return base::permanent("BAD_CHUNK", "malformed chunked body: " + step.error);
      at_end_ = step.done;
      if (step.produced > 0 || step.done) return step.produced;
    }
    IMGPROC_TRY(std::size_t got, buffer_.fill(stream_, timeout_));
    if (got == 0) return base::transient("CONNECTION_CLOSED", "the chunked body ended too early");
  }
}

template <bool isRequest>
base::Status read_header(Stream& stream, ReceiveBuffer& buffer, MessageParser<isRequest>& parser,
                         std::size_t header_bytes_max, Timeout first_timeout, Timeout timeout) {
  parser.eager(false);
  parser.body_limit(boost::none);
  // Beast counts what it parsed; our own bound below counts what waits unparsed.
  parser.header_limit(static_cast<std::uint32_t>(header_bytes_max));
  auto started = std::chrono::steady_clock::now();
  for (bool first = buffer.pending().empty();; first = false) {
    if (!buffer.pending().empty()) {
      beast::error_code error;
      std::string_view pending = buffer.pending();
      std::size_t used = parser.put(boost::asio::buffer(pending.data(), pending.size()), error);
      buffer.consume(used);
      if (error == beast::http::error::header_limit || pending.size() - used > header_bytes_max)
        return base::permanent("HEADER_TOO_LARGE",
                               fmt::format("the header has more than {} bytes", header_bytes_max));
      if (error && error != beast::http::error::need_more)
        return base::permanent("BAD_MESSAGE", "malformed HTTP: " + error.message());
      if (parser.is_header_done()) return {};
    }
    Timeout wait = first_timeout;
    if (!first) {
      wait = timeout;
      if (timeout.count() >= 0) {
        auto spent =
            std::chrono::duration_cast<Timeout>(std::chrono::steady_clock::now() - started);
        if (spent >= timeout)
          return base::transient("TIMEOUT", "the header took too long to arrive");
        wait = timeout - spent;
      }
    }
    auto got = buffer.fill(stream, wait);
    if (first) started = std::chrono::steady_clock::now();
    if (first && (!got || *got == 0)) {
      bool timed_out = !got && got.error().code == "TIMEOUT";
      return base::transient("IDLE",
                             timed_out ? "no message came" : "the peer closed the connection");
    }
    if (!got) return std::unexpected(std::move(got).error());
    if (*got == 0)
      return base::transient("CONNECTION_CLOSED", "the peer closed in the middle of a header");
  }
}

namespace {

base::Status write_streamed(Stream& stream, std::string head, Body& body, bool chunked,
                            Timeout timeout) {
  constexpr std::size_t kSendBufferBytes = 128 * 1024;
  std::string window(kSendBufferBytes, '\0');
  std::uint64_t sent = 0;
  for (;;) {
    IMGPROC_TRY(std::size_t got, body.stream->read({window.data(), window.size()}));
    if (got == 0) break;
    sent += got;
    if (chunked) head += fmt::format("{:x}\r\n", got);
    IMGPROC_CHECK(stream.write_all(head, std::string_view(window).substr(0, got), timeout));
    head = chunked ? "\r\n" : "";
  }
  if (!chunked && body.stream_bytes && sent != *body.stream_bytes)
    return base::permanent(
        "BODY_LENGTH_MISMATCH",
        fmt::format("the body has {} bytes, {} were announced", sent, *body.stream_bytes));
  if (chunked) head += "0\r\n\r\n";
  return stream.write_all(head, {}, timeout);
}

}  // namespace

base::Status write_message(Stream& stream, std::string head, Body& body, bool chunked,
                           Timeout timeout) {
  if (!body.stream) return stream.write_all(head, body.text, timeout);
  return write_streamed(stream, std::move(head), body, chunked, timeout);
}

template class MessageParser<true>;
template class MessageParser<false>;
template WireBody::WireBody(Stream&, ReceiveBuffer&, Timeout, BodyFraming, MessageParser<true>*);
template WireBody::WireBody(Stream&, ReceiveBuffer&, Timeout, BodyFraming, MessageParser<false>*);
template base::Status read_header<true>(Stream&, ReceiveBuffer&, MessageParser<true>&, std::size_t,
                                        Timeout, Timeout);
template base::Status read_header<false>(Stream&, ReceiveBuffer&, MessageParser<false>&,
                                         std::size_t, Timeout, Timeout);

}  // namespace imgproc::http
