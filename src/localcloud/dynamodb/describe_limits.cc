#include "localcloud/dynamodb/operation.h"

namespace imgproc::localcloud::dynamodb {

/// The quotas that a new AWS account has; nothing here is throttled by them.
base::Result<std::string> describe_limits(Call&) {
  constexpr int kAccountUnits = 80000;
  constexpr int kTableUnits = 40000;
  return json::serialize(json::object{{"AccountMaxReadCapacityUnits", kAccountUnits},
                                      {"AccountMaxWriteCapacityUnits", kAccountUnits},
                                      {"TableMaxReadCapacityUnits", kTableUnits},
                                      {"TableMaxWriteCapacityUnits", kTableUnits}});
}

}  // namespace imgproc::localcloud::dynamodb
