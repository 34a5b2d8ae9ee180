#include "localcloud/s3/get_object.h"

#include <fmt/format.h>

#include <array>

#include "base/bytes.h"
#include "base/time.h"
#include "localcloud/s3/conditions.h"
#include "localcloud/s3/errors.h"
#include "localcloud/s3/object_headers.h"

namespace imgproc::localcloud::s3 {
namespace {

struct Override {
  std::string_view parameter;
  const char* header;
};
constexpr std::array<Override, 6> kOverrides{{
    {"response-content-type", "Content-Type"},
    {"response-content-language", "Content-Language"},
    {"response-expires", "Expires"},
    {"response-cache-control", "Cache-Control"},
    {"response-content-disposition", "Content-Disposition"},
    {"response-content-encoding", "Content-Encoding"},
}};

/// Which bytes of the object the answer holds.
struct Selection {
  ByteRange range;
  bool partial = false;
};

http::Response delete_marker_answer(const Operation& operation, const ObjectVersion& marker) {
  http::Response response;
  if (operation.version_id()) {
    response = error_answer(
        operation, fail(405, "MethodNotAllowed",
                        "The specified method is not allowed against this resource: the version is "
                        "a delete marker.")
                       .error());
    response.headers.add("Allow", "DELETE");
    response.headers.add("Last-Modified", base::to_http_date(marker.modified));
  } else {
    response = error_answer(operation, no_such_key(operation.key).error());
  }
  response.headers.add("x-amz-delete-marker", "true");
  response.headers.add("x-amz-version-id", marker.version_id);
  return response;
}

http::Response not_modified_answer(const FoundObject& object) {
  http::Response response;
  response.status = 304;
  response.headers.add("ETag", quote_etag(object.version.etag));
  response.headers.add("Last-Modified", base::to_http_date(object.version.modified));
  if (std::string_view cache = stored_header(object.version, "cache-control"); !cache.empty())
    response.headers.add("Cache-Control", std::string(cache));
  if (object.versioned) response.headers.add("x-amz-version-id", object.version.version_id);
  return response;
}

/// Which sizes would have done is told in a header and in the error.
http::Response unsatisfiable_answer(const Operation& operation, const FoundObject& object,
                                    const base::Error& error) {
  http::Response response =
      error_answer(operation, error,
                   {{"RangeRequested", operation.header_or_empty("Range")},
                    {"ActualObjectSize", std::to_string(object.version.bytes)}});
  response.headers.add("Content-Range", fmt::format("bytes */{}", object.version.bytes));
  return response;
}

base::Result<Selection> select_part(const FoundObject& object, std::string_view number_text) {
  auto number = base::parse_unsigned(number_text);
  if (!number || *number < 1 || *number > 10000)
    return invalid_argument("Part number must be an integer between 1 and 10000, inclusive");
  auto refuse = [] {
    return fail(416, "InvalidPartNumber", "The requested partnumber is not satisfiable");
  };
  if (object.version.parts == 0) {
    if (*number != 1) return refuse();
    return Selection{.range = {.first = 0, .count = object.version.bytes}, .partial = true};
  }
  // AWS counts the parts as they lie in the object, whatever numbers they were uploaded under.
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < object.parts.size(); ++i) {
    if (i + 1 == *number)
      return Selection{.range = {.first = first, .count = object.parts[i].bytes}, .partial = true};
    first += object.parts[i].bytes;
  }
  return refuse();
}

base::Result<Selection> select_bytes(const Operation& operation, const FoundObject& object) {
  auto range_header = operation.header("Range");
  auto part = operation.param("partNumber");
  if (range_header && part)
    return invalid_request("Cannot specify both Range header and partNumber query parameter");
  if (part) return select_part(object, *part);
  Selection whole{.range = {.first = 0, .count = object.version.bytes}};
  if (!range_header) return whole;
  RangeAnswer answer = parse_range(*range_header, object.version.bytes);
  if (answer.kind == RangeKind::unsatisfiable)
    return fail(416, "InvalidRange",
                fmt::format("The requested range is not satisfiable: `{}` of {} bytes",
                            *range_header, object.version.bytes));
  if (answer.kind == RangeKind::whole) return whole;
  return Selection{.range = answer.range, .partial = true};
}

http::Response found_answer(const Operation& operation, const FoundObject& object,
                            const Selection& selection) {
  http::Response response;
  response.status = selection.partial ? 206 : 200;
  add_object_headers(object.version, object.versioned, response.headers);
  if (selection.partial && selection.range.count > 0)
    response.headers.add(
        "Content-Range",
        fmt::format("bytes {}-{}/{}", selection.range.first,
                    selection.range.first + selection.range.count - 1, object.version.bytes));
  if (operation.param("partNumber") && object.version.parts > 0)
    response.headers.add("x-amz-mp-parts-count", std::to_string(object.version.parts));
  bool whole = selection.range.count == object.version.bytes;
  if (object.version.checksum && whole &&
      base::equals_ignoring_case(operation.header_or_empty("x-amz-checksum-mode"), "ENABLED"))
    add_checksum_headers(*object.version.checksum, response.headers);
  for (const Override& entry : kOverrides)
    if (auto value = operation.param(entry.parameter))
      response.headers.set(entry.header, std::move(*value));
  return response;
}

/// GetObject and HeadObject up to the body.
Answer answer_object(Core& core, Operation& operation, bool head) {
  bool with_body = !head || operation.query.has("partNumber");
  for (int lookup = 1;; ++lookup) {
    IMGPROC_TRY(FoundObject object, find_object(core, operation.bucket, operation.key,
                                                operation.version_id(), with_body));
    if (object.version.delete_marker) return delete_marker_answer(operation, object.version);
    switch (check_read(operation.request.headers, {}, object.version)) {
      case ReadCondition::failed:
        return precondition_failed("If-Match or If-Unmodified-Since");
      case ReadCondition::not_modified:
        return not_modified_answer(object);
      case ReadCondition::holds:
        break;
    }
    auto selected = select_bytes(operation, object);
    if (!selected && selected.error().code == "InvalidRange")
      return unsatisfiable_answer(operation, object, selected.error());
    IMGPROC_TRY(Selection selection, std::move(selected));
    http::Response response = found_answer(operation, object, selection);
    if (head) {
      response.head_content_length = selection.range.count;
      return response;
    }
    auto body = read_object(core, object, selection.range.first, selection.range.count);
    if (!body && body.error().code == "NO_BODY_FILE" && lookup < kLookupsMax) continue;
    if (!body) return std::unexpected(std::move(body).error());
    response.body = std::move(*body);
    return response;
  }
}

}  // namespace

base::Result<FoundObject> find_object(Core& core, std::string_view bucket, std::string_view key,
                                      const std::optional<std::string>& version_id,
                                      bool with_body) {
  FoundObject object;
  IMGPROC_CHECK(core.context.database.read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY(Bucket found, require_bucket(connection, bucket));
    object.versioned = found.versioning != Versioning::never;
    IMGPROC_TRY(object.version, require_version(connection, bucket, key, version_id));
    if (!with_body) return {};
    if (object.version.parts > 0) {
      IMGPROC_TRY(object.parts, load_parts(connection, object.version.id));
    } else if (object.version.file.empty() && object.version.bytes > 0) {
      IMGPROC_TRY(object.text, load_text(connection, object.version.id));
    }
    return {};
  }));
  return object;
}

base::Result<http::Body> read_object(Core& core, const FoundObject& object, std::uint64_t offset,
                                     std::uint64_t count) {
  const ObjectVersion& version = object.version;
  if (version.parts > 0) {
    std::vector<BodyPiece> pieces;
    pieces.reserve(object.parts.size());
    for (const Part& part : object.parts)
      pieces.push_back({.file = part.file, .bytes = part.bytes});
    return core.bodies.read_pieces(version.file, std::move(pieces), offset, count);
  }
  if (!version.file.empty()) return core.bodies.read_file(version.file, offset, count);
  return http::Body(object.text.substr(offset, count));
}

Answer get_object(Core& core, Operation& operation) {
  return answer_object(core, operation, false);
}
Answer head_object(Core& core, Operation& operation) {
  return answer_object(core, operation, true);
}

}  // namespace imgproc::localcloud::s3
