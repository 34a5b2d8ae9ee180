#pragma once
// A whole world in memory for tests of the pipeline: stores, an engine, a clock, and S3's
// sequencers.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "pipeline/process_object.h"
#include "pipeline/rendition_store.h"
#include "ports/memory_blob_store.h"
#include "ports/memory_record_store.h"

namespace imgproc::pipeline {

/// Renders text: a source is "\xff\xd8\xff" and then commands. "corrupt" is a permanent failure,
/// "busy" a passing one, "slow" a time-out, "alpha" makes automatic formats WebP, "half" fails the
/// last rendition. Equal sources give equal bytes, as a real engine does.
class FakeEngine final : public ports::ImageEngine {
 public:
  base::Result<std::unique_ptr<ports::ImageJob>> open(std::size_t input_bytes) override {
    return std::make_unique<Job>(input_bytes, *this);
  }
  int runs = 0;
  ports::ImageOrder last_order;

 private:
  class Job final : public ports::ImageJob {
   public:
    Job(std::size_t size, FakeEngine& engine) : input_(size), engine_(engine) {}
    std::span<std::byte> input() override { return input_; }
    base::Result<ports::ImageResult> run(const ports::ImageOrder& order) override {
      ++engine_.runs;
      engine_.last_order = order;
      const std::string text(base::as_text(input_));
      const auto says = [&](std::string_view word) { return text.find(word) != std::string::npos; };
      if (says("busy")) return base::transient("ENGINE_BUSY", "no decoder is free");
      ports::ImageResult result;
      result.metadata.format = "jpeg";
      result.metadata.content_type = "image/jpeg";
      result.metadata.width = 640;
      result.metadata.height = 480;
      result.timings_ms["decode"] = 1;
      if (says("corrupt"))
        result.error = base::Error{.code = ports::kCorruptImage, .message = "no picture in it"};
      if (says("slow"))
        result.error = base::Error{.code = ports::kDecodeTimeout, .message = "took too long"};
      if (result.error) return result;
      for (const auto& spec : order.renditions) {
        auto& made = result.renditions.emplace_back();
        made.name = spec.name;
        made.format = spec.format;
        if (spec.format == ports::OutputFormat::automatic)
          made.format = says("alpha") ? ports::OutputFormat::webp : ports::OutputFormat::jpeg;
        made.width = spec.width;
        made.height = spec.height;
        outputs_.push_back(std::make_unique<std::string>(spec.name + "|" + text));
        made.bytes = base::as_bytes(*outputs_.back());
      }
      if (says("half"))
        result.renditions.back().error =
            base::Error{.code = "ENCODE_FAILED", .message = "too large for the format"};
      return result;
    }

   private:
    std::vector<std::byte> input_;
    FakeEngine& engine_;
    std::vector<std::unique_ptr<std::string>> outputs_;
  };
};

/// What the clients of real stores do: a call that failed with an error that may pass is sent
/// again, so that a write whose answer got lost is done twice, and its second answer tells of the
/// first.
class ResendingRecordStore final : public ports::RecordStore {
 public:
  explicit ResendingRecordStore(ports::RecordStore& inner) : inner_(inner) {}
  base::Result<std::optional<ports::Record>> get(std::string_view path) override {
    auto result = inner_.get(path);
    return may_pass(result) ? inner_.get(path) : result;
  }
  base::Result<ports::PutOutcome> put_if_not_older(const ports::Record& record) override {
    auto result = inner_.put_if_not_older(record);
    return may_pass(result) ? inner_.put_if_not_older(record) : result;
  }
  base::Result<ports::Replacement> replace_if_not_older(const ports::Record& record) override {
    auto result = inner_.replace_if_not_older(record);
    return may_pass(result) ? inner_.replace_if_not_older(record) : result;
  }

  template <class Result>
  static bool may_pass(const Result& result) {
    return !result && result.error().retryable;
  }

 private:
  ports::RecordStore& inner_;
};

class ResendingBlobStore final : public ports::BlobStore {
 public:
  explicit ResendingBlobStore(ports::BlobStore& inner) : inner_(inner) {}
  /// A download is taken up again by the client itself; nothing is done twice by it.
  base::Result<ports::BlobInfo> get(std::string_view bucket, std::string_view key,
                                    const ports::GetOptions& options,
                                    const ports::BlobSink& sink) override {
    return inner_.get(bucket, key, options, sink);
  }
  base::Result<ports::BlobInfo> head(std::string_view bucket, std::string_view key) override {
    auto result = inner_.head(bucket, key);
    return ResendingRecordStore::may_pass(result) ? inner_.head(bucket, key) : result;
  }
  base::Result<ports::BlobInfo> put(std::string_view bucket, std::string_view key,
                                    std::span<const std::byte> bytes,
                                    const ports::PutOptions& options) override {
    auto result = inner_.put(bucket, key, bytes, options);
    return ResendingRecordStore::may_pass(result) ? inner_.put(bucket, key, bytes, options)
                                                  : result;
  }
  base::Status remove(std::string_view bucket, std::string_view key,
                      const std::string& if_match) override {
    auto result = inner_.remove(bucket, key, if_match);
    return ResendingRecordStore::may_pass(result) ? inner_.remove(bucket, key, if_match) : result;
  }

 private:
  ports::BlobStore& inner_;
};

inline std::string jpeg(std::string_view text) {
  return "\xff\xd8\xff" + std::string(text);
}

inline constexpr std::string_view kTwoRenditions =
    R"({"recipes":[{"renditions":{"small":{"width":96},"large":{"width":1024,"format":"auto"}}}]})";

struct World {
  explicit World(std::string_view config_text = kTwoRenditions, bool versioned = false)
      : config(*parse_config(config_text)), source(versioned) {
    source.create_bucket("source");
    destination.create_bucket("renditions");
  }

  [[nodiscard]] ports::BlobStore& destination_port() {
    if (clients_resend) return resending_destination;
    return destination;
  }
  [[nodiscard]] ports::RecordStore& records_port() {
    if (clients_resend) return resending_records;
    return records;
  }
  [[nodiscard]] Processor processor() {
    return Processor({.config = config,
                      .source = source,
                      .destination = destination_port(),
                      .records = records_port(),
                      .engine = engine,
                      .clock = clock,
                      .destination_bucket = "renditions",
                      .source_buckets = {},
                      .uploads_max = uploads_max});
  }

  /// Puts an object and gives the event that S3 would send.
  SourceEvent put(const std::string& key, std::string_view bytes,
                  const ports::PutOptions& options = {}) {
    const auto info = source.put("source", key, base::as_bytes(bytes), options);
    EXPECT_TRUE(info);
    return {.kind = SourceEvent::Kind::created,
            .bucket = "source",
            .key = key,
            .version_id = info->version_id,
            .etag = info->etag,
            .size = bytes.size(),
            .sequencer = next_sequencer(),
            .time = clock.now()};
  }
  SourceEvent remove(const std::string& key) {
    EXPECT_TRUE(source.remove("source", key));
    return {.kind = SourceEvent::Kind::removed,
            .bucket = "source",
            .key = key,
            .version_id = {},
            .etag = {},
            .size = {},
            .sequencer = next_sequencer(),
            .time = clock.now()};
  }
  /// Of different lengths, as S3's may be.
  std::string next_sequencer() {
    ++counter;
    return fmt::format("{:08X}{}", counter, counter % 2 == 0 ? "5A" : "");
  }

  base::Result<Outcome> process(const SourceEvent& event) {
    return processor().process(event, {.request_id = "request-1"});
  }
  /// The record of source/key; an empty one if there is none.
  ports::Record record(std::string_view key) {
    const auto found = records.get("source/" + std::string(key));
    return found && *found ? **found : ports::Record{};
  }

  /// The state of the newest event, whatever came before: the destination holds just what the
  /// record lists, made of what the source holds now.
  void expect_consistent(const std::string& key, const SourceEvent& newest,
                         const std::string& trace = {}) {
    const ports::Record found = record(key);
    ASSERT_EQ(found.sequencer, ports::pad_sequencer(newest.sequencer)) << trace;
    std::vector<std::string> listed;
    for (const auto& [name, rendition] : found.renditions) {
      EXPECT_EQ(rendition.state, ports::RenditionState::ready) << name << "\n" << trace;
      listed.push_back(rendition.key);
      const std::string bytes = name + "|" + source.content("source", key);
      EXPECT_EQ(destination.content("renditions", rendition.key), bytes) << trace;
      const auto info = destination.head("renditions", rendition.key);
      ASSERT_TRUE(info) << rendition.key << "\n" << trace;
      EXPECT_EQ(info->metadata.at(kMetaSequencer), found.sequencer) << trace;
      EXPECT_EQ(info->etag, rendition.etag) << trace;
    }
    std::ranges::sort(listed);
    EXPECT_EQ(destination.keys("renditions"), listed) << trace;
    if (newest.kind == SourceEvent::Kind::removed) {
      EXPECT_EQ(found.status, ports::RecordStatus::deleted) << trace;
      EXPECT_TRUE(found.renditions.empty()) << trace;
      EXPECT_TRUE(found.expires_at) << trace;
    } else {
      EXPECT_EQ(found.status, ports::RecordStatus::ready) << trace;
      EXPECT_EQ(found.renditions.size(), 2U) << trace;
      EXPECT_EQ(found.sha256, base::sha256_hex(source.content("source", key))) << trace;
    }
  }

  Config config;
  ports::MemoryBlobStore source;
  ports::MemoryBlobStore destination;
  ports::MemoryRecordStore records;
  ResendingBlobStore resending_destination{destination};
  ResendingRecordStore resending_records{records};
  bool clients_resend = false;
  std::size_t uploads_max = 1;
  FakeEngine engine;
  base::ManualClock clock;
  int counter = 0;
};

}  // namespace imgproc::pipeline
