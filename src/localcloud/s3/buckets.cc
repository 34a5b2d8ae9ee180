// CreateBucket, HeadBucket, DeleteBucket, ListBuckets, GetBucketLocation.

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/time.h"
#include "localcloud/s3/address.h"
#include "localcloud/s3/errors.h"
#include "localcloud/s3/index.h"
#include "localcloud/s3/operation.h"
#include "localcloud/s3/request_body.h"
#include "localcloud/s3/xml.h"

namespace imgproc::localcloud::s3 {
namespace {

constexpr const char* kFirstRegion = "us-east-1";
constexpr std::size_t kBucketsMax = 10000;

base::Result<std::string> requested_region(Operation& operation) {
  IMGPROC_TRY(std::string text, read_text_body(operation));
  if (base::trim(text).empty()) return operation.caller.region;
  pugi::xml_document document;
  IMGPROC_CHECK(parse_xml(text, "CreateBucketConfiguration", document));
  std::string region = document.document_element().child_value("LocationConstraint");
  if (region == "EU") return std::string("eu-west-1");
  if (region.empty()) return operation.caller.region;
  for (char c : region)
    if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-')
      return fail(400, "InvalidLocationConstraint",
                  "The specified location-constraint is not valid: " + region);
  return region;
}

/// Since April 2023 new buckets block public access and have no ACLs.
base::Status save_defaults(Connection& connection, std::string_view bucket) {
  XmlWriter access("PublicAccessBlockConfiguration");
  for (const char* name :
       {"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"})
    access.element(name, "true");
  IMGPROC_CHECK(save_config(connection, bucket, "publicAccessBlock", access.finish()));
  XmlWriter ownership("OwnershipControls");
  ownership.raw("<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>");
  return save_config(connection, bucket, "ownershipControls", ownership.finish());
}

/// In us-east-1 alone, AWS answers 200 to an owner who creates a bucket again.
base::Status check_existing(const Bucket& bucket, const std::string& region) {
  if (bucket.region == kFirstRegion && region == kFirstRegion) return {};
  return fail(
      409, "BucketAlreadyOwnedByYou",
      "Your previous request to create the named bucket succeeded and you already own it: " +
          bucket.name);
}

}  // namespace

Answer create_bucket(Core& core, Operation& operation) {
  IMGPROC_CHECK(check_bucket_name(operation.bucket));
  if (base::equals_ignoring_case(operation.header_or_empty("x-amz-bucket-object-lock-enabled"),
                                 "true"))
    return not_implemented("x-amz-bucket-object-lock-enabled");
  std::string acl = operation.header_or_empty("x-amz-acl");
  if (!acl.empty() && acl != "private")
    return fail(400, "InvalidBucketAclWithObjectOwnership",
                "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting");
  IMGPROC_TRY(std::string region, requested_region(operation));
  IMGPROC_CHECK(core.context.database.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(auto existing, find_bucket(connection, operation.bucket));
    if (existing) return check_existing(*existing, region);
    IMGPROC_TRY(Statement insert,
                connection.prepare("INSERT INTO s3_buckets VALUES(?1, ?2, ?3, 0)"));
    IMGPROC_CHECK(save_defaults(connection, operation.bucket));
    return insert.bind(1, operation.bucket)
        .bind(2, region)
        .bind(3, static_cast<std::int64_t>(core.context.clock.now().time_since_epoch().count()))
        .run();
  }));
  http::Response response;
  response.headers.add("Location", "/" + operation.bucket);
  return response;
}

Answer head_bucket(Core& core, Operation& operation) {
  std::optional<Bucket> bucket;
  IMGPROC_CHECK(core.context.database.read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(bucket, require_bucket(connection, operation.bucket));
    return {};
  }));
  http::Response response;
  response.headers.add("x-amz-bucket-region", bucket->region);
  response.headers.add("x-amz-access-point-alias", "false");
  response.headers.add("Content-Type", "application/xml");
  return response;
}

Answer delete_bucket(Core& core, Operation& operation) {
  Removed removed;
  IMGPROC_CHECK(core.context.database.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY([[maybe_unused]] Bucket bucket, require_bucket(connection, operation.bucket));
    IMGPROC_TRY(Statement any,
                connection.prepare("SELECT 1 FROM s3_versions WHERE bucket = ?1 LIMIT 1"));
    IMGPROC_TRY(bool found, any.bind(1, operation.bucket).step());
    if (found)
      return fail(409, "BucketNotEmpty",
                  "The bucket you tried to delete is not empty. You must delete all versions in "
                  "the bucket.");
    IMGPROC_TRY(Statement files,
                connection.prepare("SELECT file FROM s3_upload_parts WHERE upload IN (SELECT id "
                                   "FROM s3_uploads WHERE bucket = ?1)"));
    files.bind(1, operation.bucket);
    for (;;) {
      IMGPROC_TRY(bool more, files.step());
      if (!more) break;
      removed.files.emplace_back(files.column_text(0));
    }
    for (const char* sql :
         {"DELETE FROM s3_upload_parts WHERE upload IN (SELECT id FROM s3_uploads WHERE bucket = "
          "?1)",
          "DELETE FROM s3_uploads WHERE bucket = ?1", "DELETE FROM s3_configs WHERE bucket = ?1",
          "DELETE FROM s3_buckets WHERE name = ?1"}) {
      IMGPROC_TRY(Statement erase, connection.prepare(sql));
      IMGPROC_CHECK(erase.bind(1, operation.bucket).run());
    }
    return {};
  }));
  removed.apply(core.bodies);
  http::Response response;
  response.status = 204;
  return response;
}

Answer list_buckets(Core& core, Operation& operation) {
  std::string prefix = operation.param("prefix").value_or("");
  std::string after = operation.param("continuation-token").value_or("");
  std::string region = operation.param("bucket-region").value_or("");
  std::size_t count_max = kBucketsMax;
  if (auto text = operation.param("max-buckets")) {
    auto value = base::parse_unsigned(*text);
    if (!value || *value < 1 || *value > kBucketsMax)
      return invalid_argument("Argument max-buckets must be an integer between 1 and 10000");
    count_max = *value;
  }
  XmlWriter xml("ListAllMyBucketsResult");
  xml.open("Owner").element("ID", kOwnerId).element("DisplayName", kOwnerName).close("Owner");
  xml.open("Buckets");
  std::string last;
  bool truncated = false;
  IMGPROC_CHECK(core.context.database.read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(Statement query,
                connection.prepare("SELECT name, region, created_ms FROM s3_buckets WHERE name > "
                                   "?1 ORDER BY name"));
    query.bind(1, after);
    for (std::size_t count = 0;;) {
      IMGPROC_TRY(bool more, query.step());
      if (!more) return {};
      std::string name(query.column_text(0));
      if (!name.starts_with(prefix)) continue;
      if (!region.empty() && query.column_text(1) != region) continue;
      if (count++ == count_max) {
        truncated = true;
        return {};
      }
      xml.open("Bucket")
          .element("Name", name)
          .element(
              "CreationDate",
              base::to_iso8601(base::SystemTime{std::chrono::milliseconds{query.column_int(2)}}))
          .element("BucketRegion", query.column_text(1))
          .close("Bucket");
      last = std::move(name);
    }
  }));
  xml.close("Buckets");
  if (truncated) xml.element("ContinuationToken", last);
  if (!prefix.empty()) xml.element("Prefix", prefix);
  return xml.respond();
}

Answer get_bucket_location(Core& core, Operation& operation) {
  std::optional<Bucket> bucket;
  IMGPROC_CHECK(core.context.database.read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(bucket, require_bucket(connection, operation.bucket));
    return {};
  }));
  XmlWriter xml("LocationConstraint");
  if (bucket->region != kFirstRegion) xml.raw(bucket->region);
  return xml.respond();
}

}  // namespace imgproc::localcloud::s3
