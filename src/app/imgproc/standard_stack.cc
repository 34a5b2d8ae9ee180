#include "app/imgproc/standard_stack.h"

#include <fmt/format.h>

#include <initializer_list>
#include <string_view>

#include "base/bytes.h"
#include "base/json.h"

namespace imgproc::app {
namespace {

namespace json = base::json;

constexpr const char* kRoleName = "serverless-img-proc";
constexpr int kMemoryMb = 1769;
constexpr int kTimeoutSeconds = 60;
constexpr std::size_t kAnswerBytesMax = 1024 * 1024;

struct Answer {
  int status = 0;
  std::string body;
};

/// Sends a request of ours and takes every status that is not among `accepted` for an error.
base::Result<Answer> call(http::Exchange& cloud, std::string_view what, http::Request request,
                          std::initializer_list<int> accepted) {
  request.headers.set("Host", "127.0.0.1");
  IMGPROC_TRY(auto response, cloud.send(std::move(request)));
  Answer answer{response.status, ""};
  IMGPROC_TRY(answer.body, http::read_all(response.body, kAnswerBytesMax));
  for (int status : accepted)
    if (answer.status == status) return answer;
  return base::permanent(
      "STANDARD_STACK_FAILED",
      fmt::format("{} was answered with {}: {}", what, answer.status, answer.body.substr(0, 500)),
      "start with another --data directory, or with --empty");
}

base::Status done(base::Result<Answer> answer) {
  if (!answer) return std::unexpected(std::move(answer).error());
  return {};
}

/// A request whose credential scope names the service; nobody checks its signature.
http::Request signed_for(std::string_view service, std::string_view region, std::string method,
                         std::string target, std::string body) {
  http::Request request{std::move(method), std::move(target), {}, std::move(body)};
  request.headers.set("Authorization",
                      fmt::format("AWS4-HMAC-SHA256 Credential=local/19700101/{}/{}/aws4_request, "
                                  "SignedHeaders=host, Signature=0",
                                  region, service));
  return request;
}

std::string function_arn(std::string_view region) {
  return fmt::format("arn:aws:lambda:{}:000000000000:function:{}", region, kFunctionName);
}

base::Status create_bucket(http::Exchange& cloud, const StandardStackOptions& options,
                           const char* name) {
  std::string body;
  if (options.region != "us-east-1")
    body = fmt::format(
        "<CreateBucketConfiguration><LocationConstraint>{}</LocationConstraint></"
        "CreateBucketConfiguration>",
        options.region);
  // 409: it is there already.
  return done(
      call(cloud, fmt::format("bucket {}", name),
           signed_for("s3", options.region, "PUT", fmt::format("/{}", name), std::move(body)),
           {200, 409}));
}

base::Status create_table(http::Exchange& cloud, const StandardStackOptions& options) {
  auto attribute = [](const char* name) {
    return json::object{{"AttributeName", name}, {"AttributeType", "S"}};
  };
  auto key = [](const char* name, const char* type) {
    return json::object{{"AttributeName", name}, {"KeyType", type}};
  };
  json::object table{
      {"TableName", kMetadataTable},
      {"BillingMode", "PAY_PER_REQUEST"},
      {"AttributeDefinitions", json::array{attribute("path"), attribute("status"),
                                           attribute("timestamp"), attribute("sha256")}},
      {"KeySchema", json::array{key("path", "HASH")}},
      {"GlobalSecondaryIndexes",
       json::array{json::object{
                       {"IndexName", "status-timestamp-index"},
                       {"KeySchema", json::array{key("status", "HASH"), key("timestamp", "RANGE")}},
                       {"Projection", json::object{{"ProjectionType", "ALL"}}}},
                   json::object{{"IndexName", "sha256-index"},
                                {"KeySchema", json::array{key("sha256", "HASH")}},
                                {"Projection", json::object{{"ProjectionType", "KEYS_ONLY"}}}}}}};
  http::Request request =
      signed_for("dynamodb", options.region, "POST", "/", json::serialize(table));
  request.headers.set("X-Amz-Target", "DynamoDB_20120810.CreateTable");
  request.headers.set("Content-Type", "application/x-amz-json-1.0");
  IMGPROC_TRY(auto answer,
              call(cloud, fmt::format("table {}", kMetadataTable), std::move(request), {200, 400}));
  if (answer.status == 400 && answer.body.find("ResourceInUseException") == std::string::npos)
    return base::permanent("STANDARD_STACK_FAILED",
                           fmt::format("table {}: {}", kMetadataTable, answer.body));
  http::Request ttl =
      signed_for("dynamodb", options.region, "POST", "/",
                 json::serialize(json::object{
                     {"TableName", kMetadataTable},
                     {"TimeToLiveSpecification",
                      json::object{{"AttributeName", "expires_at"}, {"Enabled", true}}}}));
  ttl.headers.set("X-Amz-Target", "DynamoDB_20120810.UpdateTimeToLive");
  ttl.headers.set("Content-Type", "application/x-amz-json-1.0");
  // 400: it is on already.
  return done(call(cloud, "time to live", std::move(ttl), {200, 400}));
}

base::Status call_iam(http::Exchange& cloud, const StandardStackOptions& options,
                      std::string_view what,
                      std::initializer_list<std::pair<std::string_view, std::string>> parameters) {
  std::string form = "Version=2010-05-08";
  for (const auto& [name, value] : parameters)
    form += fmt::format("&{}={}", name, base::percent_encode(value));
  http::Request request = signed_for("iam", options.region, "POST", "/", std::move(form));
  request.headers.set("Content-Type", "application/x-www-form-urlencoded");
  return done(call(cloud, what, std::move(request), {200, 409}));
}

base::Status create_role(http::Exchange& cloud, const StandardStackOptions& options) {
  auto statement = [](json::array actions, json::array resources) {
    return json::object{
        {"Effect", "Allow"}, {"Action", std::move(actions)}, {"Resource", std::move(resources)}};
  };
  json::object trust{
      {"Version", "2012-10-17"},
      {"Statement", json::array{json::object{
                        {"Effect", "Allow"},
                        {"Action", "sts:AssumeRole"},
                        {"Principal", json::object{{"Service", "lambda.amazonaws.com"}}}}}}};
  std::string table =
      fmt::format("arn:aws:dynamodb:{}:000000000000:table/{}", options.region, kMetadataTable);
  json::object policy{
      {"Version", "2012-10-17"},
      {"Statement", json::array{statement({"s3:GetObject", "s3:GetObjectVersion"},
                                          {fmt::format("arn:aws:s3:::{}/*", kSourceBucket)}),
                                statement({"s3:ListBucket"},
                                          {fmt::format("arn:aws:s3:::{}", kSourceBucket),
                                           fmt::format("arn:aws:s3:::{}", kDestinationBucket)}),
                                statement({"s3:GetObject", "s3:PutObject", "s3:DeleteObject"},
                                          {fmt::format("arn:aws:s3:::{}/*", kDestinationBucket)}),
                                statement({"dynamodb:GetItem", "dynamodb:PutItem"}, {table}),
                                statement({"logs:CreateLogStream", "logs:PutLogEvents"}, {"*"})}}};
  IMGPROC_CHECK(call_iam(cloud, options, "the function's role",
                         {{"Action", "CreateRole"},
                          {"RoleName", kRoleName},
                          {"AssumeRolePolicyDocument", json::serialize(trust)}}));
  return call_iam(cloud, options, "the role's policy",
                  {{"Action", "PutRolePolicy"},
                   {"RoleName", kRoleName},
                   {"PolicyName", "pipeline"},
                   {"PolicyDocument", json::serialize(policy)}});
}

base::Status create_function(http::Exchange& cloud, const StandardStackOptions& options) {
  json::object variables{{"SOURCE_BUCKET", kSourceBucket},
                         {"DESTINATION_BUCKET", kDestinationBucket},
                         {"TABLE_NAME", kMetadataTable}};
  if (!options.config.empty()) variables["IMGPROC_CONFIG"] = options.config;
  // The function runs from the folder in which this program stands: see LambdaService.
  json::object code{{"S3Bucket", "$local"}, {"S3Key", options.program_directory.string()}};
#if defined(__aarch64__)
  constexpr const char* kArchitecture = "arm64";
#else
  constexpr const char* kArchitecture = "x86_64";
#endif
  json::object settings{{"Runtime", "provided.al2023"},
                        {"Handler", "bootstrap"},
                        {"Role", fmt::format("arn:aws:iam::000000000000:role/{}", kRoleName)},
                        {"MemorySize", kMemoryMb},
                        {"Timeout", kTimeoutSeconds},
                        {"Environment", json::object{{"Variables", std::move(variables)}}},
                        {"LoggingConfig", json::object{{"LogFormat", "JSON"}}}};
  std::string path = fmt::format("/2015-03-31/functions/{}", kFunctionName);
  IMGPROC_TRY(auto existing,
              call(cloud, "the function", signed_for("lambda", options.region, "GET", path, ""),
                   {200, 404}));
  if (existing.status == 404) {
    settings["FunctionName"] = kFunctionName;
    settings["Code"] = std::move(code);
    settings["Architectures"] = json::array{kArchitecture};
    return done(call(cloud, "the function",
                     signed_for("lambda", options.region, "POST", "/2015-03-31/functions",
                                json::serialize(settings)),
                     {201}));
  }
  // A newer build, another folder or another configuration since the last start.
  code["Architectures"] = json::array{kArchitecture};
  IMGPROC_CHECK(done(call(
      cloud, "the function's code",
      signed_for("lambda", options.region, "PUT", path + "/code", json::serialize(code)), {200})));
  return done(call(cloud, "the function's configuration",
                   signed_for("lambda", options.region, "PUT", path + "/configuration",
                              json::serialize(settings)),
                   {200}));
}

base::Status create_notification(http::Exchange& cloud, const StandardStackOptions& options) {
  json::object permission{{"StatementId", "AllowS3Invoke"},
                          {"Action", "lambda:InvokeFunction"},
                          {"Principal", "s3.amazonaws.com"},
                          {"SourceAccount", "000000000000"},
                          {"SourceArn", fmt::format("arn:aws:s3:::{}", kSourceBucket)}};
  // 409: given already.
  IMGPROC_CHECK(done(call(cloud, "S3's permission to invoke",
                          signed_for("lambda", options.region, "POST",
                                     fmt::format("/2015-03-31/functions/{}/policy", kFunctionName),
                                     json::serialize(permission)),
                          {201, 409})));
  // What a user has put there since the first start stays.
  IMGPROC_TRY(const auto standing,
              call(cloud, "the source bucket's notification",
                   signed_for("s3", options.region, "GET",
                              fmt::format("/{}?notification", kSourceBucket), ""),
                   {200}));
  if (standing.body.find("<Id>") != std::string::npos ||
      standing.body.find("<EventBridgeConfiguration") != std::string::npos)
    return {};
  std::string body = fmt::format(
      "<NotificationConfiguration "
      "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><CloudFunctionConfiguration>"
      "<Id>process</Id><CloudFunction>{}</CloudFunction><Event>s3:ObjectCreated:*</"
      "Event><Event>s3:ObjectRemoved:*</Event>"
      "</CloudFunctionConfiguration></NotificationConfiguration>",
      function_arn(options.region));
  return done(call(cloud, "the source bucket's notification",
                   signed_for("s3", options.region, "PUT",
                              fmt::format("/{}?notification", kSourceBucket), std::move(body)),
                   {200}));
}

}  // namespace

base::Status create_standard_stack(http::Exchange& cloud, const StandardStackOptions& options) {
  IMGPROC_CHECK(create_bucket(cloud, options, kSourceBucket));
  IMGPROC_CHECK(create_bucket(cloud, options, kDestinationBucket));
  IMGPROC_CHECK(create_table(cloud, options));
  IMGPROC_CHECK(create_role(cloud, options));
  IMGPROC_CHECK(create_function(cloud, options));
  return create_notification(cloud, options);
}

}  // namespace imgproc::app
