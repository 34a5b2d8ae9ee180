#include "localcloud/s3/dispatch.h"

#include <algorithm>
#include <array>

namespace imgproc::localcloud::s3 {
namespace {

enum class Scope { service, bucket, object };

struct Row {
  std::string_view method;
  Scope scope;
  /// Query parameter that must be there; "" for none.
  std::string_view parameter;
  /// Header that must be there; "" for none.
  std::string_view header;
  Route route;
};

// The first row that fits is taken: rows with a condition stand before those without.
constexpr Row kRows[] = {
    {"GET", Scope::service, "", "", {"ListBuckets", list_buckets}},

    {"GET", Scope::bucket, "location", "", {"GetBucketLocation", get_bucket_location}},
    {"GET", Scope::bucket, "versioning", "", {"GetBucketVersioning", get_bucket_versioning}},
    {"PUT", Scope::bucket, "versioning", "", {"PutBucketVersioning", put_bucket_versioning}},
    {"GET",
     Scope::bucket,
     "notification",
     "",
     {"GetBucketNotificationConfiguration", get_bucket_notification}},
    {"PUT",
     Scope::bucket,
     "notification",
     "",
     {"PutBucketNotificationConfiguration", put_bucket_notification}},
    {"GET", Scope::bucket, "tagging", "", {"GetBucketTagging", get_bucket_config}},
    {"PUT", Scope::bucket, "tagging", "", {"PutBucketTagging", put_bucket_config}},
    {"DELETE", Scope::bucket, "tagging", "", {"DeleteBucketTagging", delete_bucket_config}},
    {"GET", Scope::bucket, "policy", "", {"GetBucketPolicy", get_bucket_config}},
    {"PUT", Scope::bucket, "policy", "", {"PutBucketPolicy", put_bucket_config}},
    {"DELETE", Scope::bucket, "policy", "", {"DeleteBucketPolicy", delete_bucket_config}},
    {"GET", Scope::bucket, "lifecycle", "", {"GetBucketLifecycleConfiguration", get_bucket_config}},
    {"PUT", Scope::bucket, "lifecycle", "", {"PutBucketLifecycleConfiguration", put_bucket_config}},
    {"DELETE", Scope::bucket, "lifecycle", "", {"DeleteBucketLifecycle", delete_bucket_config}},
    {"GET", Scope::bucket, "encryption", "", {"GetBucketEncryption", get_bucket_config}},
    {"PUT", Scope::bucket, "encryption", "", {"PutBucketEncryption", put_bucket_config}},
    {"DELETE", Scope::bucket, "encryption", "", {"DeleteBucketEncryption", delete_bucket_config}},
    {"GET", Scope::bucket, "publicAccessBlock", "", {"GetPublicAccessBlock", get_bucket_config}},
    {"PUT", Scope::bucket, "publicAccessBlock", "", {"PutPublicAccessBlock", put_bucket_config}},
    {"DELETE",
     Scope::bucket,
     "publicAccessBlock",
     "",
     {"DeletePublicAccessBlock", delete_bucket_config}},
    {"GET",
     Scope::bucket,
     "ownershipControls",
     "",
     {"GetBucketOwnershipControls", get_bucket_config}},
    {"PUT",
     Scope::bucket,
     "ownershipControls",
     "",
     {"PutBucketOwnershipControls", put_bucket_config}},
    {"DELETE",
     Scope::bucket,
     "ownershipControls",
     "",
     {"DeleteBucketOwnershipControls", delete_bucket_config}},
    {"GET", Scope::bucket, "cors", "", {"GetBucketCors", get_bucket_config}},
    {"PUT", Scope::bucket, "cors", "", {"PutBucketCors", put_bucket_config}},
    {"DELETE", Scope::bucket, "cors", "", {"DeleteBucketCors", delete_bucket_config}},
    {"GET", Scope::bucket, "website", "", {"GetBucketWebsite", get_bucket_config}},
    {"DELETE", Scope::bucket, "website", "", {"DeleteBucketWebsite", delete_bucket_config}},
    {"GET", Scope::bucket, "replication", "", {"GetBucketReplication", get_bucket_config}},
    {"DELETE", Scope::bucket, "replication", "", {"DeleteBucketReplication", delete_bucket_config}},
    {"GET", Scope::bucket, "object-lock", "", {"GetObjectLockConfiguration", get_bucket_config}},
    {"GET",
     Scope::bucket,
     "accelerate",
     "",
     {"GetBucketAccelerateConfiguration", get_bucket_config}},
    {"GET", Scope::bucket, "logging", "", {"GetBucketLogging", get_bucket_config}},
    {"GET", Scope::bucket, "requestPayment", "", {"GetBucketRequestPayment", get_bucket_config}},
    {"GET", Scope::bucket, "policyStatus", "", {"GetBucketPolicyStatus", get_bucket_policy_status}},
    {"GET", Scope::bucket, "acl", "", {"GetBucketAcl", get_acl}},
    {"PUT", Scope::bucket, "acl", "", {"PutBucketAcl", put_acl}},
    {"POST", Scope::bucket, "delete", "", {"DeleteObjects", delete_objects}},
    {"GET", Scope::bucket, "versions", "", {"ListObjectVersions", list_object_versions}},
    {"GET", Scope::bucket, "uploads", "", {"ListMultipartUploads", list_multipart_uploads}},
    {"GET", Scope::bucket, "list-type", "", {"ListObjectsV2", list_objects_v2}},
    {"GET", Scope::bucket, "", "", {"ListObjects", list_objects}},
    {"PUT", Scope::bucket, "", "", {"CreateBucket", create_bucket}},
    {"HEAD", Scope::bucket, "", "", {"HeadBucket", head_bucket}},
    {"DELETE", Scope::bucket, "", "", {"DeleteBucket", delete_bucket}},
    {"POST", Scope::bucket, "", "", {"PostObject", post_object}},

    {"GET", Scope::object, "tagging", "", {"GetObjectTagging", get_object_tagging}},
    {"PUT", Scope::object, "tagging", "", {"PutObjectTagging", put_object_tagging}},
    {"DELETE", Scope::object, "tagging", "", {"DeleteObjectTagging", delete_object_tagging}},
    {"GET", Scope::object, "attributes", "", {"GetObjectAttributes", get_object_attributes}},
    {"GET", Scope::object, "acl", "", {"GetObjectAcl", get_acl}},
    {"PUT", Scope::object, "acl", "", {"PutObjectAcl", put_acl}},
    {"POST", Scope::object, "uploads", "", {"CreateMultipartUpload", create_multipart_upload}},
    {"PUT", Scope::object, "uploadId", "x-amz-copy-source", {"UploadPartCopy", upload_part_copy}},
    {"PUT", Scope::object, "uploadId", "", {"UploadPart", upload_part}},
    {"POST", Scope::object, "uploadId", "", {"CompleteMultipartUpload", complete_multipart_upload}},
    {"DELETE", Scope::object, "uploadId", "", {"AbortMultipartUpload", abort_multipart_upload}},
    {"GET", Scope::object, "uploadId", "", {"ListParts", list_parts}},
    {"PUT", Scope::object, "", "x-amz-copy-source", {"CopyObject", copy_object}},
    {"PUT", Scope::object, "", "", {"PutObject", put_object}},
    {"GET", Scope::object, "", "", {"GetObject", get_object}},
    {"HEAD", Scope::object, "", "", {"HeadObject", head_object}},
    {"DELETE", Scope::object, "", "", {"DeleteObject", delete_object}},
};

// Query parameters that turn a request into another operation. One of these that no row above
// knows must not be taken for the plain operation.
constexpr std::string_view kSubresources[] = {
    "accelerate",
    "acl",
    "analytics",
    "attributes",
    "cors",
    "delete",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "location",
    "logging",
    "metadataConfiguration",
    "metadataTable",
    "metadataInventoryTable",
    "metadataJournalTable",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "renameObject",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "session",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versioning",
    "versions",
    "website",
    "abac",
};

bool fits(const Row& row, const Operation& operation, Scope scope) {
  return row.scope == scope && row.method == operation.request.method &&
         (row.parameter.empty() || operation.query.has(row.parameter)) &&
         (row.header.empty() || operation.header(row.header).has_value());
}

bool names_subresource(const Operation& operation) {
  return std::ranges::any_of(operation.query.all(), [](const auto& parameter) {
    return std::ranges::find(kSubresources, parameter.first) != std::end(kSubresources);
  });
}

}  // namespace

const Route* find_route(const Operation& operation) {
  Scope scope = operation.bucket.empty() ? Scope::service
                : operation.key.empty()  ? Scope::bucket
                                         : Scope::object;
  bool subresource = names_subresource(operation);
  for (const Row& row : kRows)
    if (fits(row, operation, scope) && (!subresource || !row.parameter.empty())) return &row.route;
  return nullptr;
}

}  // namespace imgproc::localcloud::s3
