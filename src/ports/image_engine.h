#pragma once
// What the pipeline needs of an image engine: bytes and an order in, renditions and metadata out.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"

namespace imgproc::ports {

/// Bounds that are checked from the header, before pixels are touched (imgproc.json "limits").
struct ImageLimits {
  /// Bytes of the source object.
  std::uint64_t max_bytes = 104857600;
  /// Pixels really decoded: after shrink-on-load, times frames.
  std::uint64_t max_pixels = 100000000;
  /// Pixels that the header declares, one frame.
  std::uint64_t max_source_pixels = 268402689;
  std::uint32_t max_frames = 256;
  /// Scans of a progressive JPEG.
  std::uint32_t max_scans = 100;
  auto operator<=>(const ImageLimits&) const = default;
};

/// How the picture is laid into width x height; the words of CSS object-fit and sharp.
enum class Fit {
  inside,   ///< whole picture within the box, ratio kept
  cover,    ///< box filled, the rest cut off
  contain,  ///< whole picture within the box, filled up with `background`
  fill,     ///< stretched to the box
  outside,  ///< smallest size, ratio kept, that covers the box
};

/// Which part `cover` keeps, or where `contain` puts the picture.
enum class Position {
  centre,
  top,
  right_top,
  right,
  right_bottom,
  bottom,
  left_bottom,
  left,
  left_top,
  entropy,
  attention
};

enum class OutputFormat {
  automatic,  ///< WebP if the picture has transparency, else JPEG
  jpeg,
  png,
  webp,
  avif,
  gif
};

struct Color {
  std::uint8_t r = 255, g = 255, b = 255;
  /// 0 = transparent, 255 = opaque.
  std::uint8_t alpha = 255;
  auto operator<=>(const Color&) const = default;
};

/// One rendition to make. Names are those of the configuration.
struct RenditionSpec {
  std::string name;
  /// Pixels; 0 = follows from the other side. Both 0 = the source's size.
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  Fit fit = Fit::inside;
  Position position = Position::centre;
  /// Enlarge a picture that is smaller than the box.
  bool enlarge = false;
  OutputFormat format = OutputFormat::jpeg;
  /// 1..100; for JPEG, WebP, AVIF.
  int quality = 80;
  /// Encoder effort, WebP 0..6, AVIF 0..9, PNG/GIF 1..10; -1 = the format's own default.
  int effort = -1;
  bool lossless = false;
  /// Interlaced (progressive) JPEG or PNG.
  bool progressive = false;
  /// Keep the frames of an animation where the output format can (WebP, GIF); else the first frame.
  bool animated = false;
  /// What shows through transparency in JPEG, and around `contain`.
  Color background;
  auto operator<=>(const RenditionSpec&) const = default;
};

struct ImageOrder {
  ImageLimits limits;
  std::vector<RenditionSpec> renditions;
  /// Wall-clock time for the whole order, milliseconds; afterwards DECODE_TIMEOUT.
  std::uint32_t timeout_ms = 30000;
};

/// EXIF values by tag name ("Make", "ExposureTime"), filtered: no location, no serial numbers, no
/// owner names, no maker notes. Text or number.
using ExifMap = std::map<std::string, std::variant<std::string, double>>;

/// What a page shows until the picture is there, and what tells similar pictures. Empty where no
/// pixel was decoded.
struct Appearance {
  /// "#rrggbb"; empty also for a picture that is transparent throughout.
  std::string dominant_color;
  /// BlurHash, 28 characters.
  std::string blurhash;
  /// ThumbHash, base64.
  std::string thumbhash;
  /// Perceptual hash, 16 hexadecimal digits.
  std::string phash;
  auto operator<=>(const Appearance&) const = default;
};

struct ImageMetadata {
  /// jpeg, png, webp, gif, tiff, avif - or the detected type of what is refused (heic, svg, text
  /// ...).
  std::string format;
  /// IANA media type of the detected type.
  std::string content_type;
  /// Pixels as displayed, i.e. after the orientation is applied.
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  /// Frames or pages.
  std::uint32_t pages = 0;
  /// EXIF orientation 1..8 as found; 1 if absent.
  int orientation = 1;
  bool has_alpha = false;
  /// srgb, cmyk, b-w, rgb16, lab ... in libvips' words.
  std::string color_space;
  /// Description of the embedded profile ("Adobe RGB (1998)"); empty if none.
  std::string icc_profile;
  ExifMap exif;
  /// EXIF DateTimeOriginal as ISO 8601 (local time of the camera, offset only where recorded).
  std::string taken_at;
  Appearance appearance;
  /// The file was damaged but a picture could be made of it.
  bool degraded = false;
};

/// One rendition that was made, or why not. `bytes` is borrowed from the job.
struct Rendition {
  std::string name;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  /// Never `automatic`: what was really written.
  OutputFormat format = OutputFormat::jpeg;
  std::span<const std::byte> bytes;
  std::optional<base::Error> error;
};

struct ImageResult {
  ImageMetadata metadata;
  /// In the order of the ImageOrder, one each. Empty if `error` is set.
  std::vector<Rendition> renditions;
  /// Why nothing could be made of the image as a whole; permanent errors carry the codes below.
  std::optional<base::Error> error;
  /// Milliseconds by step: "header", "decode", "appearance", "resize", "encode" ...
  std::map<std::string, double> timings_ms;
};

/// Codes of permanent failures: the image itself is at fault, no retry can help.
inline constexpr const char* kUnsupportedFormat = "UNSUPPORTED_FORMAT";
inline constexpr const char* kEmptyObject = "EMPTY_OBJECT";
inline constexpr const char* kCorruptImage = "CORRUPT_IMAGE";
inline constexpr const char* kTooManyBytes = "TOO_MANY_BYTES";
inline constexpr const char* kTooManyPixels = "TOO_MANY_PIXELS";
inline constexpr const char* kTooManyFrames = "TOO_MANY_FRAMES";
inline constexpr const char* kTooManyScans = "TOO_MANY_SCANS";
inline constexpr const char* kProfileTooLarge = "PROFILE_TOO_LARGE";
/// The decoder process died, hung or grew past its bounds on this image.
inline constexpr const char* kDecoderCrashed = "DECODER_CRASHED";
inline constexpr const char* kDecodeTimeout = "DECODE_TIMEOUT";
inline constexpr const char* kDecoderOutOfMemory = "DECODER_OUT_OF_MEMORY";

/// One image in work. Owns the memory that the input and the renditions live in.
class ImageJob {
 public:
  virtual ~ImageJob() = default;
  /// Where the caller writes the source bytes; exactly the size that open() was given.
  [[nodiscard]] virtual std::span<std::byte> input() = 0;
  /// Runs the order once on what stands in input(). An image's own failure is ImageResult::error;
  /// a Result error means that the engine itself failed (retryable).
  [[nodiscard]] virtual base::Result<ImageResult> run(const ImageOrder& order) = 0;
};

/// Makes jobs. Thread-safe; jobs are not.
class ImageEngine {
 public:
  virtual ~ImageEngine() = default;
  [[nodiscard]] virtual base::Result<std::unique_ptr<ImageJob>> open(std::size_t input_bytes) = 0;
};

/// The words of the configuration and the record. nullopt for unknown words.
[[nodiscard]] std::string_view to_string(Fit value);
[[nodiscard]] std::string_view to_string(Position value);
[[nodiscard]] std::string_view to_string(OutputFormat value);
[[nodiscard]] std::optional<Fit> fit_from_string(std::string_view text);
[[nodiscard]] std::optional<Position> position_from_string(std::string_view text);
[[nodiscard]] std::optional<OutputFormat> output_format_from_string(std::string_view text);
/// File extension without a dot: "jpg", "png", "webp", "avif", "gif".
[[nodiscard]] std::string_view extension(OutputFormat value);
/// "image/jpeg" ...
[[nodiscard]] std::string_view media_type(OutputFormat value);

}  // namespace imgproc::ports
