#pragma once
// One DynamoDB call, and the table of all operations.

#include <string>
#include <string_view>

#include "localcloud/context.h"
#include "localcloud/dynamodb/errors.h"
#include "localcloud/dynamodb/input.h"
#include "localcloud/dynamodb/store.h"

namespace imgproc::localcloud::dynamodb {

/// What an operation works with.
struct Call {
  Store& store;
  const Caller& caller;
  const json::object& request;
  /// Members that go beside `message` into the answer if the operation fails (Item,
  /// CancellationReasons).
  json::object error_members = {};
};

/// Answers the body of the response, JSON text.
using OperationFunction = base::Result<std::string> (*)(Call& call);

struct Operation {
  std::string_view name;
  OperationFunction run;
  /// Runs alone: no other operation sees tables half changed.
  bool changes_tables = false;
};

/// Nullptr if there is no such operation here.
[[nodiscard]] const Operation* find_operation(std::string_view name);

/// The table that an item operation's TableName names; expired items are gone from it. Error
/// ResourceNotFoundException.
[[nodiscard]] base::Result<TablePtr> table_for_items(Call& call);
[[nodiscard]] base::Result<TablePtr> table_for_items(Call& call, const json::object& names_table);
/// As table operations look it up: the error names the table.
[[nodiscard]] base::Result<TablePtr> table_for_definition(Call& call);
/// The table of a ResourceArn.
[[nodiscard]] base::Result<TablePtr> table_of_resource(Call& call);

base::Result<std::string> batch_get_item(Call& call);
base::Result<std::string> batch_write_item(Call& call);
base::Result<std::string> create_table(Call& call);
base::Result<std::string> delete_item(Call& call);
base::Result<std::string> delete_table(Call& call);
base::Result<std::string> describe_continuous_backups(Call& call);
base::Result<std::string> describe_limits(Call& call);
base::Result<std::string> describe_table(Call& call);
base::Result<std::string> describe_time_to_live(Call& call);
base::Result<std::string> get_item(Call& call);
base::Result<std::string> list_tables(Call& call);
base::Result<std::string> list_tags_of_resource(Call& call);
base::Result<std::string> put_item(Call& call);
base::Result<std::string> query(Call& call);
base::Result<std::string> scan(Call& call);
base::Result<std::string> tag_resource(Call& call);
base::Result<std::string> transact_get_items(Call& call);
base::Result<std::string> transact_write_items(Call& call);
base::Result<std::string> untag_resource(Call& call);
base::Result<std::string> update_continuous_backups(Call& call);
base::Result<std::string> update_item(Call& call);
base::Result<std::string> update_table(Call& call);
base::Result<std::string> update_time_to_live(Call& call);

}  // namespace imgproc::localcloud::dynamodb
