#pragma once
#include "http/message.h"

namespace imgproc::http {

/// The one seam of everything that speaks HTTP: a request in, a response or an error out.
///
/// The network client is an Exchange, every local service is an Exchange, and retry, signing,
/// logging and fault injection are Exchanges around another one. An error means that no HTTP answer
/// exists (connection refused, time-out ...); a 4xx or 5xx answer is a Response.
/// Implementations are safe to call from several threads at once.
class Exchange {
 public:
  virtual ~Exchange() = default;
  [[nodiscard]] virtual base::Result<Response> send(Request request) = 0;
};

}  // namespace imgproc::http
