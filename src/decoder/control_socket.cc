#include "decoder/control_socket.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "decoder/protocol.h"

namespace imgproc::decoder {
namespace {

constexpr std::size_t kControlBytes = CMSG_SPACE(sizeof(int) * kDescriptorsMax);

std::unexpected<base::Error> closed() {
  return base::transient(kClosed, "the other side of the control socket is gone");
}

base::Status wait_readable(int socket, std::optional<base::SteadyTime> deadline) {
  while (true) {
    int wait_ms = -1;
    if (deadline) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(
          *deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0)
        return base::transient(kTimedOut, "no message within the time allowed");
      wait_ms = static_cast<int>(std::min<std::int64_t>(left.count(), 1 << 30));
    }
    pollfd wanted{socket, POLLIN, 0};
    const int ready = ::poll(&wanted, 1, wait_ms);
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return base::system_error("poll of the control socket", errno);
  }
}

}  // namespace

base::Result<std::pair<base::FileDescriptor, base::FileDescriptor>> control_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return base::system_error("socketpair", errno);
  return std::pair{base::FileDescriptor(ends[0]), base::FileDescriptor(ends[1])};
}

base::Status send_message(int socket, std::string_view text, std::span<const int> descriptors) {
  iovec part{const_cast<char*>(text.data()), text.size()};
  alignas(cmsghdr) std::array<char, kControlBytes> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    const std::size_t bytes = sizeof(int) * descriptors.size();
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(bytes);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(bytes);
    std::memcpy(CMSG_DATA(header), descriptors.data(), bytes);
  }
  while (true) {
    if (::sendmsg(socket, &message, MSG_NOSIGNAL) >= 0) return {};
    if (errno == EINTR) continue;
    if (errno == EPIPE || errno == ECONNRESET) return closed();
    return base::system_error("sending to the control socket", errno);
  }
}

base::Result<Message> receive_message(int socket, std::optional<base::SteadyTime> deadline) {
  IMGPROC_CHECK(wait_readable(socket, deadline));
  Message result;
  // The kernel tells the length of what waits, so that no more than that is cleared.
  const ssize_t waiting = ::recv(socket, nullptr, 0, MSG_PEEK | MSG_TRUNC);
  if (waiting > static_cast<ssize_t>(kMessageBytesMax))
    return base::permanent("MESSAGE_TOO_LONG", "a control message passes its limit");
  // One byte more shows a message that is longer without trusting the kernel's flag.
  result.text.resize(static_cast<std::size_t>(std::max<ssize_t>(waiting, 0)) + 1);
  iovec part{result.text.data(), result.text.size()};
  alignas(cmsghdr) std::array<char, kControlBytes> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t count = -1;
  do {
    count = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (count < 0 && errno == EINTR);
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); count >= 0 && header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t descriptors = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < descriptors; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
      result.descriptors.emplace_back(fd);
    }
  }
  if (count < 0 && errno != ECONNRESET)
    return base::system_error("receiving from the control socket", errno);
  if (count <= 0) return closed();
  if (static_cast<std::size_t>(count) >= result.text.size() || (message.msg_flags & MSG_TRUNC) != 0)
    return base::permanent("MESSAGE_TOO_LONG", "a control message passes its limit");
  result.text.resize(static_cast<std::size_t>(count));
  return result;
}

}  // namespace imgproc::decoder
