// What a service, or somebody in its place, may answer instead of a result.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "aws/service_error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace imgproc;
  const std::string body(reinterpret_cast<const char*>(data), size);
  for (const int status : {400, 503}) {
    http::Response response;
    response.status = status;
    response.body = body;
    // Every failure has a name, and a 5xx may always pass.
    if (aws::json_error_of(response, body).code.empty()) std::abort();
    const base::Error error = aws::s3_error_of(response);
    if (error.code.empty() || (status == 503 && !error.retryable)) std::abort();
  }
  return 0;
}
