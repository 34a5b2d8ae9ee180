#pragma once
// The awsQuery protocol (IAM, STS, SNS, CloudWatch): form-encoded requests, XML answers. Both are
// turned into and from the JSON shape that the same operation has in the awsJson protocols, so that
// an operation is written once.
// Source: Smithy's awsQuery description.

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "base/error.h"

namespace imgproc::protocol {

/// Parameters that one request may have; more is refused with MalformedQueryString.
inline constexpr std::size_t kQueryParamsMax = 5000;

/// A form body as JSON: "Tags.member.1.Key=a" becomes {"Tags":[{"Key":"a"}]}; maps
/// ("Attributes.entry.1.key=k&Attributes.entry.1.value=v") become {"Attributes":{"k":"v"}}. All
/// values are strings; Action and Version are kept.
[[nodiscard]] base::Result<boost::json::object> query_to_json(std::string_view form_body);

/// The answer of `action`: <ActionResponse xmlns=…><ActionResult>…</ActionResult>
/// <ResponseMetadata>…. Arrays become <member> lists; an array called "entry" a flat list of
/// <entry>. An empty result is written too: AWS's SDK for Go insists on it (DeleteDashboards).
[[nodiscard]] std::string json_to_query_xml(std::string_view action, std::string_view xmlns,
                                            const boost::json::object& output,
                                            std::string_view request_id);

/// A map in the form awsQuery answers with: {"entry":[{"key":…,"value":…}]}.
[[nodiscard]] boost::json::object query_entries(const boost::json::object& map);

}  // namespace imgproc::protocol
