#include "localcloud/dynamodb/operation.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace imgproc::localcloud::dynamodb {
namespace {

/// Sorted by name.
constexpr Operation kOperations[] = {
    {"BatchGetItem", batch_get_item},
    {"BatchWriteItem", batch_write_item},
    {"CreateTable", create_table, true},
    {"DeleteItem", delete_item},
    {"DeleteTable", delete_table, true},
    {"DescribeContinuousBackups", describe_continuous_backups},
    {"DescribeLimits", describe_limits},
    {"DescribeTable", describe_table},
    {"DescribeTimeToLive", describe_time_to_live},
    {"GetItem", get_item},
    {"ListTables", list_tables},
    {"ListTagsOfResource", list_tags_of_resource},
    {"PutItem", put_item},
    {"Query", query},
    {"Scan", scan},
    {"TagResource", tag_resource, true},
    {"TransactGetItems", transact_get_items},
    {"TransactWriteItems", transact_write_items},
    {"UntagResource", untag_resource, true},
    {"UpdateContinuousBackups", update_continuous_backups, true},
    {"UpdateItem", update_item},
    {"UpdateTable", update_table, true},
    {"UpdateTimeToLive", update_time_to_live, true},
};

}  // namespace

const Operation* find_operation(std::string_view name) {
  const auto* found =
      std::lower_bound(std::begin(kOperations), std::end(kOperations), name,
                       [](const Operation& a, std::string_view b) { return a.name < b; });
  return found != std::end(kOperations) && found->name == name ? found : nullptr;
}

base::Result<TablePtr> table_for_items(Call& call) {
  return table_for_items(call, call.request);
}

base::Result<TablePtr> table_for_items(Call& call, const json::object& names_table) {
  IMGPROC_TRY(std::string name, table_name_of(names_table));
  TablePtr table = call.store.find(call.caller.region, name);
  if (!table) return resource_not_found();
  IMGPROC_CHECK(call.store.sweep(*table));
  return table;
}

base::Result<TablePtr> table_for_definition(Call& call) {
  IMGPROC_TRY(std::string name, table_name_of(call.request));
  TablePtr table = call.store.find(call.caller.region, name);
  if (!table) return table_not_found(name);
  return table;
}

base::Result<TablePtr> table_of_resource(Call& call) {
  Input input(call.request);
  auto arn = input.text("ResourceArn");
  input.require("ResourceArn");
  IMGPROC_CHECK(input.status());
  auto name_at = arn->find(":table/");
  if (!arn->starts_with("arn:") || name_at == std::string_view::npos)
    return invalid(fmt::format("Invalid TableArn: Invalid ResourceArn provided as input {}", *arn));
  TablePtr table = call.store.find(call.caller.region, arn->substr(name_at + 7));
  // The spelling is DynamoDB's.
  if (!table || table->arn != *arn)
    return base::permanent(
        "ResourceNotFoundException",
        fmt::format("Requested resource not found: ResourcArn: {} not found", *arn));
  return table;
}

}  // namespace imgproc::localcloud::dynamodb
