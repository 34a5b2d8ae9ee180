#include "pipeline/download.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/hash.h"
#include "pipeline/media_type.h"
#include "pipeline/rendition_store.h"

namespace imgproc::pipeline {
namespace {

using ports::RecordStatus;

/// Ends the transfer; what is wrong stands in Download::refusal.
base::Status stop() {
  return base::permanent("STOPPED", "the rest of the object is not needed");
}

bool is_gone(const base::Error& error) {
  return error.code == ports::kNoSuchKey || error.code == "NoSuchVersion" ||
         error.http_status == 405;  // the version asked for is a delete marker
}

class Receiver {
 public:
  Receiver(const Config& config, ports::ImageEngine& engine, const DownloadOrder& order,
           Download& target)
      : config_(config), engine_(engine), order_(order), target_(target) {}

  base::Status begin(const ports::BlobInfo& info) {
    target_.info = info;
    const auto generated = info.metadata.find(kMetaGenerated);
    if (generated != info.metadata.end() && generated->second == "true")
      return refuse(RecordStatus::skipped,
                    {.code = kGenerated,
                     .message = "this object is a rendition made here",
                     .hint = "take another bucket for the renditions than for the sources"});
    if (!order_.etag_done.empty() && info.etag == order_.etag_done)
      return refuse(RecordStatus::skipped,
                    {.code = kUnchanged, .message = "this object has been handled already"});
    if (info.size > config_.limits.max_bytes)
      return refuse(RecordStatus::failed, too_many_bytes(info.size, config_.limits.max_bytes));
    if (info.size == 0)
      return refuse(RecordStatus::failed,
                    {.code = ports::kEmptyObject, .message = "the object has no bytes"});
    IMGPROC_TRY(target_.job, engine_.open(static_cast<std::size_t>(info.size)));
    return {};
  }

  base::Status write(std::span<const std::byte> bytes) {
    const auto room = target_.job->input();
    if (bytes.size() > room.size() - received_) return wrong_size();
    std::memcpy(room.data() + received_, bytes.data(), bytes.size());
    received_ += bytes.size();
    hasher_.update(base::as_text(bytes));
    if (target_.media_type.empty() && received_ >= std::min(kMediaTypeBytes, room.size())) {
      target_.media_type = media_type_of(room.first(received_));
      target_.plan = make_plan(config_, order_.key, target_.media_type);
      if (!target_.plan)
        return refuse(RecordStatus::skipped, no_recipe(order_.key, target_.media_type));
    }
    return {};
  }

  base::Status end() {
    if (received_ != target_.info.size) return wrong_size();
    target_.sha256 = base::to_hex(hasher_.finish());
    return {};
  }

 private:
  base::Status refuse(RecordStatus status, base::Error reason) {
    target_.refusal = Refusal{.status = status, .reason = std::move(reason)};
    return stop();
  }
  [[nodiscard]] base::Status wrong_size() const {
    return base::transient("TRUNCATED", fmt::format("the object has {} bytes, but other than that "
                                                    "many arrived",
                                                    target_.info.size));
  }

  const Config& config_;
  ports::ImageEngine& engine_;
  const DownloadOrder& order_;
  Download& target_;
  base::Hasher hasher_{base::HashAlgorithm::sha256};
  std::size_t received_ = 0;
};

}  // namespace

base::Error too_many_bytes(std::uint64_t size, std::uint64_t max) {
  return {.code = ports::kTooManyBytes,
          .message =
              fmt::format("{} bytes are more than the {} that limits.max_bytes allows", size, max)};
}

base::Error no_recipe(std::string_view key, std::string_view media_type) {
  return {.code = kNoRecipe,
          .message =
              media_type.empty()
                  ? fmt::format("no recipe matches the key {}", key)
                  : fmt::format("no recipe matches the key {} with the type {}", key, media_type),
          .hint = "a recipe without match takes everything"};
}

base::Result<Download> download(const Config& config, ports::BlobStore& store,
                                ports::ImageEngine& engine, const DownloadOrder& order) {
  Download result;
  Receiver receiver(config, engine, order, result);
  const ports::BlobSink sink{
      .begin = [&](const ports::BlobInfo& info) { return receiver.begin(info); },
      .write = [&](std::span<const std::byte> bytes) { return receiver.write(bytes); }};
  const auto got =
      store.get(order.bucket, order.key, {.version_id = order.version_id, .if_match = {}}, sink);
  if (result.refusal) return result;
  if (!got) {
    if (!is_gone(got.error())) return std::unexpected(got.error());
    result.refusal = Refusal{
        .status = RecordStatus::skipped,
        .reason = {.code = kGone,
                   .message = fmt::format("{} was removed before it was handled", order.key)}};
    return result;
  }
  IMGPROC_CHECK(receiver.end());
  return result;
}

}  // namespace imgproc::pipeline
