#include <fmt/format.h>

#include "base/json.h"
#include "base/time.h"
#include "localcloud/cloudwatch/service.h"

namespace imgproc::localcloud::cloudwatch {
namespace json = boost::json;
namespace {

std::string dashboard_arn(std::string_view name) {
  return fmt::format("arn:aws:cloudwatch::{}:dashboard/{}", kAccountId, name);
}

std::unexpected<base::Error> no_such_dashboard(std::string_view name) {
  return std::unexpected(base::Error{.code = "ResourceNotFound",
                                     .message = fmt::format("Dashboard {} does not exist", name),
                                     .http_status = 404});
}

}  // namespace

void CloudWatchService::register_dashboard_operations() {
  auto& operations = description_.operations;
  operations["PutDashboard"] = [this](const rpc::Call& call) { return put_dashboard(call); };
  operations["GetDashboard"] = [this](const rpc::Call& call) { return get_dashboard(call); };
  operations["ListDashboards"] = [this](const rpc::Call& call) { return list_dashboards(call); };
  operations["DeleteDashboards"] = [this](const rpc::Call& call) {
    return delete_dashboards(call);
  };
}

CloudWatchService::Output CloudWatchService::put_dashboard(const rpc::Call& call) {
  IMGPROC_TRY(std::string name, call.require("DashboardName"));
  IMGPROC_TRY(std::string body, call.require("DashboardBody"));
  auto parsed = base::parse_json(body);
  if (!parsed || !parsed->is_object())
    return base::permanent("InvalidParameterInput", parsed ? "The dashboard body is no JSON object."
                                                           : parsed.error().message);
  IMGPROC_CHECK(documents_.put(
      "dashboard", name, {{"body", body}, {"updated", base::to_iso8601(context_.clock.now())}}));
  return json::object{{"DashboardValidationMessages", json::array{}}};
}

CloudWatchService::Output CloudWatchService::get_dashboard(const rpc::Call& call) {
  IMGPROC_TRY(std::string name, call.require("DashboardName"));
  IMGPROC_TRY(auto document, documents_.get("dashboard", name));
  if (!document) return no_such_dashboard(name);
  return json::object{{"DashboardArn", dashboard_arn(name)},
                      {"DashboardBody", document->at("body")},
                      {"DashboardName", name}};
}

CloudWatchService::Output CloudWatchService::list_dashboards(const rpc::Call& call) {
  IMGPROC_TRY(auto dashboards, documents_.list("dashboard", call.text("DashboardNamePrefix")));
  json::array shown;
  for (const auto& [name, document] : dashboards) {
    auto updated =
        base::from_iso8601(document.at("updated").get_string()).value_or(base::SystemTime{});
    shown.push_back(
        json::object{{"DashboardName", name},
                     {"DashboardArn", dashboard_arn(name)},
                     {"LastModified", call.to_time(updated)},
                     {"Size", static_cast<std::int64_t>(document.at("body").get_string().size())}});
  }
  return json::object{{"DashboardEntries", shown}};
}

CloudWatchService::Output CloudWatchService::delete_dashboards(const rpc::Call& call) {
  for (const json::value& name : call.list("DashboardNames")) {
    if (!name.is_string()) continue;
    IMGPROC_TRY(bool removed, documents_.remove("dashboard", name.get_string()));
    if (!removed) return no_such_dashboard(name.get_string());
  }
  return json::object{};
}

}  // namespace imgproc::localcloud::cloudwatch
