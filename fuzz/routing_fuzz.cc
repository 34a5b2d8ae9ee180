// Which service a request is for, and what its path means to Lambda, from any target and headers:
// line 1 method and target, line 2 Authorization, line 3 X-Amz-Target, the rest the body.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "localcloud/cloud/routing.h"
#include "localcloud/lambda/function.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto line = [&text] {
    std::size_t newline = text.find('\n');
    std::string_view found = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    return std::string(found);
  };
  imgproc::http::Request request;
  request.target = line();
  if (std::size_t space = request.target.find(' '); space != std::string::npos) {
    request.method = request.target.substr(0, space);
    request.target.erase(0, space + 1);
  }
  if (std::string authorization = line(); !authorization.empty())
    request.headers.set("Authorization", authorization);
  if (std::string target = line(); !target.empty()) request.headers.set("X-Amz-Target", target);
  request.headers.set("Content-Type", "application/x-www-form-urlencoded");
  request.body = imgproc::http::Body(std::string(text));
  if (imgproc::localcloud::route(request).service.empty()) std::abort();
  (void)imgproc::localcloud::lambda::FunctionReference::parse(request.target);
  return 0;
}
