#pragma once
// What a request wants to do, in IAM's words: asked of the role's policies when a role's session
// signed it. Source: "Actions, resources, and condition keys" of each service in the Service
// Authorization Reference.

#include <vector>

#include "base/error.h"
#include "http/message.h"
#include "localcloud/cloud/routing.h"
#include "localcloud/iam/policy.h"

namespace imgproc::localcloud {

/// Every access that the request needs; each must be allowed. Empty for what everybody may
/// (sts:GetCallerIdentity). A body of the JSON protocol is read into memory and left in the
/// request. `region` is the caller's.
[[nodiscard]] base::Result<std::vector<iam::AccessRequest>> accesses_of(http::Request& request,
                                                                        const Route& route,
                                                                        std::string_view region);

}  // namespace imgproc::localcloud
