// Bucket configurations that are stored and shown: tagging, policy, lifecycle, encryption, public
// access block, ownership controls, CORS; and those that are always "not configured" here.

#include <fmt/format.h>

#include <array>
#include <sstream>

#include "base/bytes.h"
#include "base/json.h"
#include "localcloud/s3/errors.h"
#include "localcloud/s3/index.h"
#include "localcloud/s3/object_headers.h"
#include "localcloud/s3/operation.h"
#include "localcloud/s3/request_body.h"
#include "localcloud/s3/xml.h"

namespace imgproc::localcloud::s3 {
namespace {

constexpr std::size_t kPolicyBytesMax = 20 * 1024;
constexpr const char* kMinimumSizeHeader = "x-amz-transition-default-minimum-object-size";
constexpr const char* kMinimumSizeDefault = "all_storage_classes_128K";

/// A sub-resource by its query parameter: what GET answers when there is none.
struct Subresource {
  std::string_view parameter;
  const char* root;
  int put_status;
  const char* missing_code;
  const char* missing_message;
};

constexpr std::array<Subresource, 13> kSubresources{{
    {"tagging", "Tagging", 204, "NoSuchTagSet", "The TagSet does not exist"},
    {"policy", "", 204, "NoSuchBucketPolicy", "The bucket policy does not exist"},
    {"lifecycle", "LifecycleConfiguration", 200, "NoSuchLifecycleConfiguration",
     "The lifecycle configuration does not exist"},
    {"encryption", "ServerSideEncryptionConfiguration", 200,
     "ServerSideEncryptionConfigurationNotFoundError",
     "The server side encryption configuration was not found"},
    {"publicAccessBlock", "PublicAccessBlockConfiguration", 200,
     "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found"},
    {"ownershipControls", "OwnershipControls", 200, "OwnershipControlsNotFoundError",
     "The bucket ownership controls were not found"},
    {"cors", "CORSConfiguration", 200, "NoSuchCORSConfiguration",
     "The CORS configuration does not exist"},
    {"website", "", 0, "NoSuchWebsiteConfiguration",
     "The specified bucket does not have a website configuration"},
    {"replication", "", 0, "ReplicationConfigurationNotFoundError",
     "The replication configuration was not found"},
    {"object-lock", "", 0, "ObjectLockConfigurationNotFoundError",
     "Object Lock configuration does not exist for this bucket"},
    {"accelerate", "AccelerateConfiguration", 0, nullptr, nullptr},
    {"logging", "BucketLoggingStatus", 0, nullptr, nullptr},
    {"requestPayment", "RequestPaymentConfiguration", 0, nullptr, nullptr},
}};

const Subresource* find_subresource(const Operation& operation) {
  for (const Subresource& entry : kSubresources)
    if (operation.query.has(entry.parameter)) return &entry;
  return nullptr;
}

/// What S3 answers without a configuration of the bucket's own.
Answer default_answer(const Subresource& subresource) {
  if (subresource.parameter == "encryption") {
    XmlWriter xml(subresource.root);
    xml.raw(
        "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>"
        "</ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled>"
        "</Rule>");
    return xml.respond();
  }
  if (subresource.missing_code != nullptr)
    return fail(404, subresource.missing_code, subresource.missing_message);
  XmlWriter xml(subresource.root);
  if (subresource.parameter == "requestPayment") xml.element("Payer", "BucketOwner");
  return xml.respond();
}

base::Status check_policy(std::string_view bucket, const std::string& text) {
  auto refuse = [](std::string why) -> base::Status {
    return fail(400, "MalformedPolicy", std::move(why));
  };
  if (text.size() > kPolicyBytesMax)
    return refuse(fmt::format("The policy has more than {} bytes", kPolicyBytesMax));
  auto value = base::parse_json(text);
  if (!value || !value->is_object())
    return refuse("Policies must be valid JSON and the first byte must be '{'");
  const auto* statement = value->as_object().if_contains("Statement");
  if (statement == nullptr) return refuse("Missing required field Statement");
  if (text.find("arn:") != std::string::npos && text.find(bucket) == std::string::npos)
    return refuse("Policy has invalid resource");
  return {};
}

/// Rules without an ID get one, as S3 does; everything else is kept to the letter.
base::Result<std::string> complete_lifecycle(const std::string& text) {
  pugi::xml_document document;
  IMGPROC_CHECK(parse_xml(text, "LifecycleConfiguration", document));
  bool changed = false;
  int number = 0;
  for (pugi::xml_node rule : document.document_element().children("Rule")) {
    ++number;
    std::string_view status = rule.child_value("Status");
    if (status != "Enabled" && status != "Disabled")
      return malformed_xml("a Rule needs Status Enabled or Disabled");
    if (*rule.child_value("ID") != '\0') continue;
    rule.remove_child("ID");
    rule.prepend_child("ID")
        .append_child(pugi::node_pcdata)
        .set_value(fmt::format("rule-{}", number).c_str());
    changed = true;
  }
  if (number == 0) return malformed_xml("there is no Rule");
  if (!changed) return text;
  std::ostringstream out;
  document.save(out, "", pugi::format_raw | pugi::format_no_declaration, pugi::encoding_utf8);
  return out.str();
}

/// Checks a configuration and gives it the form in which it is stored and shown.
base::Result<std::string> check_config(const Operation& operation, const Subresource& subresource,
                                       std::string text) {
  if (subresource.parameter == "policy") {
    IMGPROC_CHECK(check_policy(operation.bucket, text));
    return text;
  }
  if (subresource.parameter == "tagging") {
    IMGPROC_TRY(Tags tags, parse_tagging_xml(text, kBucketTagsMax));
    return tagging_xml(tags);
  }
  if (subresource.parameter == "lifecycle") return complete_lifecycle(text);
  pugi::xml_document document;
  IMGPROC_CHECK(parse_xml(text, subresource.root, document));
  if (!document.document_element().first_child()) return malformed_xml("the document is empty");
  return text;
}

base::Result<std::string> header_kind_value(const Operation& operation) {
  std::string value = operation.header_or_empty(kMinimumSizeHeader);
  if (value.empty()) return std::string(kMinimumSizeDefault);
  if (value != kMinimumSizeDefault && value != "varies_by_storage_class")
    return invalid_argument("Invalid value for " + std::string(kMinimumSizeHeader));
  return value;
}

}  // namespace

Answer get_bucket_config(Core& core, Operation& operation) {
  const Subresource* subresource = find_subresource(operation);
  if (subresource == nullptr) return not_implemented(operation.request.target);
  std::optional<std::string> text;
  std::optional<std::string> minimum_size;
  IMGPROC_CHECK(core.context.database.read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY([[maybe_unused]] Bucket bucket, require_bucket(connection, operation.bucket));
    IMGPROC_TRY(text, load_config(connection, operation.bucket, subresource->parameter));
    IMGPROC_TRY(minimum_size, load_config(connection, operation.bucket, kMinimumSizeHeader));
    return {};
  }));
  if (!text) return default_answer(*subresource);
  http::Response response = xml_response(std::move(*text));
  if (subresource->parameter == "policy") response.headers.set("Content-Type", "application/json");
  if (subresource->parameter == "lifecycle")
    response.headers.add(kMinimumSizeHeader, minimum_size.value_or(kMinimumSizeDefault));
  return response;
}

Answer put_bucket_config(Core& core, Operation& operation) {
  const Subresource* subresource = find_subresource(operation);
  if (subresource == nullptr || subresource->put_status == 0)
    return not_implemented(operation.request.target);
  IMGPROC_TRY(std::string text, read_text_body(operation));
  IMGPROC_TRY(text, check_config(operation, *subresource, std::move(text)));
  IMGPROC_TRY(std::string minimum_size, header_kind_value(operation));
  bool lifecycle = subresource->parameter == "lifecycle";
  IMGPROC_CHECK(core.context.database.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY([[maybe_unused]] Bucket bucket, require_bucket(connection, operation.bucket));
    if (lifecycle)
      IMGPROC_CHECK(save_config(connection, operation.bucket, kMinimumSizeHeader, minimum_size));
    return save_config(connection, operation.bucket, subresource->parameter, text);
  }));
  http::Response response;
  response.status = subresource->put_status;
  if (lifecycle) response.headers.add(kMinimumSizeHeader, minimum_size);
  return response;
}

Answer delete_bucket_config(Core& core, Operation& operation) {
  const Subresource* subresource = find_subresource(operation);
  if (subresource == nullptr) return not_implemented(operation.request.target);
  IMGPROC_CHECK(core.context.database.write([&](Connection& connection) -> base::Status {
    IMGPROC_TRY([[maybe_unused]] Bucket bucket, require_bucket(connection, operation.bucket));
    return erase_config(connection, operation.bucket, subresource->parameter);
  }));
  http::Response response;
  response.status = 204;
  return response;
}

Answer get_bucket_policy_status(Core& core, Operation& operation) {
  std::optional<std::string> text;
  IMGPROC_CHECK(core.context.database.read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY([[maybe_unused]] Bucket bucket, require_bucket(connection, operation.bucket));
    IMGPROC_TRY(text, load_config(connection, operation.bucket, "policy"));
    return {};
  }));
  if (!text) return fail(404, "NoSuchBucketPolicy", "The bucket policy does not exist");
  // Policies are not evaluated here, and nothing is served to strangers.
  XmlWriter xml("PolicyStatus");
  return xml.element("IsPublic", "false").respond();
}

Answer get_acl(Core& core, Operation& operation) {
  IMGPROC_CHECK(core.context.database.read([&](Connection& connection) -> base::Status {
    if (operation.key.empty()) {
      IMGPROC_TRY([[maybe_unused]] Bucket bucket, require_bucket(connection, operation.bucket));
      return {};
    }
    IMGPROC_TRY(ObjectVersion version, require_version(connection, operation.bucket, operation.key,
                                                       operation.version_id()));
    if (version.delete_marker) return no_such_key(operation.key);
    return {};
  }));
  XmlWriter xml("AccessControlPolicy");
  xml.open("Owner").element("ID", kOwnerId).element("DisplayName", kOwnerName).close("Owner");
  xml.raw(fmt::format(
      "<AccessControlList><Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
      "xsi:type=\"CanonicalUser\"><ID>{}</ID><DisplayName>{}</DisplayName></Grantee>"
      "<Permission>FULL_CONTROL</Permission></Grant></AccessControlList>",
      kOwnerId, kOwnerName));
  return xml.respond();
}

Answer put_acl(Core& core, Operation& operation) {
  IMGPROC_CHECK(core.context.database.read([&](Connection& connection) -> base::Status {
    IMGPROC_TRY([[maybe_unused]] Bucket bucket, require_bucket(connection, operation.bucket));
    return {};
  }));
  std::string acl = operation.header_or_empty("x-amz-acl");
  if (acl == "private" || acl == "bucket-owner-full-control") return http::Response{};
  return fail(400, "AccessControlListNotSupported", "The bucket does not allow ACLs");
}

}  // namespace imgproc::localcloud::s3
