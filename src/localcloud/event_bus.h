#pragma once
#include <boost/json.hpp>
#include <string_view>

#include "base/error.h"
#include "localcloud/store/database.h"

namespace imgproc::localcloud {

/// The default event bus as other services use it. EventBridge implements it.
class EventBus {
 public:
  virtual ~EventBus() = default;
  /// Delivers an event ({"source","detail-type","detail",…}; id, time, account and region are
  /// filled in) to the targets of every rule that matches, inside the caller's transaction.
  [[nodiscard]] virtual base::Status put_event(Connection& transaction,
                                               boost::json::object event) = 0;
  /// Call after the commit.
  virtual void wake() = 0;
};

}  // namespace imgproc::localcloud
