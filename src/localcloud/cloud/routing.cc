#include "localcloud/cloud/routing.h"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "base/bytes.h"
#include "protocol/error_response.h"

namespace imgproc::localcloud {
namespace {

struct Scope {
  std::string access_key_id;
  std::string region;
  std::string service;
};

/// AKID/DATE/REGION/SERVICE/aws4_request; the key itself may hold slashes.
std::optional<Scope> parse_scope(std::string_view credential) {
  std::array<std::string_view, 4> fields;
  for (auto field = fields.rbegin(); field != fields.rend(); ++field) {
    std::size_t slash = credential.rfind('/');
    if (slash == std::string_view::npos) return std::nullopt;
    *field = credential.substr(slash + 1);
    credential = credential.substr(0, slash);
  }
  if (fields[3] != "aws4_request" || fields[2].empty() || credential.empty()) return std::nullopt;
  return Scope{std::string(credential), std::string(fields[1]), std::string(fields[2])};
}

std::optional<Scope> scope_of(const http::Request& request, const http::QueryParams& query) {
  if (auto header = request.headers.get("Authorization");
      header && header->starts_with("AWS4-HMAC-SHA256")) {
    constexpr std::string_view kMark = "Credential=";
    std::size_t at = header->find(kMark);
    if (at == std::string_view::npos) return std::nullopt;
    std::string_view credential = header->substr(at + kMark.size());
    return parse_scope(base::trim(credential.substr(0, credential.find_first_of(", "))));
  }
  if (auto credential = query.get("X-Amz-Credential")) return parse_scope(*credential);
  return std::nullopt;
}

/// The key of a Version 2 signature, which has no scope.
std::string version2_key(const http::Request& request, const http::QueryParams& query) {
  if (auto key = query.get("AWSAccessKeyId")) return std::string(*key);
  auto header = request.headers.get("Authorization");
  if (!header || !header->starts_with("AWS ")) return "";
  std::string_view rest = header->substr(4);
  return std::string(rest.substr(0, rest.find(':')));
}

struct TargetPrefix {
  std::string_view prefix;
  std::string_view service;
};
constexpr TargetPrefix kTargets[] = {
    {"DynamoDB_20120810", "dynamodb"}, {"AmazonSQS", "sqs"},
    {"Logs_20140328", "logs"},         {"TrentService", "kms"},
    {"AWSEvents", "events"},           {"GraniteServiceVersion20100801", "monitoring"},
};

struct QueryVersion {
  std::string_view version;
  std::string_view service;
};
constexpr QueryVersion kVersions[] = {
    {"2010-05-08", "iam"},        {"2011-06-15", "sts"}, {"2010-03-31", "sns"},
    {"2010-08-01", "monitoring"}, {"2012-11-05", "sqs"},
};

constexpr std::string_view kLambdaPaths[] = {
    "/2015-03-31/functions",        "/2015-03-31/event-source-mappings",
    "/2016-08-19/account-settings", "/2017-03-31/tags/",
    "/2017-10-31/functions",        "/2019-09-25/functions",
    "/2019-09-30/functions",        "/2020-06-30/functions",
    "/2021-10-31/functions"};

bool is_form(const http::Request& request) {
  auto type = request.headers.get("Content-Type");
  return request.method == "POST" && request.path() == "/" && type &&
         type->starts_with("application/x-www-form-urlencoded");
}

std::string_view xmlns_of(std::string_view service) {
  if (service == "iam") return "https://iam.amazonaws.com/doc/2010-05-08/";
  if (service == "sts") return "https://sts.amazonaws.com/doc/2011-06-15/";
  if (service == "sns") return "http://sns.amazonaws.com/doc/2010-03-31/";
  if (service == "monitoring") return "http://monitoring.amazonaws.com/doc/2010-08-01/";
  return "http://webservices.amazon.com/AWSFault/2005-15-09";
}

}  // namespace

Route route(http::Request& request) {
  Route route;
  http::QueryParams query(request.query());
  if (auto scope = scope_of(request, query)) {
    route.service = std::move(scope->service);
    route.region = std::move(scope->region);
    route.access_key_id = std::move(scope->access_key_id);
  } else {
    route.access_key_id = version2_key(request, query);
  }
  if (auto target = request.headers.get("X-Amz-Target"); target && route.service != "s3") {
    route.protocol = Protocol::json;
    std::size_t dot = target->rfind('.');
    route.operation = target->substr(dot == std::string_view::npos ? 0 : dot + 1);
    if (route.service.empty())
      for (const auto& [prefix, service] : kTargets)
        if (target->substr(0, dot) == prefix) route.service = service;
    if (!route.service.empty()) return route;
  }
  if (route.service != "s3" && route.service != "lambda" && is_form(request)) {
    // Only S3 and Lambda take large bodies; a form is small.
    if (auto body = http::read_all(request.body, kFormBytesMax))
      request.body = http::Body(std::move(*body));
    http::QueryParams form(request.body.text);
    auto action = form.get("Action");
    if (action) {
      route.operation = *action;
      if (route.service.empty())
        for (const auto& [version, service] : kVersions)
          if (form.get("Version") == version) route.service = service;
    }
    if (!route.service.empty()) {
      route.protocol = Protocol::query;
      return route;
    }
  }
  if (route.service.empty())
    for (std::string_view path : kLambdaPaths)
      if (request.path().starts_with(path)) route.service = "lambda";
  if (route.service == "lambda") {
    route.protocol = Protocol::rest_json;
  } else if (route.service.empty() || route.service == "s3") {
    route.service = "s3";
    route.protocol = Protocol::s3;
  } else {
    // A signed request of a service that we know by name only.
    route.protocol = Protocol::rest_json;
  }
  return route;
}

http::Response error_response(const Route& route, const base::Error& error,
                              const http::Request& request, std::string_view request_id) {
  switch (route.protocol) {
    case Protocol::s3:
      return protocol::s3_error(error, request.path(), request_id, request.method == "HEAD");
    case Protocol::rest_json:
      return protocol::rest_json_error(error, request_id);
    case Protocol::json:
      return protocol::json_error(
          error, route.service == "logs" || route.service == "kms" ? "1.1" : "1.0", request_id);
    case Protocol::query:
      return protocol::query_error(error, xmlns_of(route.service), request_id);
  }
  return protocol::s3_error(error, request.path(), request_id);
}

}  // namespace imgproc::localcloud
