// Putting the result of an attempt in place, against every other attempt at the same object.
//
// Attempts at one object run at once, in any order, more than once, and die anywhere. What orders
// them is the sequencer of their event, and the record, which is written only forwards. The rules:
//
//  1. Claim first. Before an attempt touches a rendition it writes a record (PROCESSING, or
//  DELETED)
//     that lists every key it will write and every key it will remove. Whoever replaces a record
//     takes over the keys listed there (replace_if_not_older() tells them atomically), so that at
//     every moment every rendition in the store is listed by the record or belongs to a running
//     attempt.
//  2. Renditions are put and removed under If-Match / If-None-Match, and never over a newer
//  event's.
//  3. The final record is the commit point, written last. If it is refused, a newer event has
//  claimed
//     the object, and the loser yields: it removes what it may have left and the winner does not
//     list (the winner cannot: it may have removed those keys before the loser wrote them). An
//     event that finds itself late from the start yields too, since an attempt of its own may have
//     died half way.
//     A repeated event whose record is complete yields to that record in the same way.
//  4. ETags are digests of the bytes: If-Match cannot tell an old rendition from a newer event's
//  equal
//     bytes. A loser can so overwrite or remove a newer rendition between looking and writing. It
//     learns of it in step 3, since by rule 1 the newer event had claimed before: then the loser
//     checks the winner's renditions, and if one is missing or older, or could be while the winner
//     still works, handles the winner's event once more itself. All steps of one event may be
//     repeated, also by two at once, since they write the same bytes under the same sequencer.
//  5. If a loser died before it could yield, its event is delivered again (rule 3). Should the
//  winner
//     meet the claim of an unfinished older attempt, it checks its renditions after its commit.
//  6. An attempt that finds a record that is not READY sweeps all keys that the configuration could
//  give
//     the object: one that died may have taken over keys that it had no time to list, and two
//     attempts at one event may end differently if the source changed between them.
//  7. Whoever finds at its commit that another attempt at the same event wrote in between removes
//  once
//     more what it does not want of the other's, and checks that what it wants stands.
//  8. Whoever is told that its own record stood there before wrote it twice: the answer to the
//  first time
//     got lost, and a client sent it again. What stood there before is not known then, and may have
//     been complete, so all keys that the configuration could give are swept as in rule 6.

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/log.h"
#include "base/time.h"
#include "pipeline/attempt.h"
#include "pipeline/plan.h"

namespace imgproc::pipeline {
namespace {

using ports::PutOutcome;
using ports::Record;
using ports::RecordStatus;
using ports::RenditionRecord;
using ports::RenditionState;

constexpr int kClaimsMax = 4;
constexpr int kYieldRoundsMax = 4;

/// Keys to be removed stand in claims under names that no rendition can have.
constexpr char kObsoleteMark = '~';

bool is_obsolete(const std::string& name) {
  return name.starts_with(kObsoleteMark);
}

/// Someone may be at work on what the record lists, or has died over it.
bool is_unfinished(const Record& record) {
  return record.status == RecordStatus::processing ||
         (record.status == RecordStatus::deleted && !record.renditions.empty());
}

/// Keys where the record's event wants a rendition to stand.
std::set<std::string> wanted_keys(const Record& record) {
  std::set<std::string> keys;
  if (record.status == RecordStatus::deleted) return keys;
  for (const auto& [name, rendition] : record.renditions)
    if (!is_obsolete(name) && !rendition.key.empty()) keys.insert(rendition.key);
  return keys;
}

/// As far as it matters: two attempts that claim the same do the same.
bool is_same_claim(const Record& a, const Record& b) {
  return a.status == b.status && a.renditions == b.renditions;
}

/// Whether `before` is what this attempt itself wrote (rule 8). An equal record of another attempt
/// at the same event is taken for it too, which costs a sweep.
bool is_own_write(const Record& before, const Record& written) {
  return is_same_claim(before, written) && before.sequencer == written.sequencer &&
         before.request_id == written.request_id && before.processed_at == written.processed_at;
}

bool lists_all(const Record& record, const std::set<std::string>& keys) {
  const auto wanted = wanted_keys(record);
  return std::ranges::includes(wanted, keys);
}

Outcome::Kind kind_of(RecordStatus status) {
  switch (status) {
    case RecordStatus::ready:
      return Outcome::Kind::ready;
    case RecordStatus::skipped:
      return Outcome::Kind::skipped;
    case RecordStatus::deleted:
      return Outcome::Kind::deleted;
    case RecordStatus::failed:
    case RecordStatus::processing:
      break;
  }
  return Outcome::Kind::failed;
}

}  // namespace

/// Takes over the keys that `before` lists and we do not write; with `sweep` all that could be
/// there. Returns whether that added any.
bool Attempt::inherit(const std::optional<Record>& before, bool sweep) {
  bool added = false;
  const auto take = [&](const std::string& key) {
    if (key.empty() || own_keys_.contains(key) || obsolete_.contains(key)) return;
    obsolete_[key] = RenditionRecord{.key = key, .state = RenditionState::skipped};
    added = true;
  };
  if (before)
    for (const auto& [name, rendition] : before->renditions) take(rendition.key);
  if (sweep)
    for (const auto& key : possible_keys(parts_.config, event_.bucket, event_.key)) take(key);
  return added;
}

Record Attempt::claim_record() const {
  Record claim = record_;
  if (claim.status != RecordStatus::deleted) {
    claim.status = RecordStatus::processing;
    claim.error.reset();
  }
  std::size_t number = 0;
  for (const auto& [key, rendition] : obsolete_)
    claim.renditions.emplace(fmt::format("{}{}", kObsoleteMark, number++), rendition);
  return claim;
}

/// Nullopt if the object is ours now, else the newer record.
base::Result<std::optional<Record>> Attempt::claim(const std::vector<Made>& made) {
  for (const auto& one : made) {
    own_keys_.insert(one.rendition.key);
    obsolete_.erase(one.rendition.key);
  }
  if (forced_ && prior_ && prior_->sequencer == sequencer_ && lists_all(*prior_, own_keys_)) {
    claimed_ = *prior_;
    return std::optional<Record>{};
  }
  for (int round = 0; round < kClaimsMax; ++round) {
    const bool final_at_once = made.empty() && obsolete_.empty();
    record_.processed_at = base::to_iso8601(parts_.clock.now());
    const Record written = final_at_once ? record_ : claim_record();
    IMGPROC_TRY(const auto replaced, parts_.records.replace_if_not_older(written));
    if (replaced.outcome == PutOutcome::superseded) return replaced.before;
    const bool first = round == 0;
    const bool met_unfinished = first && replaced.before && is_unfinished(*replaced.before);
    const bool answer_lost = replaced.before && is_own_write(*replaced.before, written);
    // Whose claim was hidden by the lost answer cannot be told: it may be an unfinished older one.
    if ((met_unfinished && replaced.before->sequencer < sequencer_) || answer_lost) verify_ = true;
    claimed_ = written;
    if (!inherit(replaced.before, met_unfinished || answer_lost)) return std::optional<Record>{};
  }
  return base::transient("CONTENDED", "other attempts kept changing the record");
}

/// Puts up to uploads_max renditions at once, in any order: the claim lists them all (rule 1). None
/// is begun after one has failed; what was not begun is nullopt.
std::vector<Attempt::Put> Attempt::put_all(const std::vector<Made>& made) {
  std::vector<Put> puts(made.size());
  const std::set<std::string> there = prior_ ? wanted_keys(*prior_) : std::set<std::string>{};
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> failed = false;
  const auto work = [&] {
    while (!failed) {
      const std::size_t i = next++;
      if (i >= made.size()) return;
      const auto& rendition = made[i].rendition;
      puts[i] = renditions_.put(rendition, sequencer_, there.contains(rendition.key));
      if (!*puts[i] || !(*puts[i])->written) failed = true;
    }
  };
  std::vector<std::jthread> helpers;
  for (std::size_t i = 1; i < std::min(parts_.uploads_max, made.size()); ++i)
    helpers.emplace_back(work);
  work();
  helpers.clear();  // waits for them
  return puts;
}

base::Result<Outcome> Attempt::commit(const std::vector<Made>& made) {
  IMGPROC_TRY(const auto newer, claim(made));
  if (newer) return yield_to(*newer);
  const auto upload_started = parts_.clock.steady();
  std::vector<Put> puts = put_all(made);
  for (std::size_t i = 0; i < made.size(); ++i)
    if (puts[i] && *puts[i] && (*puts[i])->replaced) touched_.insert(made[i].rendition.key);
  for (std::size_t i = 0; i < made.size(); ++i) {
    if (!puts[i]) continue;  // one of the others has failed
    const auto& one = made[i];
    IMGPROC_TRY(const auto put, *std::move(puts[i]));
    if (!put.written) {
      IMGPROC_TRY(auto winner, parts_.records.get(path_));
      if (winner && winner->sequencer > sequencer_) return yield_to(std::move(*winner));
      return base::transient("CONTENDED", fmt::format("{} stems from a newer event that has no "
                                                      "record",
                                                      one.rendition.key));
    }
    auto& listed = record_.renditions[one.name];
    listed.etag = put.etag;
    listed.state = RenditionState::ready;
  }
  for (const auto& [key, rendition] : obsolete_) {
    IMGPROC_TRY(const bool removed, renditions_.remove(key, sequencer_));
    if (removed) touched_.insert(key);
  }
  const auto now = parts_.clock.steady();
  record_.timings_ms["store"] =
      std::chrono::duration<double, std::milli>(now - upload_started).count();
  record_.timings_ms["total"] = std::chrono::duration<double, std::milli>(now - started_).count();
  record_.processed_at = base::to_iso8601(parts_.clock.now());

  if (forced_ || !made.empty() || !obsolete_.empty()) {
    IMGPROC_TRY(const auto replaced, parts_.records.replace_if_not_older(record_));
    if (replaced.outcome == PutOutcome::superseded) return yield_to(*replaced.before);
    if (replaced.before && !is_same_claim(*replaced.before, claimed_)) {
      std::set<std::string> others;
      for (const auto& [name, rendition] : replaced.before->renditions)
        others.insert(rendition.key);
      if (is_own_write(*replaced.before, record_))
        for (auto& key : possible_keys(parts_.config, event_.bucket, event_.key))
          others.insert(std::move(key));
      for (const auto& key : others)
        if (!key.empty() && !own_keys_.contains(key))
          IMGPROC_CHECK(renditions_.remove(key, sequencer_));
      verify_ = true;
    }
  }
  if (verify_) {
    IMGPROC_TRY(const bool needs_repair, harmed(record_));
    if (needs_repair) return repair(record_);
  }
  return outcome(kind_of(record_.status), record_.error ? record_.error->message : "");
}

/// Rule 3; `winner` is newer, or our own event's record, complete. Leaves nothing of ours that the
/// winner does not want, and no harm to what it wants.
base::Result<Outcome> Attempt::yield_to(Record winner) {
  for (const auto& key : possible_keys(parts_.config, event_.bucket, event_.key))
    own_keys_.insert(key);
  for (int round = 0;; ++round) {
    if (round == kYieldRoundsMax)
      return base::transient("CONTENDED",
                             "newer events kept coming while this one was cleared away");
    bool removed_any = false;
    const auto wanted = wanted_keys(winner);
    for (const auto& key : own_keys_) {
      if (wanted.contains(key)) continue;
      IMGPROC_TRY(const bool removed, renditions_.remove(key, sequencer_));
      if (removed) touched_.insert(key);
      removed_any = removed_any || removed;
    }
    if (!removed_any && touched_.empty()) break;
    // What we decided on may be out of date.
    IMGPROC_TRY(auto now, parts_.records.get(path_));
    if (!now) break;
    const bool settled = now->sequencer == winner.sequencer && wanted_keys(*now) == wanted;
    winner = std::move(*now);
    if (settled) break;
  }
  IMGPROC_TRY(const bool needs_repair, harmed(winner));
  if (needs_repair) return repair(winner);
  record_ = winner;
  if (winner.sequencer == sequencer_)
    return outcome(Outcome::Kind::unchanged, "this event has been handled already");
  return outcome(Outcome::Kind::superseded, "a newer event has the say about this object");
}

/// Rule 4: whether a rendition that `winner` wants is missing or older, or may come to be so by us.
base::Result<bool> Attempt::harmed(const Record& winner) {
  const bool working = winner.status == RecordStatus::processing;
  for (const auto& [name, rendition] : winner.renditions) {
    if (is_obsolete(name) || rendition.key.empty() || winner.status == RecordStatus::deleted)
      continue;
    if (!working && rendition.state != RenditionState::ready) continue;
    if (working && touched_.contains(rendition.key)) return true;
    IMGPROC_TRY(const auto standing, renditions_.sequencer_at(rendition.key));
    // While the winner works nothing may stand there yet, but if ours does we may have replaced
    // its.
    if (working ? standing == sequencer_ : !standing || *standing < winner.sequencer) return true;
  }
  return false;
}

/// Handles the event of `record` once more, as if it had been delivered again.
base::Result<Outcome> Attempt::repair(const Record& record) {
  if (repairs_left_ == 0)
    return base::transient("CONTENDED", "events for this object keep overtaking each other");
  const SourceEvent event{.kind = SourceEvent::Kind::created,
                          .bucket = record.bucket,
                          .key = record.key,
                          .version_id = record.version_id,
                          .etag = record.etag,
                          .size = std::nullopt,
                          .sequencer = record.sequencer,
                          .time = base::from_iso8601(record.timestamp).value_or(base::SystemTime{}),
                          .delete_marker = false};
  return Attempt(parts_, event, context_, repairs_left_ - 1, /*forced=*/true).run();
}

/// Notes the error in the record, as far as that is possible; the error itself is raised anyway. A
/// record that another attempt at the same event has ended meanwhile is left alone.
void Attempt::raise_noted(const base::Error& error) {
  if (record_.path.empty() || forced_) return;
  const auto standing = parts_.records.get(path_);
  if (!standing) return;
  if (*standing) {
    if ((*standing)->sequencer > sequencer_) return;
    if ((*standing)->sequencer == sequencer_ && !is_unfinished(**standing)) return;
    inherit(*standing, false);
  }
  Record noted = claim_record();
  for (auto& [name, rendition] : noted.renditions)
    if (rendition.state == RenditionState::ready) rendition.state = RenditionState::planned;
  noted.error = ports::RecordError{
      .code = error.code, .message = error.message, .retryable = error.retryable};
  noted.processed_at = base::to_iso8601(parts_.clock.now());
  if (const auto put = parts_.records.put_if_not_older(noted); !put)
    base::log_warn("the error could not be noted in the record",
                   {{"path", path_}, {"code", put.error().code}});
}

Outcome Attempt::outcome(Outcome::Kind kind, std::string reason) const {
  return Outcome{.kind = kind, .record = record_, .reason = std::move(reason)};
}

}  // namespace imgproc::pipeline
