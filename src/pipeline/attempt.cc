#include "pipeline/attempt.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/time.h"
#include "pipeline/plan.h"

namespace imgproc::pipeline {
namespace {

using ports::RecordStatus;
using ports::RenditionState;

std::string path_of(const SourceEvent& event) {
  return event.bucket + "/" + event.key;
}

double milliseconds(base::SteadyTime from, base::SteadyTime to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

ports::RecordError record_error(const base::Error& error) {
  return {.code = error.code, .message = error.message, .retryable = error.retryable};
}

/// Comes after every event up to `sequencer` and before every later one, which differs within the
/// padded width.
std::string just_after(const std::string& sequencer) {
  return sequencer + "1";
}

}  // namespace

Attempt::Attempt(const Processor::Parts& parts, const SourceEvent& event,
                 const ProcessContext& context, int repairs_left, bool forced)
    : parts_(parts),
      event_(event),
      context_(context),
      repairs_left_(repairs_left),
      forced_(forced),
      path_(path_of(event)),
      renditions_(parts.destination, parts.destination_bucket, path_),
      started_(parts.clock.steady()) {}

base::Result<Outcome> Attempt::run() {
  auto done = dispatch();
  if (!done) raise_noted(done.error());
  return done;
}

base::Result<Outcome> Attempt::dispatch() {
  IMGPROC_TRY(prior_, parts_.records.get(path_));
  sequencer_ = ports::pad_sequencer(event_.sequencer);
  if (sequencer_.empty() && prior_)
    sequencer_ =
        prior_->status == RecordStatus::deleted ? just_after(prior_->sequencer) : prior_->sequencer;
  start_record();
  if (prior_ && prior_->sequencer > sequencer_) return yield_to(*prior_);
  if (prior_ && prior_->sequencer == sequencer_ && !forced_ && is_done(*prior_))
    return yield_to(*prior_);
  inherit(prior_, prior_ && prior_->status != RecordStatus::ready);
  return event_.kind == SourceEvent::Kind::removed ? remove() : create();
}

void Attempt::start_record() {
  record_.path = path_;
  record_.bucket = event_.bucket;
  record_.key = event_.key;
  record_.version_id = event_.version_id;
  record_.etag = event_.etag;
  record_.size = event_.size.value_or(0);
  record_.sequencer = sequencer_;
  record_.timestamp =
      base::to_iso8601(event_.time == base::SystemTime{} ? parts_.clock.now() : event_.time);
  record_.request_id = context_.request_id;
  const bool repeated = prior_ && prior_->sequencer == sequencer_;
  record_.attempts = repeated ? prior_->attempts + 1 : 1;
}

/// An event without a sequencer is an order to look again: then the object's ETag decides, once the
/// object is known (DownloadOrder::etag_done), and a failure is tried anew.
bool Attempt::is_done(const ports::Record& record) const {
  if (event_.kind == SourceEvent::Kind::removed)
    return record.status == RecordStatus::deleted && record.renditions.empty();
  if (event_.sequencer.empty()) return false;
  const bool ended = record.status == RecordStatus::ready ||
                     record.status == RecordStatus::skipped ||
                     record.status == RecordStatus::failed;
  const auto plan = make_plan(parts_.config, event_.key, record.metadata.content_type);
  return ended && record.recipe == (plan ? plan->fingerprint : "");
}

base::Result<Outcome> Attempt::create() {
  const auto& recipes = parts_.config.recipes;
  if (std::ranges::none_of(recipes, [&](const auto& r) { return may_match(r.match, event_.key); }))
    return refuse({.status = RecordStatus::skipped, .reason = no_recipe(event_.key, "")});
  if (event_.size && *event_.size > parts_.config.limits.max_bytes)
    return refuse({.status = RecordStatus::failed,
                   .reason = too_many_bytes(*event_.size, parts_.config.limits.max_bytes)});

  DownloadOrder order{
      .bucket = event_.bucket, .key = event_.key, .version_id = event_.version_id, .etag_done = {}};
  if (event_.sequencer.empty() && !forced_ && prior_ && prior_->status == RecordStatus::ready) {
    const auto plan = make_plan(parts_.config, event_.key, prior_->metadata.content_type);
    if (plan && plan->fingerprint == prior_->recipe) order.etag_done = prior_->etag;
  }
  const auto download_started = parts_.clock.steady();
  IMGPROC_TRY(Download download,
              pipeline::download(parts_.config, parts_.source, parts_.engine, order));
  record_.timings_ms["download"] = milliseconds(download_started, parts_.clock.steady());
  // If the object was overwritten meanwhile, what stands now is taken: of two writes at once S3 may
  // tell of one only, and if it tells of both, the later event does the same once more.
  if (!download.info.etag.empty()) {
    record_.etag = download.info.etag;
    record_.size = download.info.size;
    if (!download.info.version_id.empty()) record_.version_id = download.info.version_id;
  }
  record_.metadata.content_type = download.media_type;
  record_.sha256 = download.sha256;
  if (download.plan) record_.recipe = download.plan->fingerprint;
  if (download.refusal) {
    if (download.refusal->reason.code == kUnchanged) return yield_to(*prior_);
    return refuse(*download.refusal);
  }

  IMGPROC_TRY(const ports::ImageResult result, render(download));
  record_.metadata = result.metadata;
  for (const auto& [step, spent] : result.timings_ms) record_.timings_ms[step] = spent;
  if (result.error) return refuse({.status = RecordStatus::failed, .reason = *result.error});
  IMGPROC_TRY(const auto made, take_renditions(*download.plan, result));
  return commit(made);
}

base::Result<ports::ImageResult> Attempt::render(Download& download) {
  std::chrono::milliseconds time = kEngineTimeMax;
  bool shortened = false;
  if (context_.deadline != base::SteadyTime::max()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        context_.deadline - parts_.clock.steady() - kStoreTimeReserve);
    if (left <= std::chrono::milliseconds::zero())
      return base::transient("DEADLINE_EXCEEDED", "no time is left for the image itself",
                             "give the function a longer timeout or more memory");
    shortened = left < time;
    time = std::min(time, left);
  }
  const ports::ImageOrder order{.limits = parts_.config.limits,
                                .renditions = download.plan->renditions,
                                .timeout_ms = static_cast<std::uint32_t>(time.count())};
  IMGPROC_TRY(ports::ImageResult result, download.job->run(order));
  // With the whole time for itself the image may well succeed.
  if (result.error && shortened && result.error->code == ports::kDecodeTimeout)
    result.error->retryable = true;
  if (result.error && result.error->retryable) return std::unexpected(*result.error);
  if (!result.error && result.renditions.size() != order.renditions.size())
    return base::transient(
        "ENGINE_ERROR", fmt::format("{} renditions were ordered, {} came", order.renditions.size(),
                                    result.renditions.size()));
  return result;
}

base::Result<std::vector<Attempt::Made>> Attempt::take_renditions(
    const Plan& plan, const ports::ImageResult& result) {
  std::vector<Made> made;
  for (std::size_t i = 0; i < plan.renditions.size(); ++i) {
    const auto& from = result.renditions[i];
    const std::string& name = plan.renditions[i].name;
    auto key = parts_.config.destination.key.expand(event_.bucket, event_.key, name,
                                                    ports::extension(from.format));
    std::optional<base::Error> error = from.error;
    if (!error && !key) error = key.error();
    if (error && error->retryable) return std::unexpected(*error);
    auto& listed = record_.renditions[name];
    listed.key = key.value_or("");
    listed.format = ports::to_string(from.format);
    if (error) {
      listed.state = RenditionState::failed;
      listed.error = record_error(*error);
      continue;
    }
    listed.state = RenditionState::planned;
    listed.width = from.width;
    listed.height = from.height;
    listed.size = from.bytes.size();
    made.push_back({.name = name,
                    .rendition = {.key = *key,
                                  .bytes = from.bytes,
                                  .content_type = std::string(ports::media_type(from.format)),
                                  .cache_control = parts_.config.destination.cache_control,
                                  .recipe = plan.fingerprint}});
  }
  record_.status = RecordStatus::ready;
  for (const auto& [name, listed] : record_.renditions) {
    if (listed.state != RenditionState::failed) continue;
    record_.status = RecordStatus::failed;
    record_.error =
        ports::RecordError{.code = listed.error->code,
                           .message = fmt::format("rendition {}: {}", name, listed.error->message)};
    break;
  }
  return made;
}

base::Result<Outcome> Attempt::refuse(const Refusal& refusal) {
  record_.status = refusal.status;
  record_.error = record_error(refusal.reason);
  record_.error->retryable = false;
  if (record_.recipe.empty() && refusal.status == RecordStatus::failed) {
    const auto plan = make_plan(parts_.config, event_.key, record_.metadata.content_type);
    if (plan) record_.recipe = plan->fingerprint;
  }
  return commit({});
}

/// Removing one version of a versioned object may leave the object, or bring an older version to
/// light: then the object as it stands is handled, at the place in time of the removal.
base::Result<Outcome> Attempt::remove() {
  if (!event_.version_id.empty() && !event_.delete_marker) {
    const auto current = parts_.source.head(event_.bucket, event_.key);
    if (current) {
      event_.kind = SourceEvent::Kind::created;
      event_.version_id.clear();
      event_.etag.clear();
      event_.size = current->size;
      start_record();
      return create();
    }
    if (current.error().code != ports::kNoSuchKey) return std::unexpected(current.error());
  }
  record_.status = RecordStatus::deleted;
  record_.etag.clear();
  record_.size = 0;
  record_.expires_at = std::chrono::duration_cast<std::chrono::seconds>(
                           (parts_.clock.now() + kTombstoneTtl).time_since_epoch())
                           .count();
  return commit({});
}

}  // namespace imgproc::pipeline
