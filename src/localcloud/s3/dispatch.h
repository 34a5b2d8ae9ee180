#pragma once
#include "localcloud/s3/operation.h"

namespace imgproc::localcloud::s3 {

using Handler = Answer (*)(Core& core, Operation& operation);

/// One operation of the API.
struct Route {
  /// As in IAM and in the API reference: "PutObject".
  const char* name;
  Handler handler;
};

/// The operation a request asks for, or nullptr if it is not supported.
[[nodiscard]] const Route* find_route(const Operation& operation);

}  // namespace imgproc::localcloud::s3
