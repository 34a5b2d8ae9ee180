#pragma once
// Text to trees, by recursive descent. Grammar and limits: "Using expressions in DynamoDB" of the
// developer guide. All errors are ValidationException, led by "Invalid ConditionExpression: " and
// the like (`kind` is the parameter's name).

#include <string_view>

#include "localcloud/dynamodb/expression.h"

namespace imgproc::localcloud::dynamodb {

[[nodiscard]] base::Result<Condition> parse_condition(std::string_view kind, std::string_view text,
                                                      Placeholders& placeholders);
/// UpdateExpression: SET, REMOVE, ADD and DELETE, each at most once; paths that overlap are
/// refused.
[[nodiscard]] base::Result<std::vector<UpdateAction>> parse_update(std::string_view text,
                                                                   Placeholders& placeholders);
/// ProjectionExpression: paths that do not overlap.
[[nodiscard]] base::Result<std::vector<Path>> parse_projection(std::string_view text,
                                                               Placeholders& placeholders);

/// True for the words that DynamoDB reserves, in any case.
[[nodiscard]] bool is_reserved_word(std::string_view word);

}  // namespace imgproc::localcloud::dynamodb
