#pragma once
#include "localcloud/event_bus.h"
#include "localcloud/event_sink.h"
#include "localcloud/queue_sink.h"

namespace imgproc::localcloud {

/// Where a bucket's notifications can go. Borrowed; a null means that this cloud has no such
/// service.
struct EventTargets {
  EventSink& functions;
  Queues* queues = nullptr;
  EventBus* bus = nullptr;

  /// Call after the commit of a transaction that enqueued something.
  void wake() const {
    functions.wake();
    if (queues != nullptr) queues->wake();
    if (bus != nullptr) bus->wake();
  }
};

}  // namespace imgproc::localcloud
