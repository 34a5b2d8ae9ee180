// A request as an attacker would write it: the first line is method and target, the next ones are
// header fields, and what follows an empty line is the body. Nobody knows the secret, so nothing
// may ever be accepted.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/time.h"
#include "protocol/sigv2.h"
#include "protocol/sigv4_verify.h"

namespace {

imgproc::http::Request read_request(std::string_view text) {
  imgproc::http::Request request;
  auto line = [&] {
    auto end = text.find('\n');
    std::string_view found = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return found;
  };
  std::string_view first = line();
  auto space = first.find(' ');
  request.method = first.substr(0, space);
  if (space != std::string_view::npos) request.target = first.substr(space + 1);
  for (std::string_view field = line(); !field.empty(); field = line()) {
    auto colon = field.find(':');
    if (colon != std::string_view::npos)
      request.headers.add(std::string(field.substr(0, colon)),
                          std::string(field.substr(colon + 1)));
  }
  request.body = std::string(text);
  return request;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace imgproc;
  constexpr std::size_t kInputBytesMax = 64 * 1024;
  if (size > kInputBytesMax) return 0;
  auto request = read_request({reinterpret_cast<const char*>(data), size});
  auto claim = protocol::parse_authorization(request);
  if (!claim) return 0;
  const protocol::Credentials credentials{claim->access_key_id, "a secret that nobody knows",
                                          claim->session_token};
  // The claimed time is now, so that dates are no obstacle.
  auto now = claim->time;
  if (protocol::verify(request, *claim, credentials, now)) std::abort();
  if (protocol::verify_sigv2(request, *claim, credentials, now, "bucket")) std::abort();
  return 0;
}
