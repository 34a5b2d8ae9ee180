// DeleteObject and DeleteObjects.

#include <fmt/format.h>

#include "base/bytes.h"
#include "localcloud/s3/address.h"
#include "localcloud/s3/commit.h"
#include "localcloud/s3/delete_objects.h"
#include "localcloud/s3/errors.h"
#include "localcloud/s3/operation.h"
#include "localcloud/s3/request_body.h"
#include "localcloud/s3/xml.h"

namespace imgproc::localcloud::s3 {

base::Result<DeleteRequest> parse_delete(std::string_view text) {
  pugi::xml_document document;
  IMGPROC_CHECK(parse_xml(text, "Delete", document));
  DeleteRequest request;
  for (pugi::xml_node node : document.document_element().children()) {
    std::string_view name = node.name();
    if (name == "Quiet") {
      request.quiet = base::equals_ignoring_case(base::trim(node.child_value()), "true");
    } else if (name == "Object") {
      if (request.objects.size() == kDeletesMax)
        return malformed_xml(fmt::format("at most {} objects are deleted at once", kDeletesMax));
      Deletion deletion{.key = node.child_value("Key")};
      if (deletion.key.empty()) return malformed_xml("an Object needs a Key");
      if (std::string id = node.child_value("VersionId"); !id.empty())
        deletion.version_id = std::move(id);
      deletion.if_match = node.child_value("ETag");
      request.objects.push_back(std::move(deletion));
    }
  }
  if (request.objects.empty()) return malformed_xml("there is no Object");
  return request;
}

Answer delete_object(Core& core, Operation& operation) {
  Deletion deletion{.key = operation.key,
                    .version_id = operation.version_id(),
                    .if_match = operation.header_or_empty("If-Match")};
  AfterCommit after;
  Deleted deleted;
  IMGPROC_CHECK(core.context.database.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(Bucket bucket, require_bucket(connection, operation.bucket));
    IMGPROC_TRY(deleted, commit_deletion(core, connection, operation, bucket, deletion, after));
    return {};
  }));
  after.apply(core);
  http::Response response;
  response.status = 204;
  if (deleted.delete_marker) response.headers.add("x-amz-delete-marker", "true");
  if (!deleted.version_id.empty()) response.headers.add("x-amz-version-id", deleted.version_id);
  return response;
}

Answer delete_objects(Core& core, Operation& operation) {
  IMGPROC_TRY(std::string text, read_text_body(operation));
  IMGPROC_TRY(DeleteRequest request, parse_delete(text));
  XmlWriter xml("DeleteResult");
  AfterCommit after;
  IMGPROC_CHECK(core.context.database.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(Bucket bucket, require_bucket(connection, operation.bucket));
    for (const Deletion& deletion : request.objects) {
      base::Status valid = check_key(deletion.key);
      base::Result<Deleted> deleted =
          valid ? commit_deletion(core, connection, operation, bucket, deletion, after)
                : std::unexpected(valid.error());
      if (!deleted) {
        // S3's own refusals concern this key alone; anything else spoils the transaction.
        if (deleted.error().http_status == 0) return std::unexpected(deleted.error());
        xml.open("Error").element("Key", deletion.key);
        if (deletion.version_id) xml.element("VersionId", *deletion.version_id);
        xml.element("Code", deleted.error().code).element("Message", deleted.error().message);
        xml.close("Error");
        continue;
      }
      if (request.quiet) continue;
      xml.open("Deleted").element("Key", deletion.key);
      if (deletion.version_id) xml.element("VersionId", *deletion.version_id);
      if (deleted->delete_marker)
        xml.element("DeleteMarker", "true").element("DeleteMarkerVersionId", deleted->version_id);
      xml.close("Deleted");
    }
    return {};
  }));
  after.apply(core);
  return xml.respond();
}

}  // namespace imgproc::localcloud::s3
