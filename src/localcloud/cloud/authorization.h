#pragma once
// What a request wants to do, in IAM's words: asked of the role's policies when a role's session
// signed it. Source: "Actions, resources, and condition keys" of each service in the Service
// Authorization Reference.

#include <functional>
#include <optional>
#include <string>
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

/// Which KMS key a bucket encrypts with by default; "" if with none of the account's keys.
using KeyOfBucket = std::function<std::string(const std::string& bucket)>;

/// What encrypted buckets add: reading an object decrypts, writing one takes a data key.
[[nodiscard]] std::vector<iam::AccessRequest> key_accesses(
    const std::vector<iam::AccessRequest>& accesses, const http::Request& request,
    const KeyOfBucket& key_of_bucket);

/// KMSMasterKeyID of a bucket's encryption configuration, as S3 answers it; "" if there is none.
[[nodiscard]] std::string key_in_encryption(std::string_view xml);

/// What a caller must be allowed beside, in order to be told that the object it reads is not there
/// (404); everybody else gets 403. Nullopt if the request reads no object.
[[nodiscard]] std::optional<iam::AccessRequest> access_to_know_missing(const http::Request& request,
                                                                       const Route& route);

}  // namespace imgproc::localcloud
