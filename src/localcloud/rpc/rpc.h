#pragma once
// Services whose operations are "name + structure in, structure out": one dispatch for the awsJson
// and awsQuery protocols. An operation is a function from JSON to JSON and knows no wire form.

#include <boost/json.hpp>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/message.h"
#include "localcloud/context.h"

namespace imgproc::localcloud::rpc {

namespace json = boost::json;

/// Largest request body; SQS, the largest user, takes 1 MiB of messages.
inline constexpr std::size_t kRequestBytesMax = 4 * 1024 * 1024;

/// One call as an operation sees it.
struct Call {
  const Caller& caller;
  /// Host header, for answers that hold URLs.
  std::string host;
  json::object input;
  /// The caller speaks awsJson; else awsQuery.
  bool is_json = true;

  /// Members by name. Query clients send every scalar as text, so numbers and booleans are taken
  /// from text too. A missing required member is the error MissingParameter / ValidationException.
  [[nodiscard]] base::Result<std::string> require(std::string_view name) const;
  [[nodiscard]] std::string text(std::string_view name, std::string_view fallback = {}) const;
  [[nodiscard]] std::optional<double> number(std::string_view name) const;
  [[nodiscard]] bool flag(std::string_view name, bool fallback = false) const;
  /// Empty if absent.
  [[nodiscard]] json::object object(std::string_view name) const;
  [[nodiscard]] json::array list(std::string_view name) const;
  /// A time: epoch seconds in awsJson, ISO 8601 in awsQuery; both are read in either.
  [[nodiscard]] std::optional<base::SystemTime> time(std::string_view name) const;
  [[nodiscard]] json::value to_time(base::SystemTime time) const;
};

using Operation = std::function<base::Result<json::object>(const Call&)>;

struct ServiceDescription {
  /// "AmazonSQS" of "X-Amz-Target: AmazonSQS.SendMessage"; empty = no JSON protocol.
  std::string target_prefix;
  std::string json_version = "1.0";
  /// Namespace of the query protocol's answers; empty = no query protocol.
  std::string xmlns;
  std::map<std::string, Operation, std::less<>> operations;
  /// Adds a service's own headers to an error answer (SQS: x-amzn-query-error); may be empty.
  std::function<void(const base::Error&, http::Response&)> decorate_error;
};

/// Decodes the request, runs the operation, encodes its answer in the caller's protocol. Unknown
/// operations get NotImplemented (501) in that protocol's error form.
[[nodiscard]] http::Response dispatch(const ServiceDescription& service, const Caller& caller,
                                      http::Request request);

/// Tags as most services send them: [{"Key":…,"Value":…}] to and from {"key":"value"}.
[[nodiscard]] json::object tags_to_map(const json::array& tags);
[[nodiscard]] json::array map_to_tags(const json::object& map);

}  // namespace imgproc::localcloud::rpc
