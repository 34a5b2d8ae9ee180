// UpdateContinuousBackups and DescribeContinuousBackups: the setting is kept and answered; there is
// nothing to restore from here, and the restore operations say so.

#include <fmt/format.h>

#include "base/json.h"
#include "localcloud/dynamodb/operation.h"

namespace imgproc::localcloud::dynamodb {
namespace {

constexpr std::int64_t kRecoveryDaysMax = 35;

base::Result<TablePtr> find_table(Call& call) {
  auto table = table_for_definition(call);
  // These two operations have an error of their own.
  if (!table && table.error().code == "ResourceNotFoundException") {
    IMGPROC_TRY(std::string name, table_name_of(call.request));
    return base::permanent("TableNotFoundException", fmt::format("Table not found: {}", name));
  }
  return table;
}

std::string describe(const Call& call, const Table& table) {
  auto days = base::json_int(table.settings, "RecoveryPeriodInDays");
  json::object recovery{{"PointInTimeRecoveryStatus", days ? "ENABLED" : "DISABLED"}};
  if (days) {
    double now = static_cast<double>(call.store.clock().now().time_since_epoch().count()) / 1000.0;
    recovery["RecoveryPeriodInDays"] = *days;
    recovery["EarliestRestorableDateTime"] =
        base::json_number(table.settings, "RecoveryStart").value_or(now);
    recovery["LatestRestorableDateTime"] = now;
  }
  return json::serialize(json::object{{"ContinuousBackupsDescription",
                                       {{"ContinuousBackupsStatus", "ENABLED"},
                                        {"PointInTimeRecoveryDescription", std::move(recovery)}}}});
}

}  // namespace

base::Result<std::string> update_continuous_backups(Call& call) {
  Input input(call.request);
  const auto* specification = input.object("PointInTimeRecoverySpecification");
  input.require("PointInTimeRecoverySpecification");
  IMGPROC_CHECK(input.status());
  Input members(*specification, "pointInTimeRecoverySpecification");
  auto enabled = members.boolean("PointInTimeRecoveryEnabled");
  auto days = members.integer("RecoveryPeriodInDays", 1, kRecoveryDaysMax);
  members.require("PointInTimeRecoveryEnabled");
  IMGPROC_CHECK(members.status());
  IMGPROC_TRY(TablePtr table, find_table(call));
  Table changed = *table;
  if (*enabled) {
    changed.settings["RecoveryPeriodInDays"] = days.value_or(kRecoveryDaysMax);
    if (!changed.settings.contains("RecoveryStart"))
      changed.settings["RecoveryStart"] =
          static_cast<double>(call.store.clock().now().time_since_epoch().count()) / 1000.0;
  } else {
    changed.settings.erase("RecoveryPeriodInDays");
    changed.settings.erase("RecoveryStart");
  }
  IMGPROC_CHECK(call.store.save(std::move(changed), nullptr));
  return describe(call, *call.store.find(table->region, table->name));
}

base::Result<std::string> describe_continuous_backups(Call& call) {
  IMGPROC_TRY(TablePtr table, find_table(call));
  return describe(call, *table);
}

}  // namespace imgproc::localcloud::dynamodb
