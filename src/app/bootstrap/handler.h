#pragma once
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "pipeline/process_object.h"
#include "protocol/s3_event.h"
#include "runtime/invocation.h"

namespace imgproc::bootstrap {

/// Time kept free before Lambda's deadline, so that a failure is recorded and reported rather than
/// cut off.
inline constexpr std::chrono::milliseconds kDeadlineMargin{1000};
/// So many objects are listed in the answer to a direct invocation.
inline constexpr std::size_t kResultsListedMax = 100;

/// Works through one invocation: its envelope is opened, each object processed, and whoever sent
/// the event is told in its own form. What is wrong with an image for good is recorded and no
/// error; what failed around it is raised, so that it comes again or ends in a dead-letter queue:
///   SQS             batchItemFailures with the messages that failed
///   S3 Batch        one result per task
///   everything else the invocation fails if one of its objects did
class Handler {
 public:
  using Process = std::function<base::Result<pipeline::Outcome>(const pipeline::SourceEvent&,
                                                                const pipeline::ProcessContext&)>;
  /// `clock` is borrowed.
  Handler(Process process, base::Clock& clock) : process_(std::move(process)), clock_(clock) {}

  [[nodiscard]] base::Result<std::string> handle(const runtime::Invocation& invocation);

 private:
  struct Done {
    protocol::TargetedEvent event;
    base::Result<pipeline::Outcome> outcome;
  };
  Done process_one(const protocol::TargetedEvent& event, const pipeline::ProcessContext& context);
  void log_outcome(const Done& done, const pipeline::ProcessContext& context,
                   std::chrono::milliseconds duration) const;

  Process process_;
  base::Clock& clock_;
  bool cold_start_ = true;
};

}  // namespace imgproc::bootstrap
