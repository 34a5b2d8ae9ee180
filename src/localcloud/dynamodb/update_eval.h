#pragma once
// What UpdateExpression (or AttributeUpdates) makes of an item.

#include "localcloud/dynamodb/expression.h"

namespace imgproc::localcloud::dynamodb {

/// The item after all actions. Every operand is read from `item` as it was before; list positions
/// mean those of `item`, too. Errors: ValidationException (missing attribute, wrong type, path that
/// does not exist, number out of range).
[[nodiscard]] base::Result<AttributeMap> apply_update(const AttributeMap& item,
                                                      const std::vector<UpdateAction>& actions);

}  // namespace imgproc::localcloud::dynamodb
