#include "image/process_image.h"

#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <optional>
#include <vector>

#include "image/appearance.h"
#include "image/encode.h"
#include "image/metadata.h"
#include "image/render_order.h"

namespace imgproc::image {
namespace {

using ports::ImageOrder;
using ports::ImageResult;
using ports::OutputFormat;
using ports::RenditionSpec;

class Stopwatch {
 public:
  explicit Stopwatch(std::map<std::string, double>& timings_ms) : timings_ms_(timings_ms) {}
  /// Adds the time since the last call to `step`.
  void lap(const char* step) {
    const auto now = std::chrono::steady_clock::now();
    timings_ms_[step] += std::chrono::duration<double, std::milli>(now - last_).count();
    last_ = now;
  }

 private:
  std::map<std::string, double>& timings_ms_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

/// What the renditions together ask of the decoder.
struct Need {
  /// The largest size before cropping, each axis for itself.
  Size size;
  bool all_frames = false;
};

Need need_of(const ImageOrder& order, Size source) {
  Need need{{1, 1}, false};
  for (const RenditionSpec& spec : order.renditions) {
    const Layout layout = lay_out(source, spec);
    need.size.width = std::max(need.size.width, layout.resized.width);
    need.size.height = std::max(need.size.height, layout.resized.height);
    need.all_frames |=
        spec.animated && (spec.format == OutputFormat::webp || spec.format == OutputFormat::gif ||
                          spec.format == OutputFormat::automatic);
  }
  return need;
}

double shrink_allowed(Size source, Size need) {
  return std::max(1.0, std::min(static_cast<double>(source.width) / need.width,
                                static_cast<double>(source.height) / need.height));
}

/// One try at the picture: opened at the size the renditions need and decoded.
struct Attempt {
  ports::ImageMetadata metadata;
  BasePicture base;
};

/// What the loader says where it has opened the picture at full size, else what our walker found.
Header seen_by_loader(const Header& header, const OpenImage& open) {
  Header seen = header;
  if (open.shrink == 1) {
    seen.width = width_of(open.image);
    seen.height = height_of(open.image);
  }
  return seen;
}

/// The WebP loader takes memory for the whole canvas as soon as it opens a file, so it must be told
/// the scale before the orientation is known: the one that suits both ways to hold the picture.
double first_shrink(const Header& header, const ImageOrder& order) {
  if (header.type != FileType::webp) return 1;
  const Size upright{header.width, header.height};
  const Size turned{header.height, header.width};
  return shrink_on_load(header,
                        std::min(shrink_allowed(upright, need_of(order, upright).size),
                                 shrink_allowed(turned, need_of(order, turned).size)),
                        false);
}

base::Result<Attempt> attempt(const Header& header, std::span<const std::byte> bytes,
                              const ImageOrder& order, Strictness strictness, Stopwatch& watch) {
  // The first look is for orientation and dimensions only; it decodes nothing.
  const double look_shrink = first_shrink(header, order);
  IMGPROC_TRY(OpenImage open, open_image(header, bytes, {strictness, look_shrink, false}));
  const Header real = seen_by_loader(header, open);
  IMGPROC_CHECK(check_declared(real, order.limits));
  IMGPROC_CHECK(check_profile(open));

  Attempt result;
  result.metadata = read_metadata(real, open, bytes);
  const Size source{result.metadata.width, result.metadata.height};
  const Need need = need_of(order, source);
  const bool all_frames = need.all_frames && real.frames > 1;
  const double shrink = shrink_on_load(real, shrink_allowed(source, need.size), all_frames);
  IMGPROC_CHECK(check_decoded(real, shrink, all_frames ? real.frames : 1, order.limits));
  watch.lap("header");
  if (order.renditions.empty()) return result;

  if (shrink != open.shrink || all_frames) {
    IMGPROC_TRY(open, open_image(real, bytes, {strictness, shrink, all_frames}));
  }
  IMGPROC_TRY(result.base, decode(open, need.size));
  watch.lap("decode");
  return result;
}

OutputFormat resolve(const RenditionSpec& spec, const BasePicture& base) {
  if (spec.format != OutputFormat::automatic) return spec.format;
  const bool animated = spec.animated && base.frames.size() > 1;
  return base.is_transparent || animated ? OutputFormat::webp : OutputFormat::jpeg;
}

base::Status make_rendition(const BasePicture& base, Size source, const RenditionSpec& spec,
                            const AllocateOutput& allocate, ports::Rendition& rendition,
                            Stopwatch& watch) {
  rendition.format = resolve(spec, base);
  IMGPROC_TRY(Picture picture, render(base, source, spec, rendition.format));
  // A small picture costs its encoder less from memory than row by row from the resize. The frames
  // of an animation together would take too much of it.
  if (picture.frames == 1) {
    IMGPROC_TRY(picture.image, to_memory(picture.image, "resize"));
  }
  watch.lap("resize");
  IMGPROC_TRY(EncodedFile file, encode(picture, spec, rendition.format));
  watch.lap("encode");
  const std::span<std::byte> room = allocate(file.size);
  if (room.size() != file.size)
    return base::permanent(kEncodeFailed,
                           fmt::format("no room for {} more bytes of output", file.size),
                           "order fewer or smaller renditions");
  std::memcpy(room.data(), file.data.get(), file.size);
  rendition.width = picture.frame.width;
  rendition.height = picture.frame.height;
  rendition.bytes = room;
  return {};
}

void make_renditions(const BasePicture& base, const ImageOrder& order,
                     const AllocateOutput& allocate, ImageResult& result, Stopwatch& watch) {
  const Size source{result.metadata.width, result.metadata.height};
  std::vector<std::optional<BasePicture>> kept(order.renditions.size());
  result.renditions.resize(order.renditions.size());
  for (const RenderStep& step : render_order(source, order.renditions)) {
    const RenditionSpec& spec = order.renditions[step.rendition];
    ports::Rendition& rendition = result.renditions[step.rendition];
    rendition.name = spec.name;
    const BasePicture* from = step.from && kept[*step.from] ? &*kept[*step.from] : &base;
    // An animation's frames would have to be kept all, which costs more memory than time is won.
    if (step.kept && base.frames.size() == 1) {
      auto smaller = resized_base(*from, lay_out(source, spec).resized);
      watch.lap("resize");
      if (smaller) from = &kept[step.rendition].emplace(std::move(*smaller));
    }
    const auto status = make_rendition(*from, source, spec, allocate, rendition, watch);
    if (!status) rendition.error = status.error();
  }
}

/// All that can be refused without any loader.
base::Status check_before_open(const Header& header, std::uint64_t file_bytes, bool all_frames,
                               const ports::ImageLimits& limits) {
  IMGPROC_CHECK(check_declared(header, limits));
  IMGPROC_CHECK(check_plausible(header, file_bytes));
  IMGPROC_CHECK(check_frames(header, all_frames, limits));
  if (!header.needs_whole_picture) return {};
  return check_decoded(header, 1, all_frames ? header.frames : 1, limits);
}

ImageResult refused(ports::ImageMetadata metadata, base::Error error) {
  ImageResult result;
  result.metadata = std::move(metadata);
  result.error = std::move(error);
  return result;
}

}  // namespace

namespace {

/// GLib ends the process when it is refused memory, and says so only in its log.
void on_log(const char*, GLogLevelFlags level, const char* message, void* out_of_memory) {
  if ((level & G_LOG_LEVEL_ERROR) != 0 && message != nullptr &&
      std::strstr(message, "failed to allocate") != nullptr && out_of_memory != nullptr)
    reinterpret_cast<void (*)()>(out_of_memory)();
}

}  // namespace

base::Status initialise(const char* program, void (*out_of_memory)()) {
  g_log_set_default_handler(on_log, reinterpret_cast<void*>(out_of_memory));
  if (vips_init(program) != 0)
    return base::permanent("DECODER_UNAVAILABLE", "libvips does not start: " + take_vips_error());
  vips_block_untrusted_set(TRUE);
  vips_cache_set_max(0);
  vips_concurrency_set(1);
  return {};
}

base::Result<ImageResult> process_image(std::span<const std::byte> bytes, const ImageOrder& order,
                                        const AllocateOutput& allocate) {
  ports::ImageMetadata metadata;
  const FileType type = sniff(bytes);
  metadata.format = name_of(type);
  metadata.content_type = media_type_of(type);
  if (type == FileType::empty)
    return refused(metadata,
                   base::permanent(ports::kEmptyObject, "the object has no bytes").error());
  if (bytes.size() > order.limits.max_bytes)
    return refused(metadata, base::permanent(ports::kTooManyBytes,
                                             fmt::format("{} bytes, more than max_bytes {}",
                                                         bytes.size(), order.limits.max_bytes))
                                 .error());
  if (!is_decodable(type))
    return refused(metadata, base::permanent(ports::kUnsupportedFormat,
                                             fmt::format("the content is {} ({})", metadata.format,
                                                         metadata.content_type),
                                             "upload JPEG, PNG, WebP, GIF, TIFF or AVIF")
                                 .error());

  ImageResult result;
  Stopwatch watch(result.timings_ms);
  const auto header = read_header(type, bytes);
  if (!header) return refused(metadata, header.error());
  metadata.width = header->width;
  metadata.height = header->height;
  metadata.pages = header->frames;
  const bool all_frames = need_of(order, {header->width, header->height}).all_frames;
  if (const auto status = check_before_open(*header, bytes.size(), all_frames, order.limits);
      !status)
    return refused(metadata, status.error());

  auto tried = attempt(*header, bytes, order, Strictness::strict, watch);
  bool degraded = false;
  if (!tried && tried.error().code == ports::kCorruptImage) {
    degraded = true;
    tried = attempt(*header, bytes, order, Strictness::lenient, watch);
  }
  vips_error_clear();
  if (!tried) return refused(metadata, tried.error());
  result.metadata = std::move(tried->metadata);
  result.metadata.degraded = degraded;
  if (!order.renditions.empty()) {
    auto appearance = appearance_of(tried->base);
    if (!appearance) return refused(metadata, appearance.error());
    result.metadata.appearance = std::move(*appearance);
    watch.lap("appearance");
  }

  make_renditions(tried->base, order, allocate, result, watch);
  vips_error_clear();
  return result;
}

}  // namespace imgproc::image
