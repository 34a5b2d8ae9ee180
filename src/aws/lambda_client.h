#pragma once
// Lambda's control API, as far as the spend brake needs it.

#include <memory>
#include <string>
#include <string_view>

#include "aws/endpoint.h"
#include "http/exchange.h"

namespace imgproc::aws {

class LambdaClient {
 public:
  /// `exchange` retries and signs as "lambda".
  LambdaClient(Endpoint endpoint, std::unique_ptr<http::Exchange> exchange);

  /// PutFunctionConcurrency: `reserved` invocations of the function at once; 0 stops it. Errors as
  /// Lambda names them (AccessDeniedException, ResourceNotFoundException …).
  [[nodiscard]] base::Status put_function_concurrency(std::string_view function, int reserved);

 private:
  std::string host_;
  std::unique_ptr<http::Exchange> exchange_;
};

}  // namespace imgproc::aws
