#include "localcloud/dynamodb/batch.h"

namespace imgproc::localcloud::dynamodb {

base::Result<const json::object*> batch_items(const json::object& request) {
  Input input(request);
  const auto* items = input.object("RequestItems");
  input.require("RequestItems");
  if (items != nullptr && items->empty())
    input.violation("RequestItems", "'{}'", "Member must have length greater than or equal to 1");
  IMGPROC_CHECK(input.status());
  return items;
}

}  // namespace imgproc::localcloud::dynamodb
