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
    {"GET", Scope::bucket, "versioning", "", {"GetBucketVersioning", get_bucket_versioning}},
    {"PUT", Scope::bucket, "versioning", "", {"PutBucketVersioning", put_bucket_versioning}},
    {"POST", Scope::bucket, "delete", "", {"DeleteObjects", delete_objects}},
    {"GET", Scope::bucket, "list-type", "", {"ListObjectsV2", list_objects_v2}},
    {"GET", Scope::bucket, "", "", {"ListObjects", list_objects}},
    {"PUT", Scope::bucket, "", "", {"CreateBucket", create_bucket}},
    {"HEAD", Scope::bucket, "", "", {"HeadBucket", head_bucket}},
    {"DELETE", Scope::bucket, "", "", {"DeleteBucket", delete_bucket}},

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
