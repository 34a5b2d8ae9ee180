#include <fmt/format.h>

#include "localcloud/dynamodb/legacy.h"
#include "localcloud/dynamodb/write.h"

namespace imgproc::localcloud::dynamodb {

base::Result<Write> parse_put(Call& call, const json::object& request) {
  IMGPROC_TRY(Write write, parse_write_options(call, request, Write::Kind::put));
  IMGPROC_CHECK(refuse_mixed_parameters(request, {"ConditionExpression"}, {"ConditionExpression"},
                                        {"Expected", "ConditionalOperator"}));
  IMGPROC_TRY(write.item, item_parameter(request, "Item"));
  if (protocol::size_of(write.item) > kItemBytesMax)
    return invalid("Item size has exceeded the maximum allowed size");
  IMGPROC_TRY(Placeholders placeholders, Placeholders::read(request));
  IMGPROC_CHECK(parse_write_condition(request, placeholders, write));
  IMGPROC_TRY(write.key, checked_item_key(*write.table, write.item));
  return write;
}

base::Result<std::string> put_item(Call& call) {
  IMGPROC_TRY(Write write, parse_put(call, call.request));
  return run_single_write(call, write);
}

}  // namespace imgproc::localcloud::dynamodb
