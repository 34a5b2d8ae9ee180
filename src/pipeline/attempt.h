#pragma once
// One attempt at one event: inside of Processor, split from it by size only.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "pipeline/download.h"
#include "pipeline/process_object.h"
#include "pipeline/rendition_store.h"

namespace imgproc::pipeline {

class Attempt {
 public:
  /// `repairs_left` bounds how often an attempt may start another one for the newer event that it
  /// met. A `forced` attempt works even if the record says that all is done.
  Attempt(const Processor::Parts& parts, const SourceEvent& event, const ProcessContext& context,
          int repairs_left, bool forced);

  [[nodiscard]] base::Result<Outcome> run();

 private:
  /// A rendition in memory on its way to its key.
  struct Made {
    std::string name;
    RenditionStore::Rendition rendition;
  };

  // attempt.cc: what the event asks for.
  [[nodiscard]] base::Result<Outcome> dispatch();
  [[nodiscard]] bool is_done(const ports::Record& record) const;
  [[nodiscard]] base::Result<Outcome> create();
  [[nodiscard]] base::Result<Outcome> remove();
  [[nodiscard]] base::Result<Outcome> refuse(const Refusal& refusal);
  [[nodiscard]] base::Result<ports::ImageResult> render(Download& download);
  [[nodiscard]] base::Result<std::vector<Made>> take_renditions(const Plan& plan,
                                                                const ports::ImageResult& result);
  void start_record();

  // attempt_commit.cc: putting it in place in spite of everybody else.
  [[nodiscard]] base::Result<Outcome> commit(const std::vector<Made>& made);
  [[nodiscard]] base::Result<std::optional<ports::Record>> claim(const std::vector<Made>& made);
  using Put = std::optional<base::Result<RenditionStore::PutResult>>;
  [[nodiscard]] std::vector<Put> put_all(const std::vector<Made>& made);
  [[nodiscard]] base::Result<Outcome> yield_to(ports::Record winner);
  [[nodiscard]] base::Result<bool> harmed(const ports::Record& winner);
  [[nodiscard]] base::Result<Outcome> repair(const ports::Record& record);
  bool inherit(const std::optional<ports::Record>& before, bool sweep);
  [[nodiscard]] ports::Record claim_record() const;
  void raise_noted(const base::Error& error);
  [[nodiscard]] Outcome outcome(Outcome::Kind kind, std::string reason) const;

  const Processor::Parts& parts_;
  SourceEvent event_;
  ProcessContext context_;
  int repairs_left_;
  bool forced_;
  std::string path_;
  RenditionStore renditions_;
  base::SteadyTime started_;
  /// Padded; the event's, or the one adopted for an event without.
  std::string sequencer_;
  /// What stood there when the attempt began.
  std::optional<ports::Record> prior_;
  /// What is to stand there in the end.
  ports::Record record_;
  /// What stands there while the attempt works.
  ports::Record claimed_;
  /// Keys of older renditions that ours do not replace, by a name for the claim.
  std::map<std::string, ports::RenditionRecord> obsolete_;
  std::set<std::string> own_keys_;
  /// Keys that we removed, or where we replaced something: there a newer event's equal bytes may
  /// have been hit (see attempt_commit.cc).
  std::set<std::string> touched_;
  bool verify_ = false;
};

}  // namespace imgproc::pipeline
