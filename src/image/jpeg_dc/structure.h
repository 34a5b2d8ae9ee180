#pragma once
// What a JPEG of the plain kind consists of: its frame, its tables, and where each scan's data
// lies. Nothing of the picture is decoded here. ITU-T T.81 annex B.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"

namespace imgproc::image::jpeg_dc {

/// Error code of everything that this decoder leaves to libjpeg. It says nothing about the file:
/// what is refused here may be good or bad.
inline constexpr char kNotPlain[] = "JPEG_NOT_PLAIN";

[[nodiscard]] std::unexpected<base::Error> not_plain(const char* why);

inline constexpr unsigned kComponentsMax = 3;
inline constexpr unsigned kCoefficients = 64;
/// T.81 B.2.3: an MCU holds at most ten blocks.
inline constexpr unsigned kMcuBlocksMax = 10;
/// libvips reads no more scans of a progressive file.
inline constexpr unsigned kScansMax = 100;

/// A Huffman table as its DHT segment defines it; borrowed from the file.
struct HuffmanSpec {
  /// How many codes there are of 1, 2 ... 16 bits; empty where the file has defined no table.
  std::span<const std::uint8_t> counts;
  std::span<const std::uint8_t> symbols;
};

struct Component {
  std::uint8_t id = 0;
  std::uint8_t h = 1;  ///< Sampling factors.
  std::uint8_t v = 1;
  std::uint8_t table = 0;  ///< Which quantisation table.
  /// Blocks that show something of the picture: what a scan of this component alone codes.
  std::uint32_t blocks_wide = 0;
  std::uint32_t blocks_high = 0;
  /// The same filled up to whole MCUs: what a scan of several components codes.
  std::uint32_t stride = 0;
  std::uint32_t rows = 0;
};

struct ScanComponent {
  std::uint8_t index = 0;  ///< In Structure::components.
  HuffmanSpec dc;          ///< As in force where the scan begins.
  HuffmanSpec ac;
};

struct Scan {
  unsigned component_count = 0;
  std::array<ScanComponent, kComponentsMax> components;
  /// Coefficients from..to in zigzag order, and the successive approximation: how many low bits
  /// were missing before this scan (0: none was sent), and are missing after it.
  std::uint8_t from = 0;
  std::uint8_t to = 0;
  std::uint8_t missing_before = 0;
  std::uint8_t missing_after = 0;
  /// MCUs between restart markers, 0 = none.
  std::uint16_t restart_interval = 0;
  /// Entropy-coded data with its stuffing and restart markers, up to the next other marker.
  std::span<const std::uint8_t> data;
};

struct Structure {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  bool progressive = false;
  /// Some component has half the resolution both ways. libjpeg makes two by two samples of its
  /// blocks at scale 1/8, by their AC coefficients.
  bool chroma_is_flat = false;
  std::uint8_t h_max = 1;
  std::uint8_t v_max = 1;
  unsigned component_count = 0;
  std::array<Component, kComponentsMax> components;
  /// In zigzag order.
  std::array<std::array<std::uint16_t, kCoefficients>, 4> quantisation{};
  std::vector<Scan> scans;
};

/// Reads everything up to the end marker. The result borrows from `file`. Errors: kNotPlain for all
/// but 8-bit Huffman-coded sequential and progressive JPEGs of one grey or three YCbCr components
/// that are whole, sent in order and complete, with which libjpeg would find no fault, and for
/// files that have fewer bits than their blocks need. Costs time in proportion to the bytes.
[[nodiscard]] base::Result<Structure> read_structure(std::span<const std::byte> file);

/// Errors: kNotPlain unless the scans send each coefficient of each component exactly once, bit
/// after bit, and to the last bit. (libjpeg smooths what was sent in part.)
[[nodiscard]] base::Status check_progression(const Structure& structure);

}  // namespace imgproc::image::jpeg_dc
