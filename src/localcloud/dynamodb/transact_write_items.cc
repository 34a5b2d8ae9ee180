#include <fmt/format.h>

#include <set>

#include "base/hash.h"
#include "localcloud/dynamodb/expression_parser.h"
#include "localcloud/dynamodb/transact.h"
#include "localcloud/dynamodb/write.h"

namespace imgproc::localcloud::dynamodb {
namespace {

constexpr std::size_t kTokenLengthMax = 36;

using ParseAction = base::Result<Write> (*)(Call&, const json::object&);
struct Action {
  std::string_view member;
  ParseAction parse;
};
constexpr Action kActions[] = {{"ConditionCheck", parse_check},
                               {"Put", parse_put},
                               {"Delete", parse_erase},
                               {"Update", parse_update}};

base::Result<Write> parse_action(Call& call, const json::object& action) {
  const Action* chosen = nullptr;
  const json::object* request = nullptr;
  Input input(action);
  for (const auto& candidate : kActions) {
    const auto* member = input.object(candidate.member);
    if (member == nullptr) continue;
    if (chosen != nullptr)
      return invalid("TransactItems can only contain one of Check, Put, Update or Delete");
    chosen = &candidate;
    request = member;
  }
  IMGPROC_CHECK(input.status());
  if (chosen == nullptr)
    return invalid(
        "Invalid Request: TransactWriteRequest should contain Delete or Put or Update request");
  return chosen->parse(call, *request);
}

base::Result<std::optional<std::string>> parse_token(const json::object& request) {
  Input input(request);
  auto token = input.text("ClientRequestToken");
  if (token && (token->empty() || token->size() > kTokenLengthMax))
    input.violation("ClientRequestToken", fmt::format("'{}'", *token),
                    fmt::format("Member must have length between 1 and {}", kTokenLengthMax));
  IMGPROC_CHECK(input.status());
  if (!token) return std::nullopt;
  return std::string(*token);
}

/// The request without its token: what a repetition must repeat.
std::string fingerprint(const json::object& request) {
  json::object parameters = request;
  for (const char* name :
       {"ClientRequestToken", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics"})
    parameters.erase(name);
  return base::sha256_hex(json::serialize(parameters));
}

}  // namespace

base::Result<Write> parse_check(Call& call, const json::object& request) {
  IMGPROC_TRY(Write write, parse_write_options(call, request, Write::Kind::check));
  Input input(request);
  input.require("ConditionExpression");
  IMGPROC_CHECK(input.status());
  IMGPROC_TRY(write.item, item_parameter(request, "Key"));
  IMGPROC_TRY(Placeholders placeholders, Placeholders::read(request));
  IMGPROC_CHECK(parse_write_condition(request, placeholders, write));
  IMGPROC_TRY(write.key, checked_key(write.table->keys, write.item));
  return write;
}

base::Result<std::string> transact_write_items(Call& call) {
  IMGPROC_TRY(auto actions, transact_items(call.request));
  IMGPROC_TRY(CapacityDetail detail, capacity_detail(call.request));
  IMGPROC_TRY(bool metrics, wants_collection_metrics(call.request));
  IMGPROC_TRY(auto token, parse_token(call.request));
  std::vector<Write> writes;
  std::set<std::pair<std::int64_t, ItemKey>> seen;
  for (const json::object* action : actions) {
    IMGPROC_TRY(Write write, parse_action(call, *action));
    write.needs_old_item = true;
    if (!seen.emplace(write.table->id, write.key).second)
      return invalid("Transaction request cannot include multiple operations on one item");
    writes.push_back(std::move(write));
  }

  std::map<TablePtr, Capacity> capacities;
  std::vector<CancellationReason> reasons(writes.size());
  bool repeated = false;
  auto status = call.store.database().write([&](Connection& connection) -> base::Status {
    if (token) {
      std::int64_t now_ms = call.store.clock().now().time_since_epoch().count();
      IMGPROC_TRY(repeated, remember_token(connection, call.caller.region, *token,
                                           fingerprint(call.request), now_ms));
      if (repeated) return {};
    }
    std::size_t bytes = 0;
    bool failed = false;
    for (std::size_t i = 0; i < writes.size(); ++i) {
      auto written = apply(connection, writes[i], reasons[i].item);
      if (written) {
        bytes += std::max(written->old_bytes, written->new_bytes);
        capacities[writes[i].table].add(capacity_of(*writes[i].table, *written));
        continue;
      }
      bool condition = written.error().code == "ConditionalCheckFailedException";
      if (!condition && written.error().code != "ValidationException")
        return std::unexpected(written.error());
      failed = true;
      reasons[i].code = condition ? "ConditionalCheckFailed" : "ValidationError";
      reasons[i].message = written.error().message;
    }
    if (failed) return canceled(call, reasons);
    if (bytes > kTransactBytesMax)
      return invalid("Aggregate size of the items in the transaction cannot exceed 4 MB");
    return {};
  });
  if (!status) return std::unexpected(std::move(status).error());

  json::object body;
  if (detail != CapacityDetail::none)
    body["ConsumedCapacity"] = transaction_capacity(capacities, detail, repeated);
  if (metrics) body["ItemCollectionMetrics"] = item_collection_metrics(writes);
  return json::serialize(body);
}

}  // namespace imgproc::localcloud::dynamodb
