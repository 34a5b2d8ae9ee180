#include "aws/lambda_client.h"

#include <fmt/format.h>

#include <utility>

#include "aws/service_error.h"
#include "base/bytes.h"

namespace imgproc::aws {

LambdaClient::LambdaClient(Endpoint endpoint, std::unique_ptr<http::Exchange> exchange)
    : host_(endpoint.origin.host_header()), exchange_(std::move(exchange)) {}

base::Status LambdaClient::put_function_concurrency(std::string_view function, int reserved) {
  http::Request request;
  request.method = "PUT";
  request.target =
      fmt::format("/2017-10-31/functions/{}/concurrency", base::percent_encode(function));
  request.headers.set("Host", host_);
  request.headers.set("Content-Type", "application/json");
  request.body = fmt::format(R"({{"ReservedConcurrentExecutions":{}}})", reserved);
  IMGPROC_TRY(http::Response response, exchange_->send(std::move(request)));
  IMGPROC_TRY(std::string body, http::read_all(response.body, kErrorBytesMax));
  if (response.status == 200) return {};
  return std::unexpected(json_error_of(response, body));
}

}  // namespace imgproc::aws
