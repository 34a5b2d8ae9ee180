// GetObjectTagging, PutObjectTagging, DeleteObjectTagging.

#include "localcloud/s3/errors.h"
#include "localcloud/s3/index.h"
#include "localcloud/s3/object_headers.h"
#include "localcloud/s3/operation.h"
#include "localcloud/s3/request_body.h"
#include "localcloud/s3/xml.h"

namespace imgproc::localcloud::s3 {
namespace {

/// The version whose tags are meant; delete markers have none.
base::Result<ObjectVersion> tagged_version(Connection& connection, const Operation& operation,
                                           bool& versioned) {
  IMGPROC_TRY(Bucket bucket, require_bucket(connection, operation.bucket));
  versioned = bucket.versioning != Versioning::never;
  IMGPROC_TRY(ObjectVersion version,
              require_version(connection, operation.bucket, operation.key, operation.version_id()));
  if (version.delete_marker && operation.version_id())
    return fail(405, "MethodNotAllowed",
                "The specified method is not allowed against this resource.");
  if (version.delete_marker) return no_such_key(operation.key);
  return version;
}

Answer replace_tags(Core& core, const Operation& operation, const std::string& tags, int status) {
  bool versioned = false;
  std::string version_id;
  IMGPROC_CHECK(core.context.database.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(ObjectVersion version, tagged_version(connection, operation, versioned));
    version_id = version.version_id;
    IMGPROC_TRY(Statement update,
                connection.prepare("UPDATE s3_versions SET tags = ?2 WHERE id = ?1"));
    return update.bind(1, version.id).bind(2, tags).run();
  }));
  http::Response response;
  response.status = status;
  if (versioned) response.headers.add("x-amz-version-id", version_id);
  return response;
}

}  // namespace

Answer get_object_tagging(Core& core, Operation& operation) {
  bool versioned = false;
  ObjectVersion version;
  IMGPROC_CHECK(core.context.database.read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(version, tagged_version(connection, operation, versioned));
    return {};
  }));
  http::Response response = xml_response(tagging_xml(http::QueryParams(version.tags).all()));
  if (versioned) response.headers.add("x-amz-version-id", version.version_id);
  return response;
}

Answer put_object_tagging(Core& core, Operation& operation) {
  IMGPROC_TRY(std::string text, read_text_body(operation));
  IMGPROC_TRY(Tags tags, parse_tagging_xml(text, kObjectTagsMax));
  return replace_tags(core, operation, format_tags(tags), 200);
}

Answer delete_object_tagging(Core& core, Operation& operation) {
  return replace_tags(core, operation, "", 204);
}

}  // namespace imgproc::localcloud::s3
