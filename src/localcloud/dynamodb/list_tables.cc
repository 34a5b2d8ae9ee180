#include <algorithm>

#include "localcloud/dynamodb/operation.h"

namespace imgproc::localcloud::dynamodb {

base::Result<std::string> list_tables(Call& call) {
  constexpr std::int64_t kTablesMax = 100;
  Input input(call.request);
  auto start = input.resource_name("ExclusiveStartTableName");
  auto limit = static_cast<std::size_t>(input.integer("Limit", 1, kTablesMax).value_or(kTablesMax));
  IMGPROC_CHECK(input.status());
  auto names = call.store.names(call.caller.region);
  auto first = start ? std::upper_bound(names.begin(), names.end(), *start) : names.begin();
  json::array page;
  for (; first != names.end() && page.size() < limit; ++first) page.emplace_back(*first);
  json::object body;
  if (first != names.end() && !page.empty()) body["LastEvaluatedTableName"] = page.back();
  body["TableNames"] = std::move(page);
  return json::serialize(body);
}

}  // namespace imgproc::localcloud::dynamodb
