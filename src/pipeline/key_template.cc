#include "pipeline/key_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace imgproc::pipeline {
namespace {

/// Stands for any bucket in proofs; no bucket's name has this character.
constexpr std::string_view kAnyBucket = "\x01";

std::unexpected<base::Error> invalid(std::string message, std::string hint = {}) {
  return base::permanent("INVALID_KEY_TEMPLATE", std::move(message), std::move(hint));
}

bool one_starts_the_other(std::string_view a, std::string_view b) {
  return a.starts_with(b) || b.starts_with(a);
}

bool one_ends_the_other(std::string_view a, std::string_view b) {
  return a.ends_with(b) || b.ends_with(a);
}

}  // namespace

/// The template for one rendition: text around and between what comes from the source's key.
/// {key}: before + key + after.  {dir} … {name}: before + dir + between + name + after.
struct KeyTemplate::Frame {
  std::string before;
  std::string between;
  std::string after;
  bool split = false;
  bool operator==(const Frame&) const = default;
};

KeyTemplate KeyTemplate::standard() {
  return *parse("{key}/{rendition}.{ext}");
}

base::Result<KeyTemplate> KeyTemplate::parse(std::string_view text) {
  static constexpr std::array kPlaceholders{
      std::pair<std::string_view, Part>{"key", Part::key},
      std::pair<std::string_view, Part>{"dir", Part::dir},
      std::pair<std::string_view, Part>{"name", Part::name},
      std::pair<std::string_view, Part>{"bucket", Part::bucket},
      std::pair<std::string_view, Part>{"rendition", Part::rendition},
      std::pair<std::string_view, Part>{"ext", Part::extension}};
  if (text.size() > kKeyBytesMax)
    return invalid(fmt::format("longer than the {} bytes of a key", kKeyBytesMax));
  KeyTemplate made;
  made.text_ = text;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t brace = rest.find_first_of("{}");
    if (brace != 0) {
      made.pieces_.push_back({Part::literal, std::string(rest.substr(0, brace))});
      rest.remove_prefix(std::min(brace, rest.size()));
      continue;
    }
    const std::size_t end = rest.find('}');
    if (rest.front() == '}' || end == std::string_view::npos)
      return invalid("a brace without its partner", "placeholders are written {key}");
    const std::string_view word = rest.substr(1, end - 1);
    const auto found =
        std::ranges::find(kPlaceholders, word, &decltype(kPlaceholders)::value_type::first);
    if (found == kPlaceholders.end())
      return invalid(fmt::format("there is no placeholder {{{}}}", word),
                     "there are {key}, {dir}, {name}, {bucket}, {rendition} and {ext}");
    made.pieces_.push_back({found->second, {}});
    rest.remove_prefix(end + 1);
  }
  IMGPROC_CHECK(made.check_pieces());
  return made;
}

base::Status KeyTemplate::check_pieces() const {
  const auto count = [&](Part part) { return std::ranges::count(pieces_, part, &Piece::part); };
  const auto place = [&](Part part) {
    return std::ranges::find(pieces_, part, &Piece::part) - pieces_.begin();
  };
  const bool by_key = count(Part::key) == 1 && count(Part::dir) == 0 && count(Part::name) == 0;
  const bool by_parts = count(Part::key) == 0 && count(Part::dir) == 1 && count(Part::name) == 1 &&
                        place(Part::dir) < place(Part::name);
  if (!by_key && !by_parts)
    return invalid(
        "needs {key} once, or {dir} once and then {name} once; else two sources would meet",
        "for example \"{key}/{rendition}.{ext}\" or \"{dir}{rendition}/{name}.{ext}\"");
  if (count(Part::bucket) > 1) return invalid("{bucket} stands there twice");
  if (count(Part::bucket) == 1) {
    const auto at = place(Part::bucket);
    const auto source_at = std::min(place(Part::key), place(Part::dir));
    const auto index = static_cast<std::size_t>(at);
    const bool starts_segment = at == 0 || (pieces_[index - 1].part == Part::literal &&
                                            pieces_[index - 1].literal.ends_with('/'));
    const bool ends_segment = index + 1 < pieces_.size() &&
                              pieces_[index + 1].part == Part::literal &&
                              pieces_[index + 1].literal.starts_with('/');
    if (at > source_at || !starts_segment || !ends_segment)
      return invalid("{bucket} must be a path segment of its own before the source's key",
                     "for example \"{bucket}/{key}/{rendition}.{ext}\"");
  }
  return {};
}

base::Result<std::string> KeyTemplate::expand(std::string_view bucket, std::string_view key,
                                              std::string_view rendition,
                                              std::string_view extension) const {
  const std::size_t slash = key.rfind('/');
  const std::size_t name_at = slash == std::string_view::npos ? 0 : slash + 1;
  std::string expanded;
  for (const Piece& piece : pieces_) {
    switch (piece.part) {
      case Part::literal:
        expanded += piece.literal;
        break;
      case Part::key:
        expanded += key;
        break;
      case Part::dir:
        expanded += key.substr(0, name_at);
        break;
      case Part::name:
        expanded += key.substr(name_at);
        break;
      case Part::bucket:
        expanded += bucket;
        break;
      case Part::rendition:
        expanded += rendition;
        break;
      case Part::extension:
        expanded += extension;
        break;
    }
  }
  if (expanded.size() > kKeyBytesMax)
    return base::permanent("KEY_TOO_LONG",
                           fmt::format("the key of the rendition {} would have {} bytes, {} are "
                                       "allowed",
                                       rendition, expanded.size(), kKeyBytesMax),
                           "shorten the source's key or destination.key");
  return expanded;
}

KeyTemplate::Frame KeyTemplate::frame_of(const Use& use) const {
  Frame frame;
  std::string* text = &frame.before;
  for (const Piece& piece : pieces_) {
    switch (piece.part) {
      case Part::literal:
        *text += piece.literal;
        break;
      case Part::key:
      case Part::name:
        text = &frame.after;
        break;
      case Part::dir:
        frame.split = true;
        text = &frame.between;
        break;
      case Part::bucket:
        *text += kAnyBucket;
        break;
      case Part::rendition:
        *text += use.rendition;
        break;
      case Part::extension:
        *text += use.extension;
        break;
    }
  }
  return frame;
}

// Whether before_a X after_a == before_b Y after_b has a solution in arbitrary texts X, Y: exactly
// if of both the beginnings and the endings one continues the other (X and Y fill in the rest).
// With {dir} and {name} the text between can tell the two apart as well: a name has no '/', and a
// dir is empty or ends with one, so the last '/' of the whole stands at the same place on both
// sides.
bool KeyTemplate::may_meet(const Frame& a, const Frame& b) {
  if (!one_starts_the_other(a.before, b.before) || !one_ends_the_other(a.after, b.after))
    return false;
  if (!a.split || a.before != b.before || a.after != b.after) return true;
  const std::size_t a_slash = a.between.rfind('/');
  const std::size_t b_slash = b.between.rfind('/');
  if ((a_slash == std::string::npos) != (b_slash == std::string::npos)) return true;
  if (a_slash == std::string::npos) return one_starts_the_other(a.between, b.between);
  const std::string a_path = "/" + a.between.substr(0, a_slash + 1);
  const std::string b_path = "/" + b.between.substr(0, b_slash + 1);
  if (!one_ends_the_other(a_path, b_path)) return false;
  return one_starts_the_other(std::string_view(a.between).substr(a_slash + 1),
                              std::string_view(b.between).substr(b_slash + 1));
}

base::Status KeyTemplate::check_distinct(std::span<const Use> uses) const {
  const auto meet = [&](const Use& a, const Use& b) -> base::Status {
    return base::permanent(
        "KEYS_MAY_MEET",
        fmt::format("the renditions '{}' ({}) and '{}' ({}) could get one key under {}",
                    a.rendition, a.extension, b.rendition, b.extension, text_),
        "keep {rendition} and the source's key apart by a '/', as in {key}/{rendition}.{ext}");
  };
  std::vector<Frame> frames;
  for (const Use& use : uses) {
    const Frame frame = frame_of(use);
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const Use& other = uses[i];
      // One frame gives two sources two keys. It gives one source one key for all that shares the
      // frame, so that only one rendition of the source's recipe may have it (in either format).
      if (frame == frames[i]) {
        if (use.recipe == other.recipe && use.rendition != other.rendition) return meet(other, use);
      } else if (may_meet(frame, frames[i])) {
        return meet(other, use);
      }
    }
    frames.push_back(frame);
  }
  return {};
}

std::string_view KeyTemplate::literal_prefix() const {
  return !pieces_.empty() && pieces_.front().part == Part::literal
             ? std::string_view(pieces_.front().literal)
             : std::string_view();
}

bool KeyTemplate::has(Part part) const {
  return std::ranges::find(pieces_, part, &Piece::part) != pieces_.end();
}

bool KeyTemplate::has_bucket() const {
  return has(Part::bucket);
}

}  // namespace imgproc::pipeline
