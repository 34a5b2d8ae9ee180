#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/time.h"
#include "localcloud/s3/conditions.h"
#include "localcloud/s3/errors.h"
#include "localcloud/s3/get_object.h"
#include "localcloud/s3/listing.h"
#include "localcloud/s3/operation.h"
#include "localcloud/s3/xml.h"
#include "protocol/checksum.h"

namespace imgproc::localcloud::s3 {
namespace {

constexpr std::array<std::string_view, 5> kKnown{"ETag", "Checksum", "ObjectParts", "StorageClass",
                                                 "ObjectSize"};

base::Result<std::vector<std::string>> wanted_attributes(const Operation& operation) {
  std::vector<std::string> wanted;
  for (const auto& [name, value] : operation.request.headers.fields()) {
    if (!base::equals_ignoring_case(name, "x-amz-object-attributes")) continue;
    std::string_view list = value;
    while (!list.empty()) {
      std::string_view item = list.substr(0, list.find(','));
      list.remove_prefix(std::min(list.size(), item.size() + 1));
      item = base::trim(item);
      if (std::ranges::find(kKnown, item) == kKnown.end())
        return invalid_argument("Invalid attribute name specified: " + std::string(item));
      wanted.emplace_back(item);
    }
  }
  if (wanted.empty())
    return invalid_argument(
        "The x-amz-object-attributes header specifying the attributes to be "
        "retrieved is either missing or empty");
  return wanted;
}

base::Status write_parts(const Operation& operation, const FoundObject& object, XmlWriter& xml) {
  std::uint64_t marker = 0;
  std::uint64_t count_max = kListMax;
  if (auto text = operation.header("x-amz-part-number-marker")) {
    auto value = base::parse_unsigned(*text);
    if (!value) return invalid_argument("x-amz-part-number-marker must be a number");
    marker = *value;
  }
  if (auto text = operation.header("x-amz-max-parts")) {
    auto value = base::parse_unsigned(*text);
    if (!value) return invalid_argument("x-amz-max-parts must be a number");
    count_max = std::min<std::uint64_t>(*value, kListMax);
  }
  xml.open("ObjectParts").number("PartsCount", object.parts.size());
  xml.number("PartNumberMarker", marker);
  std::uint64_t count = 0;
  std::int64_t last = 0;
  bool truncated = false;
  for (const Part& part : object.parts) {
    if (part.number <= static_cast<std::int64_t>(marker)) continue;
    if (count == count_max) {
      truncated = true;
      break;
    }
    ++count;
    last = part.number;
    xml.open("Part");
    if (object.version.checksum && !part.checksum.empty())
      xml.element(protocol::checksum_name(object.version.checksum->algorithm).element,
                  part.checksum);
    xml.number("PartNumber", static_cast<std::uint64_t>(part.number));
    xml.number("Size", part.bytes).close("Part");
  }
  xml.number("NextPartNumberMarker", static_cast<std::uint64_t>(last));
  xml.number("MaxParts", count_max).element("IsTruncated", truncated ? "true" : "false");
  xml.close("ObjectParts");
  return {};
}

}  // namespace

Answer get_object_attributes(Core& core, Operation& operation) {
  IMGPROC_TRY(std::vector<std::string> wanted, wanted_attributes(operation));
  IMGPROC_TRY(FoundObject object,
              find_object(core, operation.bucket, operation.key, operation.version_id(), true));
  const ObjectVersion& version = object.version;
  if (version.delete_marker) {
    http::Response response = error_answer(
        operation, operation.version_id()
                       ? fail(405, "MethodNotAllowed",
                              "The specified method is not allowed against this resource.")
                             .error()
                       : no_such_key(operation.key).error());
    response.headers.add("x-amz-delete-marker", "true");
    response.headers.add("x-amz-version-id", version.version_id);
    return response;
  }
  if (check_read(operation.request.headers, {}, version) == ReadCondition::failed)
    return precondition_failed("If-Match or If-Unmodified-Since");
  auto wants = [&](std::string_view name) {
    return std::ranges::find(wanted, name) != wanted.end();
  };
  XmlWriter xml("GetObjectAttributesResponse");
  if (wants("ETag")) xml.element("ETag", version.etag);
  if (wants("Checksum") && version.checksum)
    xml.open("Checksum")
        .element(protocol::checksum_name(version.checksum->algorithm).element,
                 version.checksum->value)
        .element("ChecksumType", version.checksum->composite ? "COMPOSITE" : "FULL_OBJECT")
        .close("Checksum");
  if (wants("ObjectParts") && version.parts > 0) IMGPROC_CHECK(write_parts(operation, object, xml));
  if (wants("StorageClass")) xml.element("StorageClass", version.storage_class);
  if (wants("ObjectSize")) xml.number("ObjectSize", version.bytes);
  http::Response response = xml.respond();
  response.headers.add("Last-Modified", base::to_http_date(version.modified));
  if (object.versioned) response.headers.add("x-amz-version-id", version.version_id);
  return response;
}

}  // namespace imgproc::localcloud::s3
