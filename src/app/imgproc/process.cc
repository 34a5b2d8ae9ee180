// imgproc process: the function's own pipeline over files of this machine.

#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>

#include "app/imgproc/commands.h"
#include "app/imgproc/file_blob_store.h"
#include "app/imgproc/files.h"
#include "app/imgproc/record_json.h"
#include "pipeline/process_object.h"
#include "ports/memory_record_store.h"

namespace imgproc::app {
namespace {

struct ProcessSettings {
  std::vector<std::string> files;
  std::string out;
  std::string config;
  bool json = false;
  std::size_t workers = 0;
};

std::string describe(const ports::Record& record, const std::filesystem::path& out) {
  std::string line = fmt::format("{}: {}", record.key, ports::to_string(record.status));
  if (record.error) line += fmt::format(" {}: {}", record.error->code, record.error->message);
  for (const auto& [name, rendition] : record.renditions) {
    line += fmt::format("\n  {}: ", name);
    if (rendition.error)
      line += rendition.error->message;
    else
      line += fmt::format("{} x {} {}, {} bytes, {}", rendition.width, rendition.height,
                          rendition.format, rendition.size, (out / rendition.key).string());
  }
  return line;
}

FileReport report(const ProcessSettings& settings, const std::string& key,
                  const base::Result<pipeline::Outcome>& outcome) {
  namespace json = boost::json;
  if (!outcome) {
    const base::Error& error = outcome.error();
    if (settings.json)
      return {.text = json::serialize(json::object{
                  {"key", key}, {"error", {{"code", error.code}, {"message", error.message}}}}),
              .succeeded = false};
    return {.text = error_line({.code = error.code, .message = key + ": " + error.message}),
            .succeeded = false,
            .is_error = true};
  }
  const auto& record = outcome->record;
  return {.text = settings.json ? json::serialize(record_to_json(record))
                                : describe(record, settings.out),
          .succeeded = record.status == ports::RecordStatus::ready ||
                       record.status == ports::RecordStatus::skipped};
}

int run(const ProcessSettings& settings) {
  const auto work = prepare_work(settings.files, settings.config, settings.workers);
  if (!work) {
    print_error(work.error());
    return kExitUsage;
  }
  decoder::DecoderPool engine(work->decoders);
  FileBlobStore source(FileBlobStore::among(work->files));
  FileBlobStore destination(FileBlobStore::below(settings.out));
  ports::MemoryRecordStore records;
  base::RealClock clock;
  const pipeline::Processor processor({.config = work->config,
                                       .source = source,
                                       .destination = destination,
                                       .records = records,
                                       .engine = engine,
                                       .clock = clock,
                                       .destination_bucket = settings.out,
                                       .source_buckets = {}});
  const std::size_t failed =
      for_each_file(work->files, work->workers, [&](const auto& key, const auto&) {
        const pipeline::SourceEvent event{.kind = pipeline::SourceEvent::Kind::created,
                                          .bucket = "files",
                                          .key = key,
                                          .version_id = {},
                                          .etag = {},
                                          .size = {},
                                          .sequencer = {},
                                          .time = clock.now()};
        return report(settings, key, processor.process(event, {}));
      });
  return failed == 0 ? kExitOk : kExitSomeFailed;
}

}  // namespace

void add_process_command(CLI::App& app, int& exit_code) {
  auto settings = std::make_shared<ProcessSettings>();
  auto* command = app.add_subcommand(
      "process", "Make the renditions of image files, as the function makes them of objects");
  command->add_option("files", settings->files, "Images, or folders of images")
      ->required()
      ->type_name("FILE");
  command->add_option("-o,--out", settings->out, "Folder that the renditions are put into")
      ->required()
      ->type_name("DIR");
  command->add_option("-c,--config", settings->config, "Configuration (default: one thumbnail)")
      ->type_name("FILE");
  command->add_flag("--json", settings->json, "One JSON record per file instead of text");
  command
      ->add_option("-j,--jobs", settings->workers,
                   "Images worked on at once (default: one per processor)")
      ->check(CLI::Range(1, 64));
  command->footer(
      "A file's key is its path as given; recipes match on it.\n"
      "Exit status: 0 all went well, 1 some file failed, 2 wrong use.\n\n"
      "Examples:\n"
      "  imgproc process photo.jpg --out renditions\n"
      "  imgproc process photos --out renditions --config imgproc.json --json");
  command->callback([settings, &exit_code] { exit_code = run(*settings); });
}

}  // namespace imgproc::app
