#include "localcloud/cloud/authorization.h"

#include <fmt/format.h>

#include <pugixml.hpp>

#include "base/bytes.h"
#include "base/json.h"
#include "localcloud/context.h"
#include "localcloud/lambda/function.h"
#include "localcloud/s3/address.h"

namespace imgproc::localcloud {
namespace {

namespace json = base::json;
using Accesses = base::Result<std::vector<iam::AccessRequest>>;

/// DynamoDB's largest request.
constexpr std::size_t kJsonBodyBytesMax = 16 * 1024 * 1024;

iam::AccessRequest access(std::string action, std::string resource) {
  // The loopback interface cannot be listened to, so it counts as secure transport.
  return {std::move(action), std::move(resource), {{"aws:securetransport", {"true"}}}};
}

/// Get, Put or Delete, as the names of subresources' actions begin.
std::string_view verb_of(std::string_view method) {
  if (method == "PUT" || method == "POST") return "Put";
  if (method == "DELETE") return "Delete";
  return "Get";
}

std::string object_action(const http::Request& request, const http::QueryParams& query) {
  std::string_view version = query.has("versionId") ? "Version" : "";
  constexpr std::pair<std::string_view, std::string_view> kNamed[] = {{"tagging", "Tagging"},
                                                                      {"acl", "Acl"}};
  for (const auto& [parameter, name] : kNamed)
    if (query.has(parameter))
      return fmt::format("s3:{}Object{}{}", verb_of(request.method), version, name);
  if (query.has("uploadId")) {
    if (request.method == "DELETE") return "s3:AbortMultipartUpload";
    if (request.method == "GET") return "s3:ListMultipartUploadParts";
    return "s3:PutObject";
  }
  if (request.method == "PUT" || request.method == "POST") return "s3:PutObject";
  if (request.method == "DELETE") return fmt::format("s3:DeleteObject{}", version);
  return fmt::format("s3:GetObject{}", version);
}

std::string bucket_action(const http::Request& request, const http::QueryParams& query) {
  struct Named {
    std::string_view parameter;
    std::string_view name;
  };
  // Actions whose names are not {Get,Put,Delete}Bucket plus the parameter.
  constexpr Named kNamed[] = {{"lifecycle", "LifecycleConfiguration"},
                              {"encryption", "EncryptionConfiguration"},
                              {"accelerate", "AccelerateConfiguration"},
                              {"replication", "ReplicationConfiguration"},
                              {"cors", "BucketCORS"},
                              {"acl", "BucketAcl"},
                              {"logging", "BucketLogging"},
                              {"location", "BucketLocation"},
                              {"notification", "BucketNotification"},
                              {"policy", "BucketPolicy"},
                              {"tagging", "BucketTagging"},
                              {"versioning", "BucketVersioning"},
                              {"website", "BucketWebsite"},
                              {"ownershipControls", "BucketOwnershipControls"},
                              {"publicAccessBlock", "BucketPublicAccessBlock"},
                              {"requestPayment", "BucketRequestPayment"},
                              {"object-lock", "BucketObjectLockConfiguration"}};
  for (const auto& [parameter, name] : kNamed)
    if (query.has(parameter)) return fmt::format("s3:{}{}", verb_of(request.method), name);
  if (query.has("versions")) return "s3:ListBucketVersions";
  if (query.has("uploads")) return "s3:ListBucketMultipartUploads";
  if (request.method == "PUT") return "s3:CreateBucket";
  if (request.method == "DELETE") return "s3:DeleteBucket";
  if (request.method == "POST") return query.has("delete") ? "s3:DeleteObject" : "s3:PutObject";
  return "s3:ListBucket";
}

Accesses s3_accesses(const http::Request& request) {
  IMGPROC_TRY(auto address,
              s3::parse_address(request.headers.get("Host").value_or(""), request.path()));
  http::QueryParams query(request.query());
  if (address.bucket.empty()) return std::vector{access("s3:ListAllMyBuckets", "*")};
  std::string bucket = "arn:aws:s3:::" + address.bucket;
  if (address.key.empty()) {
    std::string action = bucket_action(request, query);
    // Which keys the body names is not looked at: all of the bucket must be allowed.
    bool on_objects = action == "s3:DeleteObject" || action == "s3:PutObject";
    return std::vector{access(std::move(action), on_objects ? bucket + "/*" : bucket)};
  }
  std::vector accesses{access(object_action(request, query), bucket + "/" + address.key)};
  if (auto source = request.headers.get("x-amz-copy-source")) {
    std::string_view path = source->substr(0, source->find("?versionId="));
    std::string decoded = base::percent_decode(path);
    accesses.push_back(access(path.size() < source->size() ? "s3:GetObjectVersion" : "s3:GetObject",
                              "arn:aws:s3:::" + decoded.substr(decoded.starts_with("/") ? 1 : 0)));
  }
  return accesses;
}

std::string table_arn(std::string_view region, std::string_view table) {
  if (table.starts_with("arn:")) return std::string(table);
  return fmt::format("arn:aws:dynamodb:{}:{}:table/{}", region, kAccountId, table);
}

std::vector<iam::AccessRequest> dynamodb_accesses(const json::object& input,
                                                  const std::string& operation,
                                                  std::string_view region) {
  std::string action = "dynamodb:" + operation;
  std::vector<iam::AccessRequest> accesses;
  if (auto table = base::json_string(input, "TableName")) {
    std::string arn = table_arn(region, *table);
    if (auto index = base::json_string(input, "IndexName")) arn += fmt::format("/index/{}", *index);
    accesses.push_back(access(action, arn));
  } else if (const auto* tables = base::json_object(input, "RequestItems")) {
    for (const auto& [name, items] : *tables)
      accesses.push_back(access(action, table_arn(region, name)));
  } else if (const auto* items = base::json_array(input, "TransactItems")) {
    // A transaction needs the actions of its parts: Put, Update, Delete, ConditionCheck, Get.
    for (const json::value& item : *items) {
      if (!item.is_object()) continue;
      for (const auto& [kind, part] : item.get_object()) {
        if (!part.is_object()) continue;
        std::string name =
            kind == "ConditionCheck" ? std::string(kind) : std::string(kind) + "Item";
        accesses.push_back(access(
            "dynamodb:" + name,
            table_arn(region, base::json_string(part.get_object(), "TableName").value_or(""))));
      }
    }
  }
  if (accesses.empty())
    accesses.push_back(
        access(action, std::string(base::json_string(input, "ResourceArn").value_or("*"))));
  return accesses;
}

std::string resource_of(const json::object& input, std::string_view service,
                        std::string_view region) {
  if (service == "sqs") {
    std::string_view url = base::json_string(input, "QueueUrl").value_or("");
    std::string_view name = url.substr(url.rfind('/') + 1);
    if (name.empty()) name = base::json_string(input, "QueueName").value_or("");
    return name.empty() ? "*" : fmt::format("arn:aws:sqs:{}:{}:{}", region, kAccountId, name);
  }
  if (service == "logs") {
    auto group = base::json_string(input, "logGroupName");
    if (!group) return "*";
    std::string arn = fmt::format("arn:aws:logs:{}:{}:log-group:{}", region, kAccountId, *group);
    auto stream = base::json_string(input, "logStreamName");
    return stream ? fmt::format("{}:log-stream:{}", arn, *stream) : arn;
  }
  return "*";
}

Accesses lambda_accesses(const http::Request& request, std::string_view region) {
  // /DATE/functions/NAME/PART: what functions call of other functions.
  struct Named {
    std::string_view method;
    std::string_view part;
    std::string_view action;
  };
  constexpr Named kNamed[] = {{"POST", "invocations", "lambda:InvokeFunction"},
                              {"PUT", "concurrency", "lambda:PutFunctionConcurrency"},
                              {"GET", "concurrency", "lambda:GetFunctionConcurrency"},
                              {"DELETE", "concurrency", "lambda:DeleteFunctionConcurrency"}};
  constexpr std::string_view kFunctions = "/functions/";
  std::string_view path = request.path();
  std::size_t at = path.find(kFunctions);
  std::string_view rest =
      at == std::string_view::npos ? std::string_view{} : path.substr(at + kFunctions.size());
  std::size_t slash = rest.find('/');
  if (slash != std::string_view::npos)
    for (const auto& [method, part, action] : kNamed) {
      if (request.method != method || rest.substr(slash + 1) != part) continue;
      IMGPROC_TRY(auto function,
                  lambda::FunctionReference::parse(base::percent_decode(rest.substr(0, slash))));
      return std::vector{access(
          std::string(action),
          fmt::format("arn:aws:lambda:{}:{}:function:{}", region, kAccountId, function.name))};
    }
  // All else manages functions, which no function's role should; the name tells what was tried.
  return std::vector{access(fmt::format("lambda:{}Function", verb_of(request.method)), "*")};
}

}  // namespace

Accesses accesses_of(http::Request& request, const Route& route, std::string_view region) {
  if (route.protocol == Protocol::s3) return s3_accesses(request);
  if (route.service == "lambda") return lambda_accesses(request, region);
  if (route.service == "sts" && route.operation == "GetCallerIdentity")
    return std::vector<iam::AccessRequest>{};
  std::string_view prefix =
      route.service == "monitoring" ? "cloudwatch" : std::string_view(route.service);
  std::string action = fmt::format("{}:{}", prefix, route.operation);
  if (route.protocol == Protocol::query) {
    http::QueryParams form(request.body.text);
    std::string resource(form.get("RoleArn").value_or("*"));
    return std::vector{access(std::move(action), std::move(resource))};
  }
  IMGPROC_TRY(std::string body, http::read_all(request.body, kJsonBodyBytesMax));
  auto parsed = base::parse_json(body);
  request.body = http::Body(std::move(body));
  // What is not JSON is the service's to refuse.
  json::object input =
      parsed && parsed->is_object() ? std::move(parsed->get_object()) : json::object{};
  if (route.service == "dynamodb") return dynamodb_accesses(input, route.operation, region);
  return std::vector{access(std::move(action), resource_of(input, route.service, region))};
}

std::vector<iam::AccessRequest> key_accesses(const std::vector<iam::AccessRequest>& accesses,
                                             const http::Request& request,
                                             const KeyOfBucket& key_of_bucket) {
  constexpr std::string_view kBucketArn = "arn:aws:s3:::";
  std::vector<iam::AccessRequest> more;
  for (const iam::AccessRequest& wanted : accesses) {
    bool writes = wanted.action == "s3:PutObject";
    // A HEAD reads no bytes.
    bool reads = request.method != "HEAD" &&
                 (wanted.action == "s3:GetObject" || wanted.action == "s3:GetObjectVersion");
    if (!writes && !reads) continue;
    std::string bucket = wanted.resource.substr(kBucketArn.size());
    bucket = bucket.substr(0, bucket.find('/'));
    if (std::string key = key_of_bucket(bucket); !key.empty())
      more.push_back(access(writes ? "kms:GenerateDataKey" : "kms:Decrypt", std::move(key)));
  }
  return more;
}

std::string key_in_encryption(std::string_view xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) return "";
  return document
      .find_node([](const pugi::xml_node& node) {
        return std::string_view(node.name()) == "KMSMasterKeyID";
      })
      .text()
      .get();
}

std::optional<iam::AccessRequest> access_to_know_missing(const http::Request& request,
                                                         const Route& route) {
  if (route.protocol != Protocol::s3 || (request.method != "GET" && request.method != "HEAD"))
    return std::nullopt;
  auto address = s3::parse_address(request.headers.get("Host").value_or(""), request.path());
  if (!address || address->key.empty()) return std::nullopt;
  return access("s3:ListBucket", "arn:aws:s3:::" + address->bucket);
}

}  // namespace imgproc::localcloud
