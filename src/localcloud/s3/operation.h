#pragma once
// One request after its address was understood, and what operations work with.

#include <optional>
#include <string>

#include "http/message.h"
#include "localcloud/context.h"
#include "localcloud/event_targets.h"
#include "localcloud/s3/body_store.h"
#include "localcloud/s3/index.h"
#include "protocol/error_response.h"

namespace imgproc::localcloud::s3 {

/// Shared by all operations; borrowed.
struct Core {
  Context& context;
  const EventTargets& events;
  BodyStore& bodies;
  Sequence& sequence;
};

struct Operation {
  const Caller& caller;
  /// The operation consumes the body.
  http::Request request;
  http::QueryParams query;
  /// Empty for operations of the service or of the bucket.
  std::string bucket;
  std::string key;

  [[nodiscard]] std::optional<std::string> param(std::string_view name) const;
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const {
    return request.headers.get(name);
  }
  /// The header's value, or "".
  [[nodiscard]] std::string header_or_empty(std::string_view name) const {
    return std::string(header(name).value_or(""));
  }
  /// ?versionId, nullopt if absent or empty.
  [[nodiscard]] std::optional<std::string> version_id() const;
};

using Answer = base::Result<http::Response>;

/// The error as S3 answers it to this request, without a body to HEAD.
[[nodiscard]] http::Response error_answer(const Operation& operation, base::Error error,
                                          protocol::S3ErrorDetails details = {});

/// The canonical user id of the one account.
inline constexpr const char* kOwnerId =
    "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a";
inline constexpr const char* kOwnerName = "local";

// One function per operation of the S3 API; errors are base::Error with S3's code and status.
Answer list_buckets(Core& core, Operation& operation);
Answer create_bucket(Core& core, Operation& operation);
Answer head_bucket(Core& core, Operation& operation);
Answer delete_bucket(Core& core, Operation& operation);
Answer get_bucket_location(Core& core, Operation& operation);

Answer put_object(Core& core, Operation& operation);
Answer get_object(Core& core, Operation& operation);
Answer head_object(Core& core, Operation& operation);
Answer get_object_attributes(Core& core, Operation& operation);
Answer delete_object(Core& core, Operation& operation);
Answer delete_objects(Core& core, Operation& operation);
Answer copy_object(Core& core, Operation& operation);
Answer post_object(Core& core, Operation& operation);
Answer get_object_tagging(Core& core, Operation& operation);
Answer put_object_tagging(Core& core, Operation& operation);
Answer delete_object_tagging(Core& core, Operation& operation);

Answer list_objects(Core& core, Operation& operation);
Answer list_objects_v2(Core& core, Operation& operation);
Answer list_object_versions(Core& core, Operation& operation);

Answer create_multipart_upload(Core& core, Operation& operation);
Answer upload_part(Core& core, Operation& operation);
Answer upload_part_copy(Core& core, Operation& operation);
Answer complete_multipart_upload(Core& core, Operation& operation);
Answer abort_multipart_upload(Core& core, Operation& operation);
Answer list_parts(Core& core, Operation& operation);
Answer list_multipart_uploads(Core& core, Operation& operation);

Answer get_bucket_versioning(Core& core, Operation& operation);
Answer put_bucket_versioning(Core& core, Operation& operation);
// One of tagging, policy, lifecycle … by the query parameter.
Answer get_bucket_config(Core& core, Operation& operation);
Answer put_bucket_config(Core& core, Operation& operation);
Answer delete_bucket_config(Core& core, Operation& operation);
Answer get_bucket_policy_status(Core& core, Operation& operation);
// Of a bucket or an object.
Answer get_acl(Core& core, Operation& operation);
Answer put_acl(Core& core, Operation& operation);
Answer get_bucket_notification(Core& core, Operation& operation);
Answer put_bucket_notification(Core& core, Operation& operation);

}  // namespace imgproc::localcloud::s3
