#include <fmt/format.h>

#include "base/bytes.h"
#include "localcloud/s3/address.h"
#include "localcloud/s3/commit.h"
#include "localcloud/s3/errors.h"
#include "localcloud/s3/form_data.h"
#include "localcloud/s3/object_headers.h"
#include "localcloud/s3/operation.h"
#include "localcloud/s3/post_policy.h"
#include "localcloud/s3/put_object.h"
#include "localcloud/s3/request_body.h"
#include "localcloud/s3/xml.h"
#include "protocol/checksum.h"

namespace imgproc::localcloud::s3 {
namespace {

base::Result<std::string> form_key(const http::Headers& fields, const std::string& file_name) {
  std::string key(fields.get("key").value_or(""));
  constexpr std::string_view kFileName = "${filename}";
  if (auto at = key.find(kFileName); at != std::string::npos)
    key.replace(at, kFileName.size(), file_name);
  if (key.empty())
    return invalid_argument(
        "Bucket POST must contain a field named 'key'. If it is specified, "
        "please check the order of the fields.");
  IMGPROC_CHECK(check_key(key));
  return key;
}

/// Takes the rest of the form's file; the digests of the form's own checksum fields are proven.
struct PostedFile {
  NewBody body;
  std::string md5_hex;
  Checksum checksum;
};

base::Result<PostedFile> store_file(Core& core, FormReader& form, const http::Headers& fields,
                                    const PostLimits& limits) {
  base::HashAlgorithm algorithm = base::HashAlgorithm::crc64nvme;
  std::string claimed;
  for (const auto& name : protocol::checksum_names())
    if (auto value = fields.get(name.header)) {
      algorithm = name.algorithm;
      claimed = *value;
    }
  base::Hasher md5(base::HashAlgorithm::md5);
  base::Hasher sum(algorithm);
  BodyWriter writer(core.bodies, true);
  auto buffer = std::make_unique_for_overwrite<char[]>(kCopyBufferBytes);
  std::uint64_t bytes = 0;
  for (;;) {
    IMGPROC_TRY(std::size_t got, form.read({buffer.get(), kCopyBufferBytes}));
    if (got == 0) break;
    bytes += got;
    if (bytes > limits.bytes_max)
      return fail(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
    std::string_view piece(buffer.get(), got);
    md5.update(piece);
    sum.update(piece);
    IMGPROC_CHECK(writer.write(piece));
  }
  if (bytes < limits.bytes_min)
    return fail(400, "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size");
  PostedFile posted;
  posted.checksum.algorithm = algorithm;
  posted.checksum.value = base::to_base64(sum.finish());
  if (!claimed.empty() && claimed != posted.checksum.value)
    return fail(400, "BadDigest",
                fmt::format("The {} you specified did not match the calculated checksum.",
                            protocol::checksum_name(algorithm).name));
  posted.md5_hex = base::to_hex(md5.finish());
  IMGPROC_TRY(posted.body, writer.finish());
  return posted;
}

http::Response posted_answer(const Operation& operation, const http::Headers& fields,
                             const ObjectVersion& version, const Written& written) {
  http::Response response;
  add_written_headers(written, version, response.headers);
  add_checksum_headers(*version.checksum, response.headers);
  std::string location = fmt::format("http://{}/{}/{}", operation.header("Host").value_or(""),
                                     operation.bucket, base::percent_encode(version.key, true));
  std::string redirect(
      fields.get("success_action_redirect").value_or(fields.get("redirect").value_or("")));
  if (redirect.starts_with("http://") || redirect.starts_with("https://")) {
    redirect += redirect.find('?') == std::string::npos ? '?' : '&';
    redirect += fmt::format("bucket={}&key={}&etag={}", base::percent_encode(operation.bucket),
                            base::percent_encode(version.key),
                            base::percent_encode(quote_etag(version.etag)));
    response.status = 303;
    response.headers.add("Location", redirect);
    return response;
  }
  response.headers.add("Location", location);
  std::string_view status = fields.get("success_action_status").value_or("204");
  response.status = status == "200" ? 200 : status == "201" ? 201 : 204;
  if (response.status == 201) {
    XmlWriter xml("PostResponse");
    xml.element("Location", location)
        .element("Bucket", operation.bucket)
        .element("Key", version.key)
        .element("ETag", quote_etag(version.etag));
    response.body = xml.finish();
    response.headers.add("Content-Type", "application/xml");
  }
  return response;
}

}  // namespace

Answer post_object(Core& core, Operation& operation) {
  std::string boundary = form_boundary(operation.header("Content-Type").value_or(""));
  if (boundary.empty())
    return fail(412, "PreconditionFailed",
                "Bucket POST must be of the enclosure-type multipart/form-data");
  IMGPROC_CHECK(check_before_write(core, operation));
  FormReader form(http::to_reader(std::move(operation.request.body)), boundary);
  http::Headers fields;
  IMGPROC_CHECK(form.read_fields(fields));
  IMGPROC_TRY(std::string key, form_key(fields, form.file_name()));
  PostLimits limits{.bytes_min = 0, .bytes_max = kPutBytesMax};
  if (auto policy = fields.get("policy")) {
    IMGPROC_TRY(limits, check_post_policy(*policy, fields, operation.bucket,
                                          core.context.clock.now(), kPutBytesMax));
  }
  // The form's `tagging` is XML where the header's is a query.
  std::string tags;
  if (auto tagging = fields.get("tagging")) {
    IMGPROC_TRY(Tags parsed, parse_tagging_xml(*tagging, kObjectTagsMax));
    tags = format_tags(parsed);
  }
  if (auto acl = fields.get("acl")) {
    if (*acl != "private" && *acl != "bucket-owner-full-control")
      return fail(400, "AccessControlListNotSupported", "The bucket does not allow ACLs");
  }
  IMGPROC_TRY(ObjectAttributes attributes, read_object_attributes(fields));
  IMGPROC_TRY(PostedFile posted, store_file(core, form, fields, limits));

  ObjectVersion version{.key = key,
                        .bytes = posted.body.bytes,
                        .etag = posted.md5_hex,
                        .file = posted.body.file,
                        .checksum = posted.checksum,
                        .storage_class = std::move(attributes.storage_class),
                        .headers = std::move(attributes.headers),
                        .tags = std::move(tags)};
  AfterCommit after;
  Written written;
  IMGPROC_CHECK(core.context.database.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(Bucket bucket, require_bucket(connection, operation.bucket));
    IMGPROC_TRY(written, commit_object(core, connection, operation, bucket, version,
                                       posted.body.text, "s3:ObjectCreated:Post", after));
    return {};
  }));
  posted.body.keep();
  after.apply(core);
  return posted_answer(operation, fields, version, written);
}

}  // namespace imgproc::localcloud::s3
