#include "localcloud/dynamodb/table_definition.h"

namespace imgproc::localcloud::dynamodb {

base::Result<std::string> describe_table(Call& call) {
  IMGPROC_TRY(TablePtr table, table_for_definition(call));
  IMGPROC_CHECK(call.store.sweep(*table));
  return describe_as(call, *table, "Table");
}

}  // namespace imgproc::localcloud::dynamodb
