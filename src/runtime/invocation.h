#pragma once
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/error.h"

namespace imgproc::runtime {

/// One event that Lambda hands over.
struct Invocation {
  std::string request_id;
  /// When Lambda cuts the function off.
  base::SystemTime deadline;
  std::string function_arn;
  /// X-Ray header, to be passed on in calls to other services; may be empty.
  std::string trace_id;
  /// JSON of mobile clients; mostly empty.
  std::string client_context;
  std::string cognito_identity;
  /// The event, JSON.
  std::string payload;
};

/// Returns the response's JSON text, or the error that Lambda reports and, for asynchronous events,
/// retries. Called by one thread at a time. Must not throw.
using Handler = std::function<base::Result<std::string>(const Invocation&)>;

}  // namespace imgproc::runtime
