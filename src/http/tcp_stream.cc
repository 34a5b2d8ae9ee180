#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>

#include "http/stream.h"
#include "http/wait.h"

namespace imgproc::http {

base::Status wait_for(int fd, short events, Timeout timeout) {
  pollfd waiting{fd, events, 0};
  for (;;) {
    int count = ::poll(&waiting, 1, timeout.count() < 0 ? -1 : static_cast<int>(timeout.count()));
    if (count > 0) return {};
    if (count == 0)
      return base::transient(
          "TIMEOUT", fmt::format("nothing moved on the connection for {} ms", timeout.count()));
    if (errno != EINTR) return base::system_error("poll", errno);
  }
}

namespace {

std::unexpected<base::Error> closed(std::string_view what, int error) {
  return base::transient("CONNECTION_CLOSED", fmt::format("{}: {}", what, std::strerror(error)));
}

class TcpStream final : public Stream {
 public:
  explicit TcpStream(base::FileDescriptor socket) : socket_(std::move(socket)) {
    int flags = ::fcntl(socket_.get(), F_GETFL);
    ::fcntl(socket_.get(), F_SETFL, flags | O_NONBLOCK);
    int on = 1;
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }

  base::Result<std::size_t> read_some(std::span<char> into, Timeout timeout) override {
    for (;;) {
      ssize_t got = ::recv(socket_.get(), into.data(), into.size(), 0);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) return closed("receiving", errno);
      IMGPROC_CHECK(wait_for(socket_.get(), POLLIN, timeout));
    }
  }

  base::Status write_all(std::string_view first, std::string_view second,
                         Timeout timeout) override {
    while (!first.empty() || !second.empty()) {
      iovec parts[2] = {{const_cast<char*>(first.data()), first.size()},
                        {const_cast<char*>(second.data()), second.size()}};
      msghdr message{};
      message.msg_iov = parts;
      message.msg_iovlen = 2;
      ssize_t put = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
      if (put < 0) {
        if (errno == EINTR) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) return closed("sending", errno);
        IMGPROC_CHECK(wait_for(socket_.get(), POLLOUT, timeout));
        continue;
      }
      auto sent = static_cast<std::size_t>(put);
      std::size_t from_first = std::min(sent, first.size());
      first.remove_prefix(from_first);
      second.remove_prefix(sent - from_first);
    }
    return {};
  }

  bool is_stale() override {
    char byte;
    ssize_t got = ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
  }

  void shut_down() override { ::shutdown(socket_.get(), SHUT_RDWR); }

 private:
  base::FileDescriptor socket_;
};

struct AddressList {
  addrinfo* head = nullptr;
  ~AddressList() {
    if (head != nullptr) ::freeaddrinfo(head);
  }
};

base::Result<base::FileDescriptor> connect_one(const addrinfo& address, Timeout timeout) {
  base::FileDescriptor socket(::socket(
      address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address.ai_protocol));
  if (!socket) return base::system_error("socket", errno);
  if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0) return socket;
  if (errno != EINPROGRESS) return closed("connecting", errno);
  IMGPROC_CHECK(wait_for(socket.get(), POLLOUT, timeout));
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) return closed("connecting", error);
  return socket;
}

}  // namespace

std::unique_ptr<Stream> make_tcp_stream(base::FileDescriptor socket) {
  return std::make_unique<TcpStream>(std::move(socket));
}

base::Result<base::FileDescriptor> connect_tcp(const std::string& host, unsigned short port,
                                               Timeout timeout) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  AddressList addresses;
  if (int code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &addresses.head);
      code != 0)
    return base::transient("CONNECT_FAILED",
                           fmt::format("cannot resolve {}: {}", host, ::gai_strerror(code)));
  std::string last = "no address";
  for (const addrinfo* address = addresses.head; address != nullptr; address = address->ai_next) {
    auto socket = connect_one(*address, timeout);
    if (socket) return socket;
    last = socket.error().message;
  }
  return base::transient("CONNECT_FAILED",
                         fmt::format("cannot connect to {}:{}: {}", host, port, last),
                         "is the endpoint right, and is it running?");
}

}  // namespace imgproc::http
