#include "localcloud/s3/object_headers.h"

#include <fmt/format.h>

#include <array>

#include "base/bytes.h"
#include "base/time.h"
#include "localcloud/s3/errors.h"
#include "localcloud/s3/xml.h"
#include "protocol/checksum.h"

namespace imgproc::localcloud::s3 {
namespace {

constexpr std::size_t kTagKeyMax = 128;
constexpr std::size_t kTagValueMax = 256;
constexpr std::string_view kMetaPrefix = "x-amz-meta-";

constexpr std::array<std::string_view, 7> kKept{"content-type",
                                                "cache-control",
                                                "content-disposition",
                                                "content-language",
                                                "expires",
                                                "x-amz-website-redirect-location",
                                                "x-amz-server-side-encryption-aws-kms-key-id"};

constexpr std::array<std::string_view, 11> kStorageClasses{
    "STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA",      "INTELLIGENT_TIERING",
    "GLACIER",  "DEEP_ARCHIVE",       "GLACIER_IR",  "EXPRESS_ONEZONE", "OUTPOSTS",
    "SNOW"};

/// Content-Encoding without the transport's own aws-chunked.
std::string without_aws_chunked(std::string_view list) {
  std::string kept;
  while (!list.empty()) {
    std::string_view item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), item.size() + 1));
    item = base::trim(item);
    if (item.empty() || base::equals_ignoring_case(item, "aws-chunked")) continue;
    if (!kept.empty()) kept += ", ";
    kept += item;
  }
  return kept;
}

/// Characters, not bytes.
std::size_t length_of(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::ranges::count_if(utf8, [](char c) { return (c & 0xC0) != 0x80; }));
}

base::Status refuse_unsupported(const std::string& name, std::string_view value) {
  IMGPROC_CHECK(refuse_customer_keys(name));
  if (name.starts_with("x-amz-object-lock-"))
    return invalid_request("Bucket is missing Object Lock Configuration");
  if (name.starts_with("x-amz-grant-") ||
      (name == "x-amz-acl" && value != "private" && value != "bucket-owner-full-control"))
    return fail(400, "AccessControlListNotSupported", "The bucket does not allow ACLs");
  return {};
}

}  // namespace

base::Status refuse_customer_keys(std::string_view name) {
  if (name.starts_with("x-amz-server-side-encryption-customer-") ||
      name.starts_with("x-amz-copy-source-server-side-encryption-customer-"))
    return not_implemented(fmt::format("encryption with customer-provided keys ({})", name));
  return {};
}

base::Result<ObjectAttributes> read_object_attributes(const http::Headers& headers) {
  ObjectAttributes attributes;
  std::size_t metadata_bytes = 0;
  auto keep = [&](std::string_view name, std::string_view value) {
    attributes.headers.append(name).append(":").append(value).append("\n");
  };
  for (const auto& [raw_name, value] : headers.fields()) {
    std::string name = base::to_lower(raw_name);
    if (value.find_first_of("\r\n") != std::string::npos)
      return invalid_argument("a header value contains a line end: " + name);
    IMGPROC_CHECK(refuse_unsupported(name, value));
    if (name.starts_with(kMetaPrefix)) {
      metadata_bytes += name.size() - kMetaPrefix.size() + value.size();
      keep(name, value);
    } else if (std::ranges::find(kKept, name) != kKept.end()) {
      keep(name, value);
    } else if (name == "content-encoding") {
      if (std::string kept = without_aws_chunked(value); !kept.empty()) keep(name, kept);
    } else if (name == "x-amz-server-side-encryption") {
      if (value != "AES256" && value != "aws:kms" && value != "aws:kms:dsse")
        return invalid_argument("The encryption method specified is not supported: " + value);
      keep(name, value);
    } else if (name == "x-amz-storage-class") {
      if (std::ranges::find(kStorageClasses, value) == kStorageClasses.end())
        return fail(400, "InvalidStorageClass",
                    "The storage class you specified is not valid: " + value);
      attributes.storage_class = value;
    } else if (name == "x-amz-tagging") {
      IMGPROC_TRY(Tags tags, parse_tags(value));
      attributes.tags = format_tags(tags);
    }
  }
  if (metadata_bytes > kMetadataBytesMax)
    return fail(400, "MetadataTooLarge",
                fmt::format("Your metadata headers exceed the maximum allowed metadata size: {} of "
                            "{} bytes",
                            metadata_bytes, kMetadataBytesMax));
  return attributes;
}

base::Status check_tags(const Tags& tags, std::size_t count_max) {
  auto refuse = [](std::string message) -> base::Status {
    return fail(400, "InvalidTag", std::move(message));
  };
  if (tags.size() > count_max)
    return fail(400, count_max == kObjectTagsMax ? "BadRequest" : "InvalidTag",
                fmt::format("Object tags cannot be greater than {}", count_max));
  for (std::size_t i = 0; i < tags.size(); ++i) {
    const auto& [key, value] = tags[i];
    if (key.empty() || length_of(key) > kTagKeyMax)
      return refuse("The TagKey you have provided is invalid: " + key);
    if (length_of(value) > kTagValueMax)
      return refuse("The TagValue you have provided is invalid: " + value);
    if (key.starts_with("aws:"))
      return refuse("System tags cannot be added/updated by requester: " + key);
    for (std::size_t k = 0; k < i; ++k)
      if (tags[k].first == key)
        return refuse("Cannot provide multiple Tags with the same key: " + key);
  }
  return {};
}

base::Result<Tags> parse_tags(std::string_view text) {
  Tags tags = http::QueryParams(text).all();
  IMGPROC_CHECK(check_tags(tags, kObjectTagsMax));
  return tags;
}

std::string format_tags(const Tags& tags) {
  std::string text;
  for (const auto& [key, value] : tags) {
    if (!text.empty()) text += '&';
    text += base::percent_encode(key) + "=" + base::percent_encode(value);
  }
  return text;
}

base::Result<Tags> parse_tagging_xml(std::string_view xml, std::size_t count_max) {
  pugi::xml_document document;
  IMGPROC_CHECK(parse_xml(xml, "Tagging", document));
  pugi::xml_node set = document.document_element().child("TagSet");
  if (!set) return malformed_xml("TagSet is missing");
  Tags tags;
  for (pugi::xml_node tag : set.children()) {
    if (std::string_view(tag.name()) != "Tag" || !tag.child("Key") || !tag.child("Value"))
      return malformed_xml("a TagSet holds Tag elements with Key and Value");
    tags.emplace_back(tag.child_value("Key"), tag.child_value("Value"));
  }
  IMGPROC_CHECK(check_tags(tags, count_max));
  return tags;
}

std::string tagging_xml(const Tags& tags) {
  XmlWriter xml("Tagging");
  xml.open("TagSet");
  for (const auto& [key, value] : tags)
    xml.open("Tag").element("Key", key).element("Value", value).close("Tag");
  xml.close("TagSet");
  return xml.finish();
}

std::string quote_etag(std::string_view etag) {
  return fmt::format("\"{}\"", etag);
}

std::string_view unquote_etag(std::string_view etag) {
  etag = base::trim(etag);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"')
    return etag.substr(1, etag.size() - 2);
  return etag;
}

std::string_view stored_header(const ObjectVersion& version, std::string_view name) {
  std::string_view lines = version.headers;
  while (!lines.empty()) {
    std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(line.size() + 1);
    auto colon = line.find(':');
    if (line.substr(0, colon) == name) return line.substr(colon + 1);
  }
  return {};
}

void add_checksum_headers(const Checksum& checksum, http::Headers& headers) {
  headers.add(std::string(protocol::checksum_name(checksum.algorithm).header), checksum.value);
  headers.add("x-amz-checksum-type", checksum.composite ? "COMPOSITE" : "FULL_OBJECT");
}

void add_object_headers(const ObjectVersion& version, bool versioned, http::Headers& headers) {
  headers.add("ETag", quote_etag(version.etag));
  headers.add("Last-Modified", base::to_http_date(version.modified));
  headers.add("Accept-Ranges", "bytes");
  if (versioned) headers.add("x-amz-version-id", version.version_id);
  bool has_type = false;
  bool encrypted = false;
  std::string_view lines = version.headers;
  while (!lines.empty()) {
    std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(line.size() + 1);
    auto colon = line.find(':');
    std::string name(line.substr(0, colon));
    if (name == "content-type") {
      has_type = true;
      name = "Content-Type";
    }
    encrypted = encrypted || name == "x-amz-server-side-encryption";
    headers.add(std::move(name), std::string(line.substr(colon + 1)));
  }
  if (!has_type) headers.add("Content-Type", "binary/octet-stream");
  if (!encrypted) headers.add("x-amz-server-side-encryption", "AES256");
  if (version.storage_class != "STANDARD")
    headers.add("x-amz-storage-class", version.storage_class);
  if (!version.tags.empty())
    headers.add("x-amz-tagging-count", std::to_string(std::ranges::count(version.tags, '&') + 1));
}

}  // namespace imgproc::localcloud::s3
