#pragma once
// What the two batches share.

#include "localcloud/dynamodb/operation.h"

namespace imgproc::localcloud::dynamodb {

/// RequestItems of BatchGetItem and BatchWriteItem: by table, at least one. Borrowed from
/// `request`. Error: ValidationException.
[[nodiscard]] base::Result<const json::object*> batch_items(const json::object& request);

}  // namespace imgproc::localcloud::dynamodb
