// imgproc inspect: what an image is, as the record would tell it.

#include <boost/json.hpp>
#include <memory>

#include "app/imgproc/commands.h"
#include "app/imgproc/file_blob_store.h"
#include "app/imgproc/files.h"
#include "app/imgproc/record_json.h"
#include "base/bytes.h"
#include "base/hash.h"

namespace imgproc::app {
namespace {

namespace json = boost::json;

struct InspectSettings {
  std::vector<std::string> files;
  std::string config;
  std::size_t workers = 0;
};

/// Reads the file into a job of the engine and lets it read the header.
base::Result<json::object> inspect(FileBlobStore& store, ports::ImageEngine& engine,
                                   const ports::ImageLimits& limits, const std::string& key) {
  std::unique_ptr<ports::ImageJob> job;
  std::size_t received = 0;
  base::Hasher hasher(base::HashAlgorithm::sha256);
  const ports::BlobSink sink{
      .begin = [&](const ports::BlobInfo& info) -> base::Status {
        if (info.size == 0) return base::permanent(ports::kEmptyObject, "the file has no bytes");
        if (info.size > limits.max_bytes)
          return base::permanent(ports::kTooManyBytes, "the file is larger than limits.max_bytes");
        IMGPROC_TRY(job, engine.open(static_cast<std::size_t>(info.size)));
        return {};
      },
      .write = [&](std::span<const std::byte> bytes) -> base::Status {
        const auto room = job->input();
        if (bytes.size() > room.size() - received)
          return base::transient("TRUNCATED", "the file changed while it was read");
        std::ranges::copy(bytes, room.begin() + static_cast<std::ptrdiff_t>(received));
        received += bytes.size();
        hasher.update(base::as_text(bytes));
        return {};
      }};
  IMGPROC_TRY(const auto info, store.get("", key, {}, sink));
  if (received != info.size)
    return base::transient("TRUNCATED", "the file changed while it was read");
  IMGPROC_TRY(const auto result, job->run({.limits = limits, .renditions = {}}));
  json::object object{{"size", info.size}, {"sha256", base::to_hex(hasher.finish())}};
  for (const auto& member : metadata_to_json(result.metadata))
    object[member.key()] = member.value();
  if (result.error)
    object["error"] = {{"code", result.error->code}, {"message", result.error->message}};
  return object;
}

int run(const InspectSettings& settings) {
  const auto work = prepare_work(settings.files, settings.config, settings.workers);
  if (!work) {
    print_error(work.error());
    return kExitUsage;
  }
  decoder::DecoderPool engine(work->decoders);
  FileBlobStore store(FileBlobStore::among(work->files));
  const std::size_t failed =
      for_each_file(work->files, work->workers, [&](const auto& key, const auto& path) {
        const auto found = inspect(store, engine, work->config.limits, key);
        json::object line{{"file", path.string()}};
        if (found)
          for (const auto& member : *found) line[member.key()] = member.value();
        else
          line["error"] = {{"code", found.error().code}, {"message", found.error().message}};
        return FileReport{.text = json::serialize(line), .succeeded = !line.contains("error")};
      });
  return failed == 0 ? kExitOk : kExitSomeFailed;
}

}  // namespace

void add_inspect_command(CLI::App& app, int& exit_code) {
  auto settings = std::make_shared<InspectSettings>();
  auto* command =
      app.add_subcommand("inspect", "Tell what image files are, one JSON object a line");
  command->add_option("files", settings->files, "Images, or folders that are walked")
      ->required()
      ->type_name("FILE");
  command->add_option("-c,--config", settings->config, "Take the limits of this configuration")
      ->type_name("FILE");
  command
      ->add_option("-j,--jobs", settings->workers,
                   "Images read at once (default: one per processor)")
      ->check(CLI::Range(1, 64));
  command->footer(
      "Exit status: 0 all are images within the limits, 1 some are not, 2 wrong use.\n\n"
      "Examples:\n"
      "  imgproc inspect photo.jpg\n"
      "  imgproc inspect photos | jq -r 'select(.error) | .file'");
  command->callback([settings, &exit_code] { exit_code = run(*settings); });
}

}  // namespace imgproc::app
