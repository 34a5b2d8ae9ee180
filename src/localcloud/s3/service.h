#pragma once
#include <memory>

#include "http/message.h"
#include "localcloud/context.h"
#include "localcloud/event_targets.h"

namespace imgproc::localcloud::s3 {

class BodyStore;
class Sequence;

/// Amazon S3's REST API over the store. Thread-safe; requests run on the caller's thread.
class S3Service {
 public:
  /// Creates the tables and the folder `s3/` of the data directory and sweeps what an unclean end
  /// left there. `context` and the targets are borrowed and must outlive the service.
  [[nodiscard]] static base::Result<std::unique_ptr<S3Service>> create(Context& context,
                                                                       EventTargets events);
  ~S3Service();
  S3Service(const S3Service&) = delete;
  S3Service& operator=(const S3Service&) = delete;

  /// Answers one request, whose signature was checked before; every error becomes S3's error form.
  /// The answer's body may be a stream that stays valid while this service exists.
  [[nodiscard]] http::Response handle(const Caller& caller, http::Request request);

 private:
  S3Service(Context& context, EventTargets events, std::unique_ptr<BodyStore> bodies);
  Context& context_;
  EventTargets events_;
  std::unique_ptr<BodyStore> bodies_;
  std::unique_ptr<Sequence> sequence_;
};

}  // namespace imgproc::localcloud::s3
