#include "app/bootstrap/handler.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/log.h"

namespace imgproc::bootstrap {
namespace {

using protocol::BatchTaskResult;
using protocol::FailureTarget;
using protocol::ParsedEvents;

pipeline::SourceEvent source_event(const protocol::ObjectEvent& event) {
  return {.kind = event.type == protocol::ObjectEvent::Type::created
                      ? pipeline::SourceEvent::Kind::created
                      : pipeline::SourceEvent::Kind::removed,
          .bucket = event.bucket,
          .key = event.key,
          .version_id = event.version_id,
          .etag = event.etag,
          .size = event.size,
          .sequencer = event.sequencer,
          .time = event.event_time,
          .delete_marker = event.delete_marker};
}

/// One failed part of the invocation, whether it was understood or not.
struct Failure {
  FailureTarget target;
  base::Error error;
};

std::string sqs_answer(const std::vector<Failure>& failures) {
  std::vector<std::string> ids;
  for (const auto& failure : failures)
    if (std::ranges::find(ids, failure.target.id) == ids.end()) ids.push_back(failure.target.id);
  return protocol::build_batch_item_failures(ids);
}

/// The first failure, which speaks for all; retryable if any of them is.
base::Error summary(const std::vector<Failure>& failures, std::size_t total) {
  base::Error error = failures.front().error;
  for (const auto& failure : failures) error.retryable |= failure.error.retryable;
  if (total > 1)
    error.message = fmt::format("{} of {} objects failed, the first with: {}", failures.size(),
                                total, error.message);
  return error;
}

}  // namespace

Handler::Done Handler::process_one(const protocol::TargetedEvent& event,
                                   const pipeline::ProcessContext& context) {
  base::SteadyTime begin = clock_.steady();
  Done done{event, begin < context.deadline
                       ? process_(source_event(event.event), context)
                       : base::transient("OUT_OF_TIME",
                                         "the invocation's time was used up before this object",
                                         "give the function more time or smaller batches")};
  log_outcome(done, context,
              std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady() - begin));
  return done;
}

base::Result<std::string> Handler::handle(const runtime::Invocation& invocation) {
  pipeline::ProcessContext context;
  context.request_id = invocation.request_id;
  context.deadline = clock_.steady() + (invocation.deadline - clock_.now()) - kDeadlineMargin;

  auto parsed = protocol::parse_events(invocation.payload);
  if (!parsed) {
    base::log_error("the event was not understood", {{"request_id", invocation.request_id},
                                                     {"code", parsed.error().code},
                                                     {"error", parsed.error().message}});
    return std::unexpected(parsed.error());
  }
  std::vector<Failure> failures;
  for (const auto& bad : parsed->errors) {
    base::log_error("a part of the event was not understood",
                    {{"request_id", invocation.request_id},
                     {"id", bad.target.id},
                     {"error", bad.error.message}});
    failures.push_back({bad.target, bad.error});
  }
  std::vector<Done> all;
  for (const auto& event : parsed->events) {
    all.push_back(process_one(event, context));
    cold_start_ = false;
    const auto& outcome = all.back().outcome;
    // Events of buckets that are not ours to serve are refused on purpose, not worked on later.
    if (!outcome && (outcome.error().code != "BUCKET_NOT_ALLOWED" ||
                     event.target.kind != FailureTarget::Kind::invocation))
      failures.push_back({event.target, outcome.error()});
  }
  cold_start_ = false;

  if (parsed->envelope == ParsedEvents::Envelope::sqs) return sqs_answer(failures);
  if (parsed->envelope == ParsedEvents::Envelope::batch_operations) {
    std::vector<BatchTaskResult> results;
    for (const auto& target : parsed->targets) {
      BatchTaskResult result{.task_id = target.id};
      for (const auto& done : all)
        if (done.event.target == target && done.outcome) {
          result.text = std::string(pipeline::to_string(done.outcome->kind));
          if (!done.outcome->reason.empty()) result.text += ": " + done.outcome->reason;
          if (done.outcome->kind == pipeline::Outcome::Kind::failed)
            result.code = BatchTaskResult::Code::permanent_failure;
        }
      for (const auto& failure : failures)
        if (failure.target == target) {
          result.code = failure.error.retryable ? BatchTaskResult::Code::temporary_failure
                                                : BatchTaskResult::Code::permanent_failure;
          result.text = failure.error.describe();
        }
      results.push_back(std::move(result));
    }
    return protocol::build_batch_operations_response(*parsed, results);
  }
  if (!failures.empty()) return std::unexpected(summary(failures, all.size()));
  boost::json::array results;
  for (const auto& done : all) {
    if (results.size() >= kResultsListedMax) break;
    boost::json::object result{{"bucket", done.event.event.bucket}, {"key", done.event.event.key}};
    if (done.outcome) {
      result["outcome"] = pipeline::to_string(done.outcome->kind);
      result["reason"] = done.outcome->reason;
    } else {
      result["outcome"] = "refused";
      result["reason"] = done.outcome.error().message;
    }
    results.push_back(std::move(result));
  }
  return boost::json::serialize(boost::json::object{{"results", std::move(results)}});
}

void Handler::log_outcome(const Done& done, const pipeline::ProcessContext& context,
                          std::chrono::milliseconds duration) const {
  const auto& event = done.event.event;
  boost::json::object fields{{"request_id", context.request_id},
                             {"bucket", event.bucket},
                             {"key", event.key},
                             {"event", event.event_name},
                             {"sequencer", event.sequencer},
                             {"duration_ms", duration.count()},
                             {"cold_start", cold_start_}};
  if (!done.outcome) {
    const auto& error = done.outcome.error();
    fields["outcome"] = "error";
    fields["code"] = error.code;
    fields["error"] = error.message;
    fields["retryable"] = error.retryable;
    base::log_error("object not processed", fields);
    return;
  }
  const auto& outcome = *done.outcome;
  fields["outcome"] = pipeline::to_string(outcome.kind);
  if (!outcome.reason.empty()) fields["reason"] = outcome.reason;
  if (outcome.record.error) fields["code"] = outcome.record.error->code;
  fields["size"] = outcome.record.size;
  fields["renditions"] = outcome.record.renditions.size();
  fields["attempts"] = outcome.record.attempts;
  boost::json::object timings;
  for (const auto& [step, milliseconds] : outcome.record.timings_ms) timings[step] = milliseconds;
  fields["timings_ms"] = std::move(timings);
  base::log_info("object processed", fields);
}

}  // namespace imgproc::bootstrap
