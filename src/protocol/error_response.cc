#include "protocol/error_response.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace imgproc::protocol {
namespace {

/// What a person reads: the cause, and what to do about it.
std::string full_message(const base::Error& error) {
  return error.hint.empty() ? error.message : error.message + " (" + error.hint + ")";
}

}  // namespace

int status_of(const base::Error& error) {
  if (error.http_status != 0) return error.http_status;
  return error.retryable ? 503 : 400;
}

std::string xml_escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&apos;";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("&#x{:x};", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  return out;
}

http::Response s3_error(const base::Error& error, std::string_view resource,
                        std::string_view request_id, bool head, const S3ErrorDetails& details) {
  http::Response response;
  response.status = status_of(error);
  response.headers.set("x-amz-request-id", std::string(request_id));
  response.headers.set("x-amz-id-2", std::string(request_id));
  if (head || response.status == 304) return response;
  response.headers.set("Content-Type", "application/xml");
  std::string more;
  for (const auto& [name, value] : details)
    more += fmt::format("<{0}>{1}</{0}>", name, xml_escape(value));
  response.body = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message>{}"
      "<Resource>{}</Resource><RequestId>{}</RequestId><HostId>{}</HostId></Error>",
      xml_escape(error.code), xml_escape(full_message(error)), more, xml_escape(resource),
      request_id, request_id);
  return response;
}

http::Response json_error(const base::Error& error, std::string_view version,
                          std::string_view request_id) {
  http::Response response;
  response.status = status_of(error);
  response.headers.set("Content-Type", fmt::format("application/x-amz-json-{}", version));
  response.headers.set("x-amzn-RequestId", std::string(request_id));
  boost::json::object body{{"__type", error.code}, {"message", full_message(error)}};
  response.body = boost::json::serialize(body);
  return response;
}

http::Response query_error(const base::Error& error, std::string_view xmlns,
                           std::string_view request_id) {
  http::Response response;
  response.status = status_of(error);
  response.headers.set("Content-Type", "text/xml");
  response.headers.set("x-amzn-RequestId", std::string(request_id));
  response.body = fmt::format(
      "<ErrorResponse "
      "xmlns=\"{}\"><Error><Type>{}</Type><Code>{}</Code><Message>{}</Message></Error>"
      "<RequestId>{}</RequestId></ErrorResponse>",
      xmlns, response.status >= 500 ? "Receiver" : "Sender", xml_escape(error.code),
      xml_escape(full_message(error)), request_id);
  return response;
}

http::Response rest_json_error(const base::Error& error, std::string_view request_id) {
  http::Response response;
  response.status = status_of(error);
  response.headers.set("Content-Type", "application/json");
  response.headers.set("X-Amzn-ErrorType", error.code);
  response.headers.set("x-amzn-RequestId", std::string(request_id));
  boost::json::object body{{"Type", response.status >= 500 ? "Service" : "User"},
                           {"Message", full_message(error)}};
  response.body = boost::json::serialize(body);
  return response;
}

}  // namespace imgproc::protocol
