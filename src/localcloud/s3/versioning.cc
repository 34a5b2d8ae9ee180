// GetBucketVersioning and PutBucketVersioning.

#include "base/bytes.h"
#include "localcloud/s3/errors.h"
#include "localcloud/s3/index.h"
#include "localcloud/s3/operation.h"
#include "localcloud/s3/request_body.h"
#include "localcloud/s3/xml.h"

namespace imgproc::localcloud::s3 {

Answer get_bucket_versioning(Core& core, Operation& operation) {
  Bucket bucket;
  IMGPROC_CHECK(core.context.database.read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(bucket, require_bucket(connection, operation.bucket));
    return {};
  }));
  XmlWriter xml("VersioningConfiguration");
  if (bucket.versioning == Versioning::enabled) xml.element("Status", "Enabled");
  if (bucket.versioning == Versioning::suspended) xml.element("Status", "Suspended");
  return xml.respond();
}

Answer put_bucket_versioning(Core& core, Operation& operation) {
  IMGPROC_TRY(std::string text, read_text_body(operation));
  pugi::xml_document document;
  IMGPROC_CHECK(parse_xml(text, "VersioningConfiguration", document));
  std::string_view status = document.document_element().child_value("Status");
  if (status != "Enabled" && status != "Suspended")
    return fail(400, "IllegalVersioningConfigurationException",
                "The Versioning element must be specified: Status is Enabled or Suspended");
  if (std::string_view(document.document_element().child_value("MfaDelete")) == "Enabled")
    return not_implemented("MfaDelete");
  Versioning versioning = status == "Enabled" ? Versioning::enabled : Versioning::suspended;
  IMGPROC_CHECK(core.context.database.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY([[maybe_unused]] Bucket bucket, require_bucket(connection, operation.bucket));
    IMGPROC_TRY(Statement update,
                connection.prepare("UPDATE s3_buckets SET versioning = ?2 WHERE name = ?1"));
    return update.bind(1, operation.bucket).bind(2, static_cast<std::int64_t>(versioning)).run();
  }));
  return http::Response{};
}

}  // namespace imgproc::localcloud::s3
