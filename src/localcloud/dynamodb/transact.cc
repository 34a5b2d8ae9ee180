#include "localcloud/dynamodb/transact.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace imgproc::localcloud::dynamodb {

base::Result<std::vector<const json::object*>> transact_items(const json::object& request) {
  Input input(request);
  const auto* list = input.array("TransactItems");
  input.require("TransactItems");
  if (list != nullptr && list->empty())
    input.violation("TransactItems", "'[]'", "Member must have length greater than or equal to 1");
  if (list != nullptr && list->size() > kTransactItemsMax)
    input.violation(
        "TransactItems", fmt::format("'[{} actions]'", list->size()),
        fmt::format("Member must have length less than or equal to {}", kTransactItemsMax));
  IMGPROC_CHECK(input.status());
  std::vector<const json::object*> items;
  for (const auto& element : *list) {
    if (!element.is_object()) return not_serializable("Unexpected value type in payload");
    items.push_back(&element.get_object());
  }
  return items;
}

std::unexpected<base::Error> canceled(Call& call, const std::vector<CancellationReason>& reasons) {
  std::vector<std::string> codes;
  json::array list;
  for (const auto& reason : reasons) {
    codes.push_back(reason.code.empty() ? "None" : reason.code);
    json::object entry{{"Code", codes.back()}};
    if (!reason.message.empty()) entry["Message"] = reason.message;
    if (reason.item) entry["Item"] = to_json_value(*reason.item);
    list.push_back(std::move(entry));
  }
  call.error_members["CancellationReasons"] = std::move(list);
  return base::permanent(
      "TransactionCanceledException",
      fmt::format(
          "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
          fmt::join(codes, ", ")));
}

json::array transaction_capacity(std::map<TablePtr, Capacity>& capacities, CapacityDetail detail,
                                 bool read) {
  constexpr double kTransactionFactor = 2;
  json::array consumed;
  for (auto& [table, capacity] : capacities) {
    capacity.scale(kTransactionFactor);
    consumed.push_back(to_json(*table, capacity, detail, read));
  }
  return consumed;
}

}  // namespace imgproc::localcloud::dynamodb
