// Client and server against each other over loopback, and the server against raw bytes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/random.h"
#include "http/client.h"
#include "http/server.h"
#include "http/stream.h"

namespace imgproc::http {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class FunctionExchange final : public Exchange {
 public:
  using Function = std::function<base::Result<Response>(Request)>;
  explicit FunctionExchange(Function function) : function_(std::move(function)) {}
  base::Result<Response> send(Request request) override { return function_(std::move(request)); }

 private:
  Function function_;
};

/// Gives out `size` bytes of a known pattern without holding them.
class PatternReader final : public BodyReader {
 public:
  explicit PatternReader(std::uint64_t size) : left_(size) {}
  base::Result<std::size_t> read(std::span<char> into) override {
    std::size_t count = std::min<std::uint64_t>(into.size(), left_);
    for (std::size_t i = 0; i < count; ++i) into[i] = static_cast<char>('a' + at_++ % 23);
    left_ -= count;
    return count;
  }

 private:
  std::uint64_t left_;
  std::uint64_t at_ = 0;
};

struct Fixture {
  explicit Fixture(FunctionExchange::Function function, ServerOptions options = {})
      : handler(std::move(function)) {
    auto started = Server::start(handler, options);
    EXPECT_TRUE(started.has_value());
    server = std::move(*started);
  }
  Client client(ClientOptions options = {}) const {
    return Client({.host = "127.0.0.1", .port = server->port()}, options);
  }
  /// Sends raw bytes and reads until the server closes or `until` was seen.
  std::string talk(std::string_view bytes, std::string_view until = {}) const {
    auto socket = connect_tcp("127.0.0.1", server->port(), Timeout{2000});
    if (!socket) return socket.error().describe();
    auto stream = make_tcp_stream(std::move(*socket));
    EXPECT_TRUE(stream->write_all(bytes, {}, Timeout{2000}).has_value());
    std::string answer;
    std::string window(4096, '\0');
    for (;;) {
      auto got = stream->read_some({window.data(), window.size()}, Timeout{5000});
      if (!got || *got == 0) return answer;
      answer.append(window, 0, *got);
      if (!until.empty() && answer.find(until) != std::string::npos) return answer;
    }
  }
  FunctionExchange handler;
  std::unique_ptr<Server> server;
};

base::Result<Response> echo(Request request) {
  Response response;
  response.headers.set("X-Method", request.method);
  response.headers.set("X-Target", request.target);
  auto body = read_all(request.body, 1 << 30);
  if (!body) return std::unexpected(body.error());
  response.body = std::move(*body);
  return response;
}

TEST(ClientServer, RoundTripsAndReusesTheConnection) {
  Fixture fixture(echo);
  Client client = fixture.client();
  for (int i = 0; i < 3; ++i) {
    Request request{.method = "POST", .target = "/a%20b?c=d", .body = Body("hello")};
    auto response = client.send(std::move(request));
    ASSERT_TRUE(response.has_value()) << response.error().describe();
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->headers.get("x-method"), "POST");
    EXPECT_EQ(response->headers.get("x-target"), "/a%20b?c=d");
    EXPECT_EQ(*read_all(response->body, 100), "hello");
  }
}

TEST(ClientServer, StreamsLargeBodiesBothWays) {
  constexpr std::uint64_t kSize = 20'000'003;
  for (bool known_length : {true, false}) {
    std::atomic<std::uint64_t> received{0};
    Fixture fixture([&](Request request) -> base::Result<Response> {
      auto reader = to_reader(std::move(request.body));
      std::string window(100'000, '\0');
      PatternReader expected(kSize);
      std::string wanted(100'000, '\0');
      for (;;) {
        auto got = reader->read({window.data(), window.size()});
        if (!got) return std::unexpected(got.error());
        if (*got == 0) break;
        auto want = expected.read({wanted.data(), *got});
        if (std::string_view(window).substr(0, *got) != std::string_view(wanted).substr(0, *want))
          return base::permanent("WRONG_BYTES", "the body changed on the way");
        received += *got;
      }
      Response response;
      response.body = Body(std::make_unique<PatternReader>(kSize),
                           known_length ? std::optional<std::uint64_t>(kSize) : std::nullopt);
      return response;
    });
    Client client = fixture.client();
    Request request{.method = "PUT", .target = "/big"};
    request.body = Body(std::make_unique<PatternReader>(kSize),
                        known_length ? std::optional<std::uint64_t>(kSize) : std::nullopt);
    auto response = client.send(std::move(request));
    ASSERT_TRUE(response.has_value()) << response.error().describe();
    ASSERT_EQ(response->status, 200);
    auto body = read_all(response->body, kSize);
    ASSERT_TRUE(body.has_value()) << body.error().describe();
    EXPECT_EQ(body->size(), kSize);
    EXPECT_EQ(received, kSize);
    PatternReader expected(kSize);
    std::string wanted(kSize, '\0');
    EXPECT_EQ(*expected.read({wanted.data(), wanted.size()}), kSize);
    EXPECT_TRUE(*body == wanted);
  }
}

TEST(ClientServer, HeadAnnouncesALengthWithoutABody) {
  Fixture fixture([](Request) -> base::Result<Response> {
    Response response;
    response.head_content_length = 5'000'000'000;
    return response;
  });
  Client client = fixture.client();
  for (int i = 0; i < 2; ++i) {
    auto response = client.send({.method = "HEAD"});
    ASSERT_TRUE(response.has_value()) << response.error().describe();
    EXPECT_EQ(response->head_content_length, 5'000'000'000);
  }
}

TEST(ClientServer, ContinueIsSentWhenTheHandlerReads) {
  Fixture fixture(echo);
  std::string head =
      "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
  EXPECT_THAT(fixture.talk(head, "\r\n\r\n"), StartsWith("HTTP/1.1 100 Continue\r\n\r\n"));
}

TEST(ClientServer, AnExpectationIsKnownInAnyCase) {
  Fixture fixture(echo);
  std::string head =
      "PUT / HTTP/1.1\r\nHost: x\r\nexpect: 100-Continue\r\nContent-Length: 3\r\n\r\n";
  EXPECT_THAT(fixture.talk(head, "\r\n\r\n"), StartsWith("HTTP/1.1 100 Continue\r\n\r\n"));
}

TEST(ClientServer, AnEmptyBodyIsContinuedToo) {
  Fixture fixture(echo);
  std::string answer = fixture.talk(
      "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 0\r\n"
      "Connection: close\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK"));
}

TEST(ClientServer, ARefusedExpectationClosesWithoutContinue) {
  Fixture fixture([](Request) -> base::Result<Response> {
    Response response;
    response.status = 403;
    return response;
  });
  std::string answer = fixture.talk(
      "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
}

TEST(ClientServer, PipelinedRequestsAreAnsweredInOrder) {
  Fixture fixture(echo);
  std::string answer = fixture.talk(
      "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
      "GET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  auto first = answer.find("X-Target: /1");
  auto second = answer.find("X-Target: /2");
  auto third = answer.find("X-Target: /3");
  ASSERT_NE(third, std::string::npos) << answer;
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
}

TEST(ClientServer, UnreadBodiesAreSkippedOrTheConnectionClosed) {
  Fixture fixture([](Request) -> base::Result<Response> { return Response{}; });
  Client client = fixture.client();
  for (std::uint64_t size : {std::uint64_t{10}, std::uint64_t{500'000}, std::uint64_t{5'000'000}}) {
    Request request{.method = "PUT"};
    request.body = Body(std::make_unique<PatternReader>(size), size);
    auto response = client.send(std::move(request));
    // A body far beyond the bound may be cut off by the close; then the client says so.
    if (size <= 1'000'000) {
      ASSERT_TRUE(response.has_value()) << response.error().describe();
    }
    EXPECT_EQ(client.send({})->status, 200);
  }
}

TEST(ClientServer, MalformedMessagesAreRefused) {
  Fixture fixture(echo,
                  {.header_bytes_max = 4096, .header_timeout = std::chrono::milliseconds{200}});
  EXPECT_THAT(fixture.talk("NONSENSE\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(fixture.talk("GET / HTTP/1.1\r\nA: " + std::string(10000, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431"));
  // Both framings at once is how requests are smuggled past a proxy.
  EXPECT_THAT(
      fixture.talk(
          "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
      StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(fixture.talk("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n"),
              StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(fixture.talk("GET / HTTP/1.1\r\nHos"), StartsWith("HTTP/1.1 408"));
}

TEST(ClientServer, HeaderValuesCannotSplitTheResponse) {
  Fixture fixture([](Request) -> base::Result<Response> {
    Response response;
    response.headers.set("X-Evil", "a\r\nX-Injected: b");
    return response;
  });
  auto response = fixture.client().send({});
  ASSERT_TRUE(response.has_value());
  EXPECT_FALSE(response->headers.has("X-Injected"));
  auto refused = fixture.client().send({.target = "/a\r\nX: y"});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, "INVALID_REQUEST");
}

TEST(ClientServer, SilentServersTimeOut) {
  std::mutex mutex;
  std::unique_lock hold(mutex);
  Fixture fixture([&](Request) -> base::Result<Response> {
    std::lock_guard wait(mutex);
    return Response{};
  });
  auto response = fixture.client({.idle_timeout = std::chrono::milliseconds{50}}).send({});
  hold.unlock();
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, "TIMEOUT");
  EXPECT_TRUE(response.error().retryable);
}

TEST(ClientServer, ARefusedConnectionIsRetryable) {
  unsigned short port = 0;
  {
    Fixture fixture(echo);
    port = fixture.server->port();
  }
  auto response = Client({.host = "127.0.0.1", .port = port}).send({});
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, "CONNECT_FAILED");
  EXPECT_TRUE(response.error().retryable);
}

TEST(ClientServer, ManyConnectionsAtOnce) {
  Fixture fixture(echo, {.connections_max = 16});
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 32; ++i)
    threads.emplace_back([&] {
      for (int j = 0; j < 5; ++j) {
        // A client of its own each time: more connections than the server takes at once.
        auto response = fixture.client().send({.method = "POST", .body = Body("x")});
        if (response && response->status == 200) ++good;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 160);
}

TEST(ClientServer, StopLetsTheRequestUnderWayFinish) {
  std::mutex mutex;
  std::condition_variable changed;
  bool entered = false;
  bool release = false;
  Fixture fixture([&](Request) -> base::Result<Response> {
    std::unique_lock lock(mutex);
    entered = true;
    changed.notify_all();
    changed.wait(lock, [&] { return release; });
    return Response{};
  });
  base::Result<Response> response = Response{};
  std::thread caller([&] { response = fixture.client().send({}); });
  std::thread stopper;
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return entered; });
    stopper = std::thread([&] { fixture.server->stop(std::chrono::milliseconds{10000}); });
    release = true;
    changed.notify_all();
  }
  caller.join();
  stopper.join();
  ASSERT_TRUE(response.has_value()) << response.error().describe();
  EXPECT_EQ(response->status, 200);
}

TEST(Origin, ParsesAndRefuses) {
  auto origin = Origin::parse("http://127.0.0.1:4566");
  ASSERT_TRUE(origin.has_value());
  EXPECT_EQ(origin->host, "127.0.0.1");
  EXPECT_EQ(origin->port, 4566);
  EXPECT_EQ(origin->host_header(), "127.0.0.1:4566");
  EXPECT_EQ(Origin::parse("https://s3.eu-west-1.amazonaws.com/")->host_header(),
            "s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(Origin::parse("http://[::1]:80")->host_header(), "[::1]");
  EXPECT_EQ(Origin::parse("HTTPS://[2001:db8::1]/")->host, "2001:db8::1");
  for (const char* bad :
       {"", "127.0.0.1:1", "ftp://a", "http:/a", "http://", "http://:80", "http://a/b",
        "http://a?b", "http://a b", "http://u@a", "http://a:", "http://a:0", "http://a:99999",
        "http://a:1:2", "http://[::1", "http://[]", "http://[::1]80", "http://[host]"})
    EXPECT_FALSE(Origin::parse(bad).has_value()) << bad;
}

}  // namespace
}  // namespace imgproc::http
