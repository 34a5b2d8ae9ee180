#pragma once
// The order in which a scan codes its blocks.

#include <array>
#include <cstddef>

#include "image/jpeg_dc/bit_source.h"
#include "image/jpeg_dc/structure.h"

namespace imgproc::image::jpeg_dc {

/// One block of every MCU.
struct McuBlock {
  unsigned place = 0;      ///< Of its component in the scan.
  unsigned component = 0;  ///< In Structure::components.
  /// Where its first one lies in the component's blocks, which are counted row by row, `stride` in
  /// a row; how far it is from one MCU to the next, and to the next row of MCUs.
  std::size_t first = 0;
  std::size_t step = 1;
  std::size_t row_step = 0;
};

struct McuPlan {
  unsigned block_count = 0;
  std::array<McuBlock, kMcuBlocksMax> blocks;
  std::uint32_t mcus_wide = 0;
  std::uint32_t mcus_high = 0;
  [[nodiscard]] std::uint64_t mcus() const { return std::uint64_t{mcus_wide} * mcus_high; }
};

/// T.81 A.2: a scan of one component codes its blocks in rows, a scan of several codes MCUs.
[[nodiscard]] inline McuPlan plan_mcus(const Structure& structure, const Scan& scan) {
  McuPlan plan;
  if (scan.component_count == 1) {
    const unsigned index = scan.components[0].index;
    const Component& component = structure.components[index];
    plan.mcus_wide = component.blocks_wide;
    plan.mcus_high = component.blocks_high;
    plan.blocks[plan.block_count++] = {0, index, 0, 1, component.stride};
    return plan;
  }
  for (unsigned place = 0; place < scan.component_count; ++place) {
    const unsigned index = scan.components[place].index;
    const Component& component = structure.components[index];
    plan.mcus_wide = component.stride / component.h;
    plan.mcus_high = component.rows / component.v;
    for (std::size_t y = 0; y < component.v; ++y)
      for (std::size_t x = 0; x < component.h; ++x)
        plan.blocks[plan.block_count++] = {place, index, y * component.stride + x, component.h,
                                           std::size_t{component.stride} * component.v};
  }
  return plan;
}

/// Calls `on_block(bits, b, index)` for each block: `b` in plan.blocks, `index` in its component's
/// blocks; it returns false where the data is bad. `on_restart()` comes before what follows a
/// restart marker. False if the data is bad, too short or too long.
template <class OnBlock, class OnRestart>
[[nodiscard]] bool walk_mcus(const McuPlan& plan, const Scan& scan, OnRestart&& on_restart,
                             OnBlock&& on_block) {
  BitSource source(scan.data);
  unsigned restarts = 0;
  unsigned left = scan.restart_interval;
  std::array<std::size_t, kMcuBlocksMax> index{};
  for (std::uint32_t y = 0; y < plan.mcus_high; ++y) {
    for (unsigned b = 0; b < plan.block_count; ++b)
      index[b] = plan.blocks[b].first + y * plan.blocks[b].row_step;
    for (std::uint32_t x = 0; x < plan.mcus_wide; ++x) {
      if (scan.restart_interval != 0) {
        if (left == 0) {
          if (!source.restart(restarts++ % 8)) return false;
          on_restart();
          left = scan.restart_interval;
        }
        --left;
      }
      source.ensure();
      Bits bits = source.bits;
      for (unsigned b = 0; b < plan.block_count; ++b) {
        if (!on_block(bits, b, index[b])) [[unlikely]]
          return false;
        index[b] += plan.blocks[b].step;
      }
      source.bits = bits;
      if (source.is_overdrawn()) [[unlikely]]
        return false;
    }
  }
  return source.is_finished();
}

}  // namespace imgproc::image::jpeg_dc
