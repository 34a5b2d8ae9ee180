#include <fmt/format.h>

#include "localcloud/dynamodb/condition_eval.h"
#include "localcloud/dynamodb/expression_parser.h"
#include "localcloud/dynamodb/legacy.h"
#include "localcloud/dynamodb/write.h"

namespace imgproc::localcloud::dynamodb {
namespace {

/// The key stays as it is, and keys of indexes are scalars.
base::Status check_update_paths(const Table& table, const std::vector<UpdateAction>& actions) {
  for (const auto& action : actions) {
    const auto& head = std::get<std::string>(action.path[0]);
    if (head == table.keys.hash.name || (table.keys.range && head == table.keys.range->name))
      return invalid_parameter(
          fmt::format("Cannot update attribute {}. This attribute is part of the key", head));
    IMGPROC_CHECK(check_key_paths(table, action.path));
  }
  return {};
}

}  // namespace

base::Result<Write> parse_update(Call& call, const json::object& request) {
  IMGPROC_TRY(Write write, parse_write_options(call, request, Write::Kind::update));
  IMGPROC_CHECK(refuse_mixed_parameters(request, {"UpdateExpression", "ConditionExpression"},
                                        {"UpdateExpression", "ConditionExpression"},
                                        {"AttributeUpdates", "Expected", "ConditionalOperator"}));
  IMGPROC_TRY(write.item, item_parameter(request, "Key"));
  IMGPROC_TRY(Placeholders placeholders, Placeholders::read(request));
  Input input(request);
  auto text = input.text("UpdateExpression");
  IMGPROC_CHECK(input.status());
  if (text) {
    IMGPROC_TRY(write.actions, parse_update(*text, placeholders));
  } else {
    IMGPROC_TRY(write.actions, parse_attribute_updates(request));
  }
  IMGPROC_CHECK(parse_write_condition(request, placeholders, write));
  IMGPROC_TRY(write.key, checked_key(write.table->keys, write.item));
  IMGPROC_CHECK(check_update_paths(*write.table, write.actions));
  return write;
}

base::Result<std::string> update_item(Call& call) {
  IMGPROC_TRY(Write write, parse_update(call, call.request));
  return run_single_write(call, write);
}

}  // namespace imgproc::localcloud::dynamodb
