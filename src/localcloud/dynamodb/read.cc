#include "localcloud/dynamodb/read.h"

#include <fmt/format.h>

#include <set>

#include "localcloud/dynamodb/condition_eval.h"
#include "localcloud/dynamodb/expression_parser.h"
#include "localcloud/dynamodb/legacy.h"

namespace imgproc::localcloud::dynamodb {

base::Result<std::optional<Projection>> parse_projection_parameter(const json::object& request,
                                                                   const Table& table,
                                                                   Placeholders& placeholders) {
  Input input(request);
  auto text = input.text("ProjectionExpression");
  const auto* names = input.array("AttributesToGet");
  IMGPROC_CHECK(input.status());
  std::vector<Path> paths;
  if (text) {
    IMGPROC_TRY(paths, parse_projection(*text, placeholders));
    for (const auto& path : paths) IMGPROC_CHECK(check_key_paths(table, path));
  } else if (names != nullptr) {
    if (names->empty()) {
      input.violation("AttributesToGet", "'[]'",
                      "Member must have length greater than or equal to 1");
      return std::unexpected(input.status().error());
    }
    IMGPROC_TRY(auto attributes, texts_of(*names));
    std::set<std::string> seen;
    for (auto& name : attributes) {
      if (!seen.insert(name).second)
        return invalid_parameter(fmt::format("Duplicate value in attribute name: {}", name));
      paths.push_back({std::move(name)});
    }
  } else {
    return std::nullopt;
  }
  return Projection(paths);
}

base::Result<std::optional<Projection>> parse_item_projection(const json::object& request,
                                                              const Table& table) {
  if (!request.contains("ProjectionExpression") && !request.contains("AttributesToGet") &&
      !request.contains("ExpressionAttributeNames"))
    return std::nullopt;
  IMGPROC_CHECK(
      refuse_mixed_parameters(request, {"ProjectionExpression"}, {}, {"AttributesToGet"}));
  IMGPROC_TRY(Placeholders placeholders, Placeholders::read(request));
  IMGPROC_TRY(auto projection, parse_projection_parameter(request, table, placeholders));
  IMGPROC_CHECK(placeholders.check_all_used());
  return projection;
}

base::Status append_item(std::string& body, std::string_view stored,
                         const std::optional<Projection>& projection) {
  if (!projection) {
    body += stored;
    return {};
  }
  IMGPROC_TRY(AttributeMap item, parse_stored(stored));
  protocol::append_json(body, projection->apply(item));
  return {};
}

}  // namespace imgproc::localcloud::dynamodb
