#pragma once
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "http/exchange.h"

namespace imgproc::aws {

/// Adds X-Amzn-Trace-Id with what `trace_id` says at that moment, unless that is empty. Lambda's
/// detection of recursive loops lives on this header being passed on.
class TraceExchange final : public http::Exchange {
 public:
  using TraceId = std::function<std::string()>;
  TraceExchange(std::unique_ptr<http::Exchange> inner, TraceId trace_id)
      : inner_(std::move(inner)), trace_id_(std::move(trace_id)) {}

  [[nodiscard]] base::Result<http::Response> send(http::Request request) override {
    if (std::string id = trace_id_(); !id.empty())
      request.headers.set("X-Amzn-Trace-Id", std::move(id));
    return inner_->send(std::move(request));
  }

 private:
  std::unique_ptr<http::Exchange> inner_;
  TraceId trace_id_;
};

}  // namespace imgproc::aws
