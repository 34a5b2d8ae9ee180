#pragma once
// What the two transactions share.

#include <map>
#include <string>
#include <vector>

#include "localcloud/dynamodb/capacity.h"
#include "localcloud/dynamodb/operation.h"

namespace imgproc::localcloud::dynamodb {

inline constexpr std::size_t kTransactItemsMax = 100;
/// All items of a transaction together.
inline constexpr std::size_t kTransactBytesMax = std::size_t{4} * 1024 * 1024;

/// The list in TransactItems, 1 to 100 structures.
[[nodiscard]] base::Result<std::vector<const json::object*>> transact_items(
    const json::object& request);

/// Why one action of a transaction did not go through; an empty code where it is not to blame.
struct CancellationReason {
  std::string code;
  std::string message;
  std::optional<AttributeMap> item;
};

/// TransactionCanceledException, with CancellationReasons among the error's members.
[[nodiscard]] std::unexpected<base::Error> canceled(Call& call,
                                                    const std::vector<CancellationReason>& reasons);

/// ConsumedCapacity of a transaction, which costs double.
[[nodiscard]] json::array transaction_capacity(std::map<TablePtr, Capacity>& capacities,
                                               CapacityDetail detail, bool read);

}  // namespace imgproc::localcloud::dynamodb
