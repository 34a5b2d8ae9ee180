#include "pipeline/process_object.h"

#include <fmt/format.h>

#include <algorithm>

#include "pipeline/attempt.h"

namespace imgproc::pipeline {
namespace {

/// An attempt that finds a newer event's work harmed handles that event itself; and so on, but not
/// for ever.
constexpr int kRepairsMax = 3;

}  // namespace

std::string_view to_string(Outcome::Kind kind) {
  switch (kind) {
    case Outcome::Kind::ready:
      return "ready";
    case Outcome::Kind::failed:
      return "failed";
    case Outcome::Kind::skipped:
      return "skipped";
    case Outcome::Kind::deleted:
      return "deleted";
    case Outcome::Kind::unchanged:
      return "unchanged";
    case Outcome::Kind::superseded:
      return "superseded";
  }
  return "";
}

base::Result<Outcome> Processor::process(const SourceEvent& event,
                                         const ProcessContext& context) const {
  const auto& allowed = parts_.source_buckets;
  if (!allowed.empty() && std::ranges::find(allowed, event.bucket) == allowed.end())
    return base::permanent("BUCKET_NOT_ALLOWED",
                           fmt::format("events of the bucket {} are not accepted", event.bucket),
                           "add it to SOURCE_BUCKET, or remove its notification");
  return Attempt(parts_, event, context, kRepairsMax, /*forced=*/false).run();
}

}  // namespace imgproc::pipeline
