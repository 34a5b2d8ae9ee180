#include "image/jpeg_dc/structure.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>
#include <string_view>

namespace imgproc::image::jpeg_dc {
namespace {

enum Marker : std::uint8_t {
  kSof0 = 0xC0,
  kSof1 = 0xC1,
  kSof2 = 0xC2,
  kDht = 0xC4,
  kSof15 = 0xCF,
  kRst0 = 0xD0,
  kRst7 = 0xD7,
  kSoi = 0xD8,
  kEoi = 0xD9,
  kSos = 0xDA,
  kDqt = 0xDB,
  kDri = 0xDD,
  kApp0 = 0xE0,
  kApp14 = 0xEE,
  kApp15 = 0xEF,
  kCom = 0xFE,
};

using Bytes = std::span<const std::uint8_t>;

constexpr unsigned kSamplingMax = 4;
constexpr unsigned kTables = 4;
constexpr unsigned kLowBitMax = 13;  // libjpeg's bound on the successive approximation
// Lengths from which libjpeg takes these for what they are.
constexpr std::size_t kJfifBytesMin = 14;
constexpr std::size_t kAdobeBytesMin = 12;
constexpr std::uint8_t kAdobeYcc = 1;
constexpr std::uint8_t kJfifMajor = 1;

unsigned u16(Bytes bytes, std::size_t at) {
  return static_cast<unsigned>(bytes[at]) << 8 | bytes[at + 1];
}

bool begins_with(Bytes bytes, std::string_view text) {
  return bytes.size() >= text.size() && std::memcmp(bytes.data(), text.data(), text.size()) == 0;
}

std::uint32_t divide_up(std::uint64_t value, std::uint64_t by) {
  return static_cast<std::uint32_t>((value + by - 1) / by);
}

/// What libjpeg (jdmaster.c) chooses for scale 1/8: doubled as long as the component then still has
/// no more samples than the picture.
unsigned side_of(const Component& component, unsigned h_max, unsigned v_max) {
  unsigned side = 1;
  while (side < 8 && h_max % (component.h * side * 2U) == 0 &&
         v_max % (component.v * side * 2U) == 0)
    side *= 2;
  return side;
}

/// The end of a scan's data: the first marker that is not a restart; nullopt if there is none.
std::optional<std::size_t> find_scan_end(Bytes file, std::size_t at) {
  while (at + 1 < file.size()) {
    const void* found = std::memchr(file.data() + at, 0xFF, file.size() - at - 1);
    if (found == nullptr) break;
    at = static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - file.data());
    const std::uint8_t next = file[at + 1];
    if (next != 0 && (next < kRst0 || next > kRst7)) return at;
    at += 2;
  }
  return std::nullopt;
}

class Reader {
 public:
  explicit Reader(Bytes file) : file_(file) {}

  base::Result<Structure> read() {
    if (file_.size() < 2 || file_[0] != 0xFF || file_[1] != kSoi) return not_plain("no start");
    at_ = 2;
    while (true) {
      if (at_ >= file_.size() || file_[at_] != 0xFF) return not_plain("no marker after a segment");
      while (at_ < file_.size() && file_[at_] == 0xFF) ++at_;
      if (at_ >= file_.size()) return not_plain("no end");
      const std::uint8_t marker = file_[at_++];
      if (marker == kEoi) break;
      if (file_.size() - at_ < 2) return not_plain("cut off");
      const std::size_t length = u16(file_, at_);
      if (length < 2 || length > file_.size() - at_) return not_plain("cut off");
      const Bytes segment = file_.subspan(at_ + 2, length - 2);
      at_ += length;
      IMGPROC_CHECK(read_segment(marker, segment));
    }
    if (out_.scans.empty()) return not_plain("no scan");
    for (unsigned i = 0; i < out_.component_count; ++i)
      if (!has_table_[out_.components[i].table]) return not_plain("no quantisation table");
    IMGPROC_CHECK(check_colours());
    return std::move(out_);
  }

 private:
  base::Status read_segment(std::uint8_t marker, Bytes segment) {
    switch (marker) {
      case kSof0:
      case kSof1:
      case kSof2:
        return read_frame(marker, segment);
      case kDht:
        return read_huffman(segment);
      case kDqt:
        return read_quantisation(segment);
      case kDri:
        if (segment.size() != 2) return not_plain("restart interval");
        restart_interval_ = static_cast<std::uint16_t>(u16(segment, 0));
        return {};
      case kSos:
        return read_scan(segment);
      default:
        break;
    }
    if (marker == kApp0 && segment.size() >= kJfifBytesMin &&
        begins_with(segment, std::string_view("JFIF\0", 5)) && out_.scans.empty()) {
      if (segment[5] != kJfifMajor) return not_plain("JFIF version");
      is_jfif_ = true;
    }
    if (marker == kApp14 && segment.size() >= kAdobeBytesMin && begins_with(segment, "Adobe") &&
        out_.scans.empty())
      adobe_transform_ = segment[11];
    if ((marker >= kApp0 && marker <= kApp15) || marker == kCom) return {};
    return not_plain("marker");
  }

  base::Status read_quantisation(Bytes segment) {
    if (!out_.scans.empty()) return not_plain("quantisation table after a scan");
    while (!segment.empty()) {
      const unsigned wide = segment[0] >> 4;
      const unsigned index = segment[0] & 15;
      const std::size_t size = 1 + kCoefficients * (wide + 1);
      if (wide > 1 || index >= kTables || segment.size() < size)
        return not_plain("quantisation table");
      auto& table = out_.quantisation[index];
      for (unsigned i = 0; i < kCoefficients; ++i)
        table[i] = static_cast<std::uint16_t>(wide ? u16(segment, 1 + 2 * i) : segment[1 + i]);
      has_table_[index] = true;
      segment = segment.subspan(size);
    }
    return {};
  }

  base::Status read_huffman(Bytes segment) {
    while (!segment.empty()) {
      constexpr std::size_t kFixed = 1 + 16;
      if (segment.size() < kFixed) return not_plain("Huffman table");
      const unsigned kind = segment[0] >> 4;
      const unsigned index = segment[0] & 15;
      const Bytes counts = segment.subspan(1, 16);
      std::size_t total = 0;
      for (const std::uint8_t count : counts) total += count;
      if (kind > 1 || index >= kTables || total > 256 || segment.size() - kFixed < total)
        return not_plain("Huffman table");
      (kind == 0 ? dc_ : ac_)[index] = {counts, segment.subspan(kFixed, total)};
      segment = segment.subspan(kFixed + total);
    }
    return {};
  }

  base::Status read_frame(std::uint8_t marker, Bytes segment) {
    if (out_.component_count != 0) return not_plain("second frame");
    if (segment.size() < 6 || segment[0] != 8) return not_plain("precision");
    out_.progressive = marker == kSof2;
    out_.height = u16(segment, 1);
    out_.width = u16(segment, 3);
    const unsigned count = segment[5];
    if (out_.width == 0 || out_.height == 0) return not_plain("no size");
    if ((count != 1 && count != 3) || segment.size() != 6 + 3 * count)
      return not_plain("components");
    for (unsigned i = 0; i < count; ++i) {
      Component& component = out_.components[i];
      component.id = segment[6 + 3 * i];
      component.h = segment[7 + 3 * i] >> 4;
      component.v = segment[7 + 3 * i] & 15;
      component.table = segment[8 + 3 * i];
      if (component.h < 1 || component.h > kSamplingMax || component.v < 1 ||
          component.v > kSamplingMax || component.table >= kTables)
        return not_plain("sampling");
      for (unsigned k = 0; k < i; ++k)
        if (out_.components[k].id == component.id) return not_plain("components");
      out_.h_max = std::max(out_.h_max, component.h);
      out_.v_max = std::max(out_.v_max, component.v);
    }
    out_.component_count = count;
    return lay_out();
  }

  /// Counts blocks, and refuses what the file cannot hold before anybody takes memory for it.
  base::Status lay_out() {
    std::uint64_t blocks = 0;
    for (unsigned i = 0; i < out_.component_count; ++i) {
      Component& component = out_.components[i];
      const unsigned side = side_of(component, out_.h_max, out_.v_max);
      if (side > 2 || out_.h_max % (component.h * side) != 0 ||
          out_.v_max % (component.v * side) != 0)
        return not_plain("sampling");
      out_.chroma_is_flat |= side == 2;
      const std::uint64_t width = std::uint64_t{out_.width} * component.h;
      const std::uint64_t height = std::uint64_t{out_.height} * component.v;
      component.blocks_wide = divide_up(width, 8U * out_.h_max);
      component.blocks_high = divide_up(height, 8U * out_.v_max);
      component.stride = divide_up(out_.width, 8U * out_.h_max) * component.h;
      component.rows = divide_up(out_.height, 8U * out_.v_max) * component.v;
      blocks += std::uint64_t{component.blocks_wide} * component.blocks_high;
    }
    // A block takes one bit of a DC scan at least, and in a sequential file another for its end.
    const std::uint64_t bits_needed = blocks * (out_.progressive ? 1 : 2);
    if (bits_needed / 8 > file_.size()) return not_plain("more blocks than bits");
    return {};
  }

  base::Status read_scan(Bytes segment) {
    if (out_.component_count == 0 || segment.empty()) return not_plain("scan before the frame");
    if (out_.scans.size() >= kScansMax) return not_plain("too many scans");
    Scan scan;
    scan.component_count = segment[0];
    if (scan.component_count < 1 || scan.component_count > out_.component_count ||
        segment.size() != 4 + 2 * scan.component_count)
      return not_plain("scan header");
    unsigned blocks = 0;
    for (unsigned i = 0; i < scan.component_count; ++i) {
      const std::uint8_t id = segment[1 + 2 * i];
      const unsigned tables = segment[2 + 2 * i];
      const auto end = out_.components.begin() + out_.component_count;
      const auto found =
          std::find_if(out_.components.begin(), end, [&](const auto& c) { return c.id == id; });
      if (found == end || tables >> 4 >= kTables || (tables & 15) >= kTables)
        return not_plain("scan header");
      const auto index = static_cast<std::uint8_t>(found - out_.components.begin());
      // libjpeg takes the components of a scan in any order; encoders write them in the frame's.
      if (i > 0 && index <= scan.components[i - 1].index) return not_plain("scan order");
      scan.components[i] = {index, dc_[tables >> 4], ac_[tables & 15]};
      blocks += found->h * found->v;
    }
    if (scan.component_count > 1 && blocks > kMcuBlocksMax) return not_plain("blocks of an MCU");
    const Bytes rest = segment.subspan(1 + 2 * scan.component_count);
    scan.from = rest[0];
    scan.to = rest[1];
    scan.missing_before = rest[2] >> 4;
    scan.missing_after = rest[2] & 15;
    scan.restart_interval = restart_interval_;
    const auto end = find_scan_end(file_, at_);
    if (!end) return not_plain("no end");
    scan.data = file_.subspan(at_, *end - at_);
    at_ = *end;
    out_.scans.push_back(scan);
    return {};
  }

  /// How libjpeg (jdapimin.c) tells YCbCr from RGB; what leaves a doubt is not plain.
  base::Status check_colours() const {
    if (adobe_transform_ && (*adobe_transform_ != kAdobeYcc || out_.component_count == 1))
      return not_plain("Adobe colours");
    const auto& c = out_.components;
    const bool usual_names = c[0].id == 1 && c[1].id == 2 && c[2].id == 3;
    if (out_.component_count == 1 || is_jfif_ || adobe_transform_ || usual_names) return {};
    return not_plain("names of components");
  }

  Bytes file_;
  std::size_t at_ = 0;
  Structure out_;
  std::array<bool, kTables> has_table_{};
  std::array<HuffmanSpec, kTables> dc_;
  std::array<HuffmanSpec, kTables> ac_;
  std::uint16_t restart_interval_ = 0;
  bool is_jfif_ = false;
  std::optional<std::uint8_t> adobe_transform_;
};

base::Status check_sequential(const Structure& structure) {
  std::array<bool, kComponentsMax> sent{};
  for (const Scan& scan : structure.scans) {
    if (scan.from != 0 || scan.to != kCoefficients - 1 || scan.missing_before != 0 ||
        scan.missing_after != 0)
      return not_plain("scan parameters");
    for (unsigned i = 0; i < scan.component_count; ++i)
      if (std::exchange(sent[scan.components[i].index], true)) return not_plain("sent twice");
  }
  if (!std::all_of(sent.begin(), sent.begin() + structure.component_count, std::identity{}))
    return not_plain("component missing");
  return {};
}

}  // namespace

std::unexpected<base::Error> not_plain(const char* why) {
  return base::permanent(kNotPlain, why);
}

base::Result<Structure> read_structure(std::span<const std::byte> file) {
  const Bytes bytes(reinterpret_cast<const std::uint8_t*>(file.data()), file.size());
  IMGPROC_TRY(Structure structure, Reader(bytes).read());
  IMGPROC_CHECK(check_progression(structure));
  return structure;
}

base::Status check_progression(const Structure& structure) {
  if (!structure.progressive) return check_sequential(structure);
  constexpr int kNotSent = -1;
  std::array<std::array<int, kCoefficients>, kComponentsMax> missing;
  for (auto& component : missing) component.fill(kNotSent);
  for (const Scan& scan : structure.scans) {
    const bool is_dc = scan.from == 0;
    if (is_dc ? scan.to != 0 : scan.component_count != 1) return not_plain("scan parameters");
    if (scan.to < scan.from || scan.to >= kCoefficients || scan.missing_after > kLowBitMax)
      return not_plain("scan parameters");
    if (scan.missing_before != 0 && scan.missing_before != scan.missing_after + 1)
      return not_plain("scan parameters");
    for (unsigned i = 0; i < scan.component_count; ++i) {
      auto& bits = missing[scan.components[i].index];
      if (!is_dc && bits[0] == kNotSent) return not_plain("AC before DC");
      for (unsigned k = scan.from; k <= scan.to; ++k) {
        const int expected = scan.missing_before == 0 ? kNotSent : scan.missing_before;
        if (bits[k] != expected) return not_plain("progression");
        bits[k] = scan.missing_after;
      }
    }
  }
  for (unsigned i = 0; i < structure.component_count; ++i)
    if (std::ranges::any_of(missing[i], [](int bits) { return bits != 0; }))
      return not_plain("not sent to the last bit");
  return {};
}

}  // namespace imgproc::image::jpeg_dc
