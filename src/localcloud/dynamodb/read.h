#pragma once
// Which attributes of an item a read answers: ProjectionExpression or AttributesToGet.

#include <optional>
#include <string>

#include "localcloud/dynamodb/operation.h"
#include "localcloud/dynamodb/projection.h"

namespace imgproc::localcloud::dynamodb {

/// Reads ProjectionExpression or AttributesToGet; nothing means the whole item. Marks the names it
/// uses in `placeholders`.
[[nodiscard]] base::Result<std::optional<Projection>> parse_projection_parameter(
    const json::object& request, const Table& table, Placeholders& placeholders);
/// The same for reads that have no other expression (GetItem, BatchGetItem, TransactGetItems), with
/// their placeholders.
[[nodiscard]] base::Result<std::optional<Projection>> parse_item_projection(
    const json::object& request, const Table& table);

/// Appends a stored item, as it is or reduced.
[[nodiscard]] base::Status append_item(std::string& body, std::string_view stored,
                                       const std::optional<Projection>& projection);

}  // namespace imgproc::localcloud::dynamodb
