#include "localcloud/rpc/rpc.h"

#include <fmt/format.h>

#include <charconv>

#include "base/json.h"
#include "base/time.h"
#include "protocol/error_response.h"
#include "protocol/query.h"

namespace imgproc::localcloud::rpc {
namespace {

const json::value* member(const json::object& input, std::string_view name) {
  const json::value* value = input.if_contains({name.data(), name.size()});
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::string scalar_text(const json::value& value) {
  if (const auto* text = value.if_string()) return std::string(text->data(), text->size());
  return json::serialize(value);
}

struct Decoded {
  bool is_json = false;
  std::string action;
  json::object input;
};

base::Result<Decoded> decode(const ServiceDescription& service, http::Request& request) {
  auto content_encoding = request.headers.get("Content-Encoding");
  if (content_encoding && *content_encoding != "identity")
    return base::permanent("UnsupportedContentEncoding",
                           fmt::format("Content-Encoding `{}` is not supported", *content_encoding),
                           "set disable_request_compression = true in the client's configuration");
  Decoded decoded;
  auto target = request.headers.get("X-Amz-Target");
  decoded.is_json = target.has_value();
  IMGPROC_TRY(std::string body, http::read_all(request.body, kRequestBytesMax));
  if (decoded.is_json) {
    decoded.action = target->substr(target->rfind('.') + 1);
    if (body.empty()) return decoded;
    auto value = base::parse_json(body);
    if (!value || !value->is_object())
      return base::permanent("SerializationException",
                             value ? "the body is no JSON object" : value.error().message);
    decoded.input = std::move(value->as_object());
    return decoded;
  }
  if (service.xmlns.empty())
    return base::permanent("InvalidAction",
                           "this service speaks JSON: the X-Amz-Target header is missing",
                           "use a current AWS CLI or SDK");
  IMGPROC_TRY(decoded.input,
              protocol::query_to_json(body.empty() ? request.query() : std::string_view(body)));
  decoded.action = base::json_string(decoded.input, "Action").value_or("");
  return decoded;
}

base::Result<json::object> run(const ServiceDescription& service, const Caller& caller,
                               std::string host, Decoded& decoded) {
  auto operation = service.operations.find(decoded.action);
  if (operation == service.operations.end())
    return std::unexpected(
        base::Error{.code = "NotImplemented",
                    .message = fmt::format("The operation {} is not implemented.", decoded.action),
                    .hint = "see docs/local-cloud-compatibility.md",
                    .http_status = 501});
  return operation->second(
      Call{caller, std::move(host), std::move(decoded.input), decoded.is_json});
}

}  // namespace

base::Result<std::string> Call::require(std::string_view name) const {
  const json::value* value = member(input, name);
  if (value == nullptr || (value->is_string() && value->get_string().empty()))
    return base::permanent("MissingParameter",
                           fmt::format("The request must contain the parameter {}.", name));
  return scalar_text(*value);
}

std::string Call::text(std::string_view name, std::string_view fallback) const {
  const json::value* value = member(input, name);
  return value == nullptr ? std::string(fallback) : scalar_text(*value);
}

std::optional<double> Call::number(std::string_view name) const {
  const json::value* value = member(input, name);
  if (value == nullptr) return std::nullopt;
  if (value->is_number()) return value->to_number<double>();
  std::string written = scalar_text(*value);
  double result = 0;
  auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), result);
  if (error != std::errc{} || end != written.data() + written.size()) return std::nullopt;
  return result;
}

bool Call::flag(std::string_view name, bool fallback) const {
  const json::value* value = member(input, name);
  if (value == nullptr) return fallback;
  return value->is_bool() ? value->get_bool() : scalar_text(*value) == "true";
}

json::object Call::object(std::string_view name) const {
  const json::value* value = member(input, name);
  return value != nullptr && value->is_object() ? value->get_object() : json::object{};
}

json::array Call::list(std::string_view name) const {
  const json::value* value = member(input, name);
  return value != nullptr && value->is_array() ? value->get_array() : json::array{};
}

http::Response dispatch(const ServiceDescription& service, const Caller& caller,
                        http::Request request) {
  std::string host(request.headers.get("Host").value_or("127.0.0.1"));
  bool is_json = request.headers.has("X-Amz-Target");
  auto decoded = decode(service, request);
  auto output = decoded ? run(service, caller, std::move(host), *decoded)
                        : base::Result<json::object>(std::unexpected(decoded.error()));
  http::Response response;
  if (!output) {
    response = is_json
                   ? protocol::json_error(output.error(), service.json_version, caller.request_id)
                   : protocol::query_error(output.error(), service.xmlns, caller.request_id);
    if (service.decorate_error) service.decorate_error(output.error(), response);
    return response;
  }
  response.headers.set("x-amzn-RequestId", caller.request_id);
  if (is_json) {
    response.headers.set("Content-Type", "application/x-amz-json-" + service.json_version);
    response.body = json::serialize(*output);
  } else {
    response.headers.set("Content-Type", "text/xml");
    response.body =
        protocol::json_to_query_xml(decoded->action, service.xmlns, *output, caller.request_id);
  }
  return response;
}

std::optional<base::SystemTime> Call::time(std::string_view name) const {
  if (auto seconds = number(name))
    return base::SystemTime{std::chrono::milliseconds{static_cast<std::int64_t>(*seconds * 1000)}};
  return base::from_iso8601(text(name));
}

json::value Call::to_time(base::SystemTime time) const {
  if (is_json) return static_cast<double>(time.time_since_epoch().count()) / 1000;
  return json::string(base::to_iso8601(time));
}

json::object tags_to_map(const json::array& tags) {
  json::object map;
  for (const json::value& tag : tags)
    if (const auto* object = tag.if_object())
      if (auto key = base::json_string(*object, "Key"))
        map[*key] = base::json_string(*object, "Value").value_or("");
  return map;
}

json::array map_to_tags(const json::object& map) {
  json::array tags;
  for (const auto& [key, value] : map) tags.push_back(json::object{{"Key", key}, {"Value", value}});
  return tags;
}

}  // namespace imgproc::localcloud::rpc
