#include "ports/image_engine.h"

#include <utility>

namespace imgproc::ports {
namespace {

template <class Value>
using Words = std::pair<Value, std::string_view>;

constexpr std::array kFits{Words<Fit>{Fit::inside, "inside"}, Words<Fit>{Fit::cover, "cover"},
                           Words<Fit>{Fit::contain, "contain"}, Words<Fit>{Fit::fill, "fill"},
                           Words<Fit>{Fit::outside, "outside"}};

// "center" and the compass-free words of sharp's `position`; the first spelling is the one written.
constexpr std::array kPositions{Words<Position>{Position::centre, "centre"},
                                Words<Position>{Position::centre, "center"},
                                Words<Position>{Position::top, "top"},
                                Words<Position>{Position::right_top, "right top"},
                                Words<Position>{Position::right, "right"},
                                Words<Position>{Position::right_bottom, "right bottom"},
                                Words<Position>{Position::bottom, "bottom"},
                                Words<Position>{Position::left_bottom, "left bottom"},
                                Words<Position>{Position::left, "left"},
                                Words<Position>{Position::left_top, "left top"},
                                Words<Position>{Position::entropy, "entropy"},
                                Words<Position>{Position::attention, "attention"}};

constexpr std::array kFormats{Words<OutputFormat>{OutputFormat::automatic, "auto"},
                              Words<OutputFormat>{OutputFormat::jpeg, "jpeg"},
                              Words<OutputFormat>{OutputFormat::jpeg, "jpg"},
                              Words<OutputFormat>{OutputFormat::png, "png"},
                              Words<OutputFormat>{OutputFormat::webp, "webp"},
                              Words<OutputFormat>{OutputFormat::avif, "avif"},
                              Words<OutputFormat>{OutputFormat::gif, "gif"}};

template <class Table, class Value>
std::string_view word_of(const Table& table, Value value) {
  for (const auto& [known, word] : table)
    if (known == value) return word;
  return "";
}

template <class Value, std::size_t N>
std::optional<Value> value_of(const std::array<Words<Value>, N>& table, std::string_view text) {
  for (const auto& [known, word] : table)
    if (word == text) return known;
  return std::nullopt;
}

}  // namespace

std::string_view to_string(Fit value) {
  return word_of(kFits, value);
}
std::string_view to_string(Position value) {
  return word_of(kPositions, value);
}
std::string_view to_string(OutputFormat value) {
  return word_of(kFormats, value);
}
std::optional<Fit> fit_from_string(std::string_view text) {
  return value_of(kFits, text);
}
std::optional<Position> position_from_string(std::string_view text) {
  return value_of(kPositions, text);
}
std::optional<OutputFormat> output_format_from_string(std::string_view text) {
  return value_of(kFormats, text);
}

std::string_view extension(OutputFormat value) {
  return value == OutputFormat::jpeg ? "jpg" : to_string(value);
}

std::string_view media_type(OutputFormat value) {
  switch (value) {
    case OutputFormat::jpeg:
      return "image/jpeg";
    case OutputFormat::png:
      return "image/png";
    case OutputFormat::webp:
      return "image/webp";
    case OutputFormat::avif:
      return "image/avif";
    case OutputFormat::gif:
      return "image/gif";
    case OutputFormat::automatic:
      break;
  }
  return "application/octet-stream";
}

}  // namespace imgproc::ports
