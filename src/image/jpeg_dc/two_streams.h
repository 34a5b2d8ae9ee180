#pragma once
// Reads a long sequential scan at two places at once. Each symbol's place depends on the one
// before, so that a processor mostly waits; with two readers in turn it waits half as long. The
// second one starts somewhere in the middle, where Huffman codes soon fall into step by themselves.
// Once the first reader comes to a place where the second one has begun a block too, everything
// from there on is known to be right.

#include <memory>
#include <optional>

#include "image/jpeg_dc/mcu_walk.h"
#include "image/jpeg_dc/skip_table.h"

namespace imgproc::image::jpeg_dc {

/// One for each block, with its DC difference in the upper 16 bits; the lower ones mean nothing.
using Record = std::uint32_t;

/// The tables of one block of an MCU, in the order of the MCU.
struct BlockTables {
  const Step* dc_steps = nullptr;  ///< Of fill_dc_table.
  const Step* ac_steps = nullptr;  ///< A SkipTable's for all of kTableBits bits.
  const HuffmanCode* dc = nullptr;
  const HuffmanCode* ac = nullptr;
};

/// One reader's records: those from `begin` to `end`.
struct Recording {
  std::unique_ptr<Record[]> records;
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// Scans of more bytes would take too much memory; fewer than the least cannot be halved.
inline constexpr std::size_t kTwoStreamsBytesMax = 16 << 20;
inline constexpr std::size_t kTwoStreamsBytesLeast = 1024;

/// Reads `blocks` blocks of a scan without restarts whose length is within the bounds above; the
/// second recording goes on where the first ends. Nullopt if the readers do not meet, if there are
/// too many blocks, or if the data is bad, too short or too long: read it as one stream then.
/// Memory: the scan's bytes, and 8 bytes a block.
[[nodiscard]] std::optional<std::array<Recording, 2>> read_two_streams(
    std::span<const std::uint8_t> data, std::span<const BlockTables> mcu, std::uint64_t blocks);

}  // namespace imgproc::image::jpeg_dc
