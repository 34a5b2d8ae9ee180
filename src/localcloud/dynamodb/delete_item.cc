#include "localcloud/dynamodb/legacy.h"
#include "localcloud/dynamodb/write.h"

namespace imgproc::localcloud::dynamodb {

base::Result<Write> parse_erase(Call& call, const json::object& request) {
  IMGPROC_TRY(Write write, parse_write_options(call, request, Write::Kind::erase));
  IMGPROC_CHECK(refuse_mixed_parameters(request, {"ConditionExpression"}, {"ConditionExpression"},
                                        {"Expected", "ConditionalOperator"}));
  IMGPROC_TRY(write.item, item_parameter(request, "Key"));
  IMGPROC_TRY(Placeholders placeholders, Placeholders::read(request));
  IMGPROC_CHECK(parse_write_condition(request, placeholders, write));
  IMGPROC_TRY(write.key, checked_key(write.table->keys, write.item));
  return write;
}

base::Result<std::string> delete_item(Call& call) {
  IMGPROC_TRY(Write write, parse_erase(call, call.request));
  return run_single_write(call, write);
}

}  // namespace imgproc::localcloud::dynamodb
