#include "localcloud/dynamodb/errors.h"

#include <fmt/format.h>

namespace imgproc::localcloud::dynamodb {

std::unexpected<base::Error> invalid(std::string message) {
  return base::permanent("ValidationException", std::move(message));
}

std::unexpected<base::Error> invalid_parameter(std::string_view message) {
  return invalid(fmt::format("One or more parameter values were invalid: {}", message));
}

std::unexpected<base::Error> not_serializable(std::string message) {
  return base::permanent("SerializationException", std::move(message));
}

std::unexpected<base::Error> resource_not_found() {
  return base::permanent("ResourceNotFoundException", "Requested resource not found");
}

std::unexpected<base::Error> table_not_found(std::string_view table) {
  return base::permanent("ResourceNotFoundException",
                         fmt::format("Requested resource not found: Table: {} not found", table));
}

std::unexpected<base::Error> conditional_check_failed() {
  return base::permanent("ConditionalCheckFailedException", "The conditional request failed");
}

std::string wire_type(std::string_view code) {
  std::string_view origin = "com.amazonaws.dynamodb.v20120810";
  if (code == "ValidationException") origin = "com.amazon.coral.validate";
  if (code == "SerializationException" || code == "UnknownOperationException" ||
      code == "AccessDeniedException")
    origin = "com.amazon.coral.service";
  return fmt::format("{}#{}", origin, code);
}

}  // namespace imgproc::localcloud::dynamodb
