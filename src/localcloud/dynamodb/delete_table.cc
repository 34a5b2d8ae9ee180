#include "base/json.h"
#include "localcloud/dynamodb/table_definition.h"

namespace imgproc::localcloud::dynamodb {

base::Result<std::string> delete_table(Call& call) {
  IMGPROC_TRY(TablePtr table, table_for_definition(call));
  if (base::json_bool(table->description, "DeletionProtectionEnabled").value_or(false))
    return invalid(
        "Resource cannot be deleted as it is currently protected against deletion. Disable "
        "deletion protection "
        "first.");
  IMGPROC_TRY(json::object description, describe(call, *table));
  IMGPROC_CHECK(call.store.remove(*table));
  description["TableStatus"] = "DELETING";
  return json::serialize(json::object{{"TableDescription", std::move(description)}});
}

}  // namespace imgproc::localcloud::dynamodb
