#pragma once
// DynamoDB's errors by name, and their full names on the wire.

#include <string>
#include <string_view>

#include "base/error.h"

namespace imgproc::localcloud::dynamodb {

/// The request is wrong: ValidationException.
[[nodiscard]] std::unexpected<base::Error> invalid(std::string message);
/// As invalid(), with the words that most of DynamoDB's messages start with: "One or more parameter
/// values were invalid: ".
[[nodiscard]] std::unexpected<base::Error> invalid_parameter(std::string_view message);
/// JSON of the wrong kind: SerializationException.
[[nodiscard]] std::unexpected<base::Error> not_serializable(std::string message);
/// Item operations say no more than "Requested resource not found".
[[nodiscard]] std::unexpected<base::Error> resource_not_found();
/// Table operations name the table.
[[nodiscard]] std::unexpected<base::Error> table_not_found(std::string_view table);
[[nodiscard]] std::unexpected<base::Error> conditional_check_failed();

/// The `__type` of an error: "com.amazonaws.dynamodb.v20120810#ResourceInUseException", …
[[nodiscard]] std::string wire_type(std::string_view code);

}  // namespace imgproc::localcloud::dynamodb
