// UpdateTimeToLive and DescribeTimeToLive.

#include <fmt/format.h>

#include "localcloud/dynamodb/operation.h"

namespace imgproc::localcloud::dynamodb {

base::Result<std::string> update_time_to_live(Call& call) {
  Input input(call.request);
  const auto* specification = input.object("TimeToLiveSpecification");
  input.require("TimeToLiveSpecification");
  IMGPROC_CHECK(input.status());
  Input members(*specification, "timeToLiveSpecification");
  auto enabled = members.boolean("Enabled");
  auto attribute = members.text("AttributeName");
  members.require("Enabled");
  members.require("AttributeName");
  if (attribute && attribute->empty())
    members.violation("AttributeName", "''", "Member must have length greater than or equal to 1");
  IMGPROC_CHECK(members.status());
  IMGPROC_TRY(TablePtr table, table_for_definition(call));
  if (*enabled && table->ttl_attribute)
    return invalid(
        *table->ttl_attribute == *attribute
            ? "TimeToLive is already enabled"
            : fmt::format(
                  "TimeToLive is active on a different AttributeName: current AttributeName is {}",
                  *table->ttl_attribute));
  if (!*enabled && !table->ttl_attribute) return invalid("TimeToLive is already disabled");
  if (!*enabled && *table->ttl_attribute != *attribute)
    return invalid(fmt::format(
        "TimeToLive is active on a different AttributeName: current AttributeName is {}",
        *table->ttl_attribute));
  Table changed = *table;
  if (*enabled) {
    changed.settings["TimeToLiveAttribute"] = *attribute;
  } else {
    changed.settings.erase("TimeToLiveAttribute");
  }
  json::object answer{{"Enabled", *enabled}, {"AttributeName", *attribute}};
  IMGPROC_CHECK(call.store.save(std::move(changed), refresh_expiry));
  return json::serialize(json::object{{"TimeToLiveSpecification", std::move(answer)}});
}

base::Result<std::string> describe_time_to_live(Call& call) {
  IMGPROC_TRY(TablePtr table, table_for_definition(call));
  json::object description{{"TimeToLiveStatus", table->ttl_attribute ? "ENABLED" : "DISABLED"}};
  if (table->ttl_attribute) description["AttributeName"] = *table->ttl_attribute;
  return json::serialize(json::object{{"TimeToLiveDescription", std::move(description)}});
}

}  // namespace imgproc::localcloud::dynamodb
